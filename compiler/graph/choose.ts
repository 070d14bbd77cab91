// Chooses what a pass is about: targets, tests, and what no trigger keeps from running.
import type { Diagnostic } from "../diagnostic.ts";
import { inputError } from "../diagnostic.ts";
import type { Test, Waiting } from "../job.ts";
import { nearest } from "../ops/near.ts";
import type { Program } from "../ops/program.ts";
import type { Workflow } from "../ops/read.ts";
import { isComponent } from "../ops/use.ts";
import { fieldAt, findComponents } from "../ops/walk.ts";
import type { Field } from "../value.ts";
import type { Marks } from "./marks.ts";
import { isWithin } from "./paths.ts";

/** What of a workflow is to be built. */
export interface Wish {
  /** CUE paths of components, or of structs that hold some; empty means all. */
  readonly targets?: readonly string[];
  /** A value that nothing gives leaves undone what needs it; without it that is a problem. */
  readonly gradual?: boolean;
  /** Only tests, with all that is below them. */
  readonly tests?: boolean;
}

export interface Choice {
  readonly programs: readonly Program[];
  readonly tests: readonly Test[];
  /** By the path of the field with the trigger. */
  readonly held: ReadonlyMap<string, { readonly waiting: Waiting; readonly programs: Program[] }>;
}

export function choosePrograms(workflow: Workflow, { tests, triggers, hooks }: Marks, { targets = [], ...wish }: Wish): Choice {
  const held = new Map<string, { readonly waiting: Waiting; readonly programs: Program[] }>();
  const named = (path: string): boolean => targets.some((target) => isWithin(target, path));
  const runs = (program: Program): boolean => {
    if (hooks.some(({ field: { path } }) => isWithin(program.component, path) && !named(path))) return false;
    const marked = triggers.get(program.value);
    if (marked === undefined || named(marked.path)) return true;
    const { path, trigger } = marked;
    const one = held.get(path) ?? { waiting: { path, trigger }, programs: [] };
    held.set(path, one);
    one.programs.push(program);
    return false;
  };
  if (wish.tests !== true) {
    const asked = targets.length === 0 ? workflow.components : targetPrograms(workflow, targets);
    return { programs: asked.filter(runs), tests: [], held };
  }
  if (targets.length > 0) targetPrograms(workflow, targets);
  const asked = tests.flatMap((one) => {
    const field = fieldAt(workflow.root, one.path);
    const isAsked = targets.length === 0 || targets.some((target) => isWithin(one.path, target));
    return field !== undefined && isAsked && runs(workflow.program(field)) ? [{ test: one, field }] : [];
  });
  const programs = asked.flatMap(({ field }) => findComponents(field).components.map((component) => workflow.program(component)));
  return { programs, tests: asked.map(({ test }) => test), held };
}

export function noTests(targets: readonly string[]): Diagnostic {
  return {
    code: "no-tests",
    message: targets.length === 0 ? "The config has no tests" : `There are no tests in ${targets.join(", ")}`,
    at: [],
    hint: "Tests are components that are marked with @dagger(test), or that have a report, a field marked with @dagger(report), as task.#Test has",
  };
}

/** The same workflow with the components at and below `targets` for its own; as it is without targets. Throws UserError (2) for an unknown one. */
export function narrow(workflow: Workflow, targets: readonly string[]): Workflow {
  return targets.length === 0 ? workflow : { ...workflow, components: targetPrograms(workflow, targets) };
}

function targetPrograms(workflow: Workflow, targets: readonly string[]): Program[] {
  const unknown: Diagnostic[] = [];
  const programs = targets.flatMap((target) => {
    const field = fieldAt(workflow.root, target);
    const found = field === undefined ? [] : isComponent(field.value) ? [field] : [...findComponents(field).components];
    if (found.length === 0) unknown.push(unknownTarget(workflow, target, field));
    return found.map((component) => workflow.program(component));
  });
  if (unknown.length > 0) throw inputError(...unknown);
  return programs;
}

function unknownTarget(workflow: Workflow, target: string, field: Field | undefined): Diagnostic {
  const names = workflow.components.map((program) => program.component).filter((path) => path !== "");
  const near = nearest(target, names, 3);
  return {
    code: "unknown-target",
    message: field === undefined ? `No component ${target} in this config` : `Target ${target} is no component, and has none below it`,
    path: target,
    at: field?.at ?? [],
    hint:
      near.length > 0
        ? `Did you mean ${near.join(" or ")}?`
        : names.length === 0
          ? "The config has no components: values with #up"
          : `Components: ${names.slice(0, 10).join(", ")}${names.length > 10 ? ", …" : ""}`,
  };
}
