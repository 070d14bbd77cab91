// The components of a job as a person thinks of them: what each takes of which others, also of those that wait.
import type { Position } from "../diagnostic.ts";
import type { Part, PartNeed } from "../job.ts";
import type { Program } from "../ops/program.ts";
import type { Workflow } from "../ops/read.ts";
import { componentAt } from "../ops/walk.ts";
import type { Value } from "../value.ts";
import { hasMark } from "./marks.ts";
import type { Selection } from "./select.ts";

/** All components that a pass has, those that it leaves to a later one, those that wait for a trigger, hooks, and what all of these use. */
export function partsOf(workflow: Workflow, { order, later, held, hooks }: Selection): Part[] {
  const deferred = new Set(later);
  const followed = new Map(hooks.map(({ program, on, of }) => [program, of.map((path): PartNeed => ({ path, kind: `on ${on}` }))]));
  const isHook = (path: string): boolean => hooks.some(({ program }) => program.component === path);
  const waiting = new Set([...held, ...followed.keys()]);
  const programs = new Set([...order, ...later, ...waiting]);
  for (const program of programs) for (const use of program.uses) programs.add(workflow.program(use));
  return [...programs]
    .filter(({ named }) => named)
    .map((program) => ({
      path: program.component,
      ...place(program.at),
      doc: program.doc,
      box: isBox(program.value),
      state: deferred.has(program) ? "deferred" : waiting.has(program) ? "waiting" : "built",
      // What several hooks are told is one value to CUE; nothing comes from a hook.
      needs: [...needsOf(program, workflow).filter(({ path }) => !isHook(path)), ...(followed.get(program) ?? [])],
    }));
}

function place([at]: readonly Position[]): { at?: Position } {
  return at === undefined ? {} : { at };
}

/** Definitions hand their ops on, and what is said of these with them. */
function isBox(value: Value): boolean {
  const up = value.fields.get("#up");
  return up !== undefined && hasMark(up, "box");
}

/** What a program and the inline ops in it take, each component once for each kind. */
function needsOf(program: Program, workflow: Workflow): PartNeed[] {
  const found = new Map<string, PartNeed>();
  const add = (path: string, kind: PartNeed["kind"]): void => {
    if (path !== program.component) found.set(`${kind} ${path}`, { path, kind });
  };
  const seen = new Set<Value>([program.value]);
  const open = [program];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const use of next.uses) {
      const used = workflow.program(use);
      if (used.named) add(used.component, next.texts.has(use.value) ? "value" : "artifact");
      else if (!seen.has(use.value)) open.push(used);
      seen.add(use.value);
    }
    for (const { path } of next.missing) {
      const giver = componentAt(workflow.root, path);
      if (giver !== undefined) add(workflow.program(giver).component, "value");
    }
  }
  return [...found.values()];
}
