// Hooks: components that run when something has become of others. Finds what each is about, and what cannot be.
import type { Diagnostic } from "../diagnostic.ts";
import type { Hook } from "../job.ts";
import { isAlike } from "../ops/alike.ts";
import { nearest } from "../ops/near.ts";
import type { Program } from "../ops/program.ts";
import { knownAs, showComponent } from "../ops/program.ts";
import type { Workflow } from "../ops/read.ts";
import { isComponent } from "../ops/use.ts";
import { componentAt, fieldAt, findComponents, splitPath } from "../ops/walk.ts";
import type { Field } from "../value.ts";
import type { HookMark } from "./marks.ts";
import { markOf } from "./marks.ts";
import { isWithin } from "./paths.ts";

/** A hook with the programs of the components that it is about; none for the whole run. */
export interface HookProgram {
  readonly program: Program;
  readonly hook: Omit<Hook, "needs">;
  readonly about: readonly Program[];
}

const moments = ["start", "error", "success", "exit"] as const;

/** The hooks of a config, each with what it is about. Nothing but hooks may need what a hook makes: that comes after all else. */
export function readHooks(workflow: Workflow, marks: readonly HookMark[], problems: Diagnostic[]): HookProgram[] {
  if (marks.length === 0) return [];
  const own = marks.filter((mark) => originalOf(mark, marks) === mark);
  const hooks = own.flatMap((mark) => readHook(workflow, mark, marks, problems));
  problems.push(...usersOf(workflow, marks), ...hooks.flatMap((one) => tooEarly(workflow, one)));
  return hooks;
}

/** What another component takes is a copy of the hook there: the hook is where it is declared outside of that. */
function originalOf(mark: HookMark, marks: readonly HookMark[]): HookMark {
  const like = mark.inComponent ? marks.find((one) => !one.inComponent && isAlike(one.field.value, mark.field.value)) : undefined;
  return like ?? mark;
}

function readHook(
  workflow: Workflow,
  { field, on, of, event }: HookMark,
  marks: readonly HookMark[],
  problems: Diagnostic[],
): HookProgram[] {
  const { path, at } = field;
  const moment = moments.find((one) => one === on.value.scalar);
  if (moment === undefined) {
    const message = `Hook ${showComponent(path)} does not say when it runs`;
    problems.push({
      code: "bad-hook",
      message,
      path,
      at: [...on.at, ...at],
      hint: `Give on: ${moments.map((one) => `"${one}"`).join(", ")}`,
    });
    return [];
  }
  const found = of === undefined ? [] : componentsOf(workflow, of, path, problems);
  // All that it is about is left out of this run, and so is the hook.
  if (found.length === 0 && of !== undefined) return [];
  for (const one of found.filter(({ component }) => marks.some((mark) => isWithin(component, mark.field.path)))) {
    problems.push({
      code: "bad-hook",
      message: `Hook ${showComponent(path)} is about ${one.component}, which is a hook itself`,
      path,
      at: of?.at ?? at,
      hint: "Hooks are about what the run computes: name such components in `of`",
    });
  }
  const about = [...new Set(found)];
  const hook = { path, on: moment, of: about.map(({ component }) => component), at, ...(event === undefined ? {} : { event: event.path }) };
  return [{ program: workflow.program(field), hook, about }];
}

/** What `of` names: a component, those in a struct, those at a path, or all of these in a list. */
function componentsOf(workflow: Workflow, of: Field, hook: string, problems: Diagnostic[]): Program[] {
  const { value } = of;
  if (!isComponent(value) && value.kind === "list" && value.items.length > 0)
    return value.items.flatMap((item) => componentsOf(workflow, item, hook, problems));
  const named = isComponent(value) || value.kind !== "string" ? of : fieldAt(workflow.root, String(value.scalar));
  const found = named === undefined ? [] : isComponent(named.value) ? [named] : findComponents(named).components;
  if (found.length > 0) return found.map((field) => declared(workflow, field, hook));
  const name = value.kind === "string" ? String(value.scalar) : value.path;
  if (named === undefined && isLeftOut(workflow.root, name)) return [];
  const near = nearest(
    name,
    workflow.components.map(({ component }) => component),
    1,
  );
  problems.push({
    code: "bad-hook",
    message: `Hook ${showComponent(hook)} is about ${name}, which is no component, and has none below it`,
    path: of.path,
    at: of.at,
    hint: value.kind === "incomplete" ? byText : near[0] === undefined ? anyComponent : `Did you mean ${near[0]}?`,
  });
  return [];
}

const anyComponent = "Name components of this config, or leave out `of` for the whole run";
const byText = 'What only some runs have, such as the result of one stage, is named as text: of: "library.results.network"';

/** Whether a path is of a member that this run leaves out: the struct that it is in is marked with `@dagger(among=FIELD)`, and the field beside it has all. */
function isLeftOut(root: Field, path: string): boolean {
  const labels = splitPath(path);
  const member = labels.pop();
  const struct = fieldAt(root, labels.join("."));
  const all = struct && markOf(struct, "among");
  if (member === undefined || all === undefined) return false;
  return fieldAt(root, [...labels.slice(0, -1), all, member].join(".")) !== undefined;
}

/** The component of the config that is meant, also where CUE has made a copy of it for the hook. */
function declared(workflow: Workflow, { value, ...field }: Field, hook: string): Program {
  const known = isWithin(value.path, hook) ? workflow.components.filter((one) => isAlike(one.value, value)) : [];
  const line = (at: Field["at"]): string => JSON.stringify(at);
  const lines = line(value.fields.get("#up")?.at ?? []);
  return known.find((one) => line(one.value.fields.get("#up")?.at ?? []) === lines) ?? known[0] ?? workflow.program({ ...field, value });
}

/** Components that need what a hook makes. */
function usersOf(workflow: Workflow, marks: readonly HookMark[]): Diagnostic[] {
  const hookOf = (path: string): string | undefined => {
    const mark = marks.find(({ field }) => isWithin(path, field.path));
    return mark && originalOf(mark, marks).field.path;
  };
  const seen = new Set<Program>();
  return workflow.components
    .filter(({ component }) => hookOf(component) === undefined)
    .flatMap((program) => {
      const problems: Diagnostic[] = [];
      for (const [one, user] of reach(workflow, program, seen)) {
        const hook = hookOf(one.component);
        const value = one.missing.map(({ path }) => hookOf(path)).find((path) => path !== undefined);
        if (hook !== undefined && hookOf(user.component) === undefined) problems.push(takesHook(user, hook));
        else if (hook === undefined && value !== undefined) problems.push(takesHook(one, value));
      }
      return problems;
    });
}

function takesHook({ component: path, at }: Program, hook: string): Diagnostic {
  const component = knownAs(path);
  return {
    code: "hook-cycle",
    message: `${showComponent(component)} takes what the hook ${showComponent(hook)} makes, which runs apart from it`,
    path: component,
    at,
    hint: "A component can only use what runs with it: make a component of its own of what both need",
  };
}

/** A hook that needs what has failed when it runs, or has not begun. */
function tooEarly(workflow: Workflow, { program, hook, about }: HookProgram): Diagnostic[] {
  if (hook.on !== "error" && hook.on !== "start") return [];
  const uses = new Set([...reach(workflow, program, new Set())].map(([one]) => one));
  return about
    .filter((one) => uses.has(one))
    .map(({ component }) => ({
      code: "hook-cycle",
      message: `Hook ${showComponent(hook.path)} takes what ${showComponent(component)} makes, and runs ${hook.on === "start" ? "before it" : "when it has failed"}`,
      path: hook.path,
      at: hook.at,
      hint:
        hook.on === "start"
          ? "Take what others make, or nothing"
          : "What failed has left no files: what it wrote last is in `event.failures`",
    }));
}

/** All that a program needs, with who needs it first; itself included. What was seen before is left out. */
function* reach(workflow: Workflow, from: Program, seen: Set<Program>): Iterable<readonly [Program, Program]> {
  const open: (readonly [Program, Program])[] = [[from, from]];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [program] = next;
    if (seen.has(program)) continue;
    seen.add(program);
    yield next;
    for (const use of program.uses) open.push([workflow.program(use), program]);
    for (const { path } of program.missing) {
      const giver = componentAt(workflow.root, path);
      if (giver !== undefined) open.push([workflow.program(giver), program]);
    }
  }
}
