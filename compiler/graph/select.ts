// Decides what a pass builds: the wanted components, in order of need, without those that wait for computed values.
import type { Diagnostic, Position } from "../diagnostic.ts";
import { inputError } from "../diagnostic.ts";
import type { Deferred, Hook, Test, Waiting } from "../job.ts";
import { describeMissing, missingOf } from "../ops/fields.ts";
import type { Program } from "../ops/program.ts";
import { knownAs, showComponent } from "../ops/program.ts";
import type { Workflow } from "../ops/read.ts";
import { givesValue } from "../ops/use.ts";
import { componentAt, fieldAt, splitPath } from "../ops/walk.ts";
import type { Missing } from "../value.ts";
import { choosePrograms, noTests, type Wish } from "./choose.ts";
import { type HookProgram, readHooks } from "./hooks.ts";
import { findMarks } from "./marks.ts";

export interface Selection {
  /** Programs to build, each after all that it uses. */
  readonly order: readonly Program[];
  /** Programs that cannot be built yet. */
  readonly later: readonly Program[];
  /** The components whose values and files come back: the wanted ones, and those that others wait for. */
  readonly wanted: readonly Program[];
  readonly deferred: readonly Deferred[];
  /** What nothing can give a value to, and what needs it; only of gradual selections. */
  readonly undone: readonly Deferred[];
  readonly tests: readonly Test[];
  /** What its trigger keeps from running. */
  readonly waiting: readonly Waiting[];
  /** The programs of that. */
  readonly held: readonly Program[];
  /** What follows what is selected, with the programs for it. */
  readonly hooks: readonly (Hook & { readonly program: Program })[];
  readonly problems: readonly Diagnostic[];
}

/** Selects the components that are asked for, but for those that wait for a trigger, and all that these need. */
export function select(workflow: Workflow, wish: Wish = {}): Selection {
  const { targets = [], gradual = false } = wish;
  const marks = findMarks(workflow.root);
  const problems: Diagnostic[] = [...marks.problems];
  const hooks = readHooks(workflow, marks.hooks, problems);
  const none = { order: [], later: [], wanted: [], deferred: [], undone: [], waiting: [], held: [], hooks: [] };
  // What runs cannot be told before it is known what follows.
  if (marks.hooks.length > 0 && problems.length > 0) return { ...none, tests: [], problems };
  const { programs, tests, held } = choosePrograms(workflow, marks, wish);
  const wanted = new Set(programs);
  const graph = new Needs(workflow, problems, gradual);
  const undecided = targets.length === 0 ? graph.undecided(wanted) : [];
  if (wish.tests === true && tests.length === 0 && undecided.length === 0) throw inputError(noTests(targets));
  const order = graph.order(wanted);
  if (problems.length > 0) return { ...none, tests, problems };
  const waiting = waitingPrograms(order);
  const hopeless = graph.hopeless(waiting);
  const all = [...toDeferred(order, waiting), ...undecided].filter((one) => !gradual || !isInput(one));
  const undone = all.flatMap((one) => withoutHope(one, hopeless));
  const left = new Set(undone.map(({ path }) => path));
  const ordered = new Set(order);
  const kept = [...held.values()].filter((one) => !one.programs.every((program) => ordered.has(program)));
  return {
    order: order.filter((program) => !waiting.has(program)),
    later: order.filter((program) => waiting.has(program)),
    wanted: inDeclarationOrder(workflow, wanted).filter((program) => !waiting.has(program)),
    deferred: all.filter(({ path }) => !left.has(path)),
    undone,
    tests,
    waiting: kept.map((one) => one.waiting),
    held: kept.flatMap((one) => one.programs.filter((program) => !ordered.has(program))),
    hooks: hooks.flatMap((one) => following(one, graph, ordered, wish)),
    problems,
  };
}

/** A hook of components follows those of them that run; a hook of the whole run follows all runs but those of tests. */
function following({ program, hook, about }: HookProgram, graph: Needs, order: ReadonlySet<Program>, { tests }: Wish): Selection["hooks"] {
  const running = about.filter((one) => order.has(one));
  if (about.length === 0 ? tests === true : running.length === 0) return [];
  const needs = graph.below(running).filter(({ named }) => named);
  return [{ ...hook, program, of: running.map(({ component }) => component), needs: needs.map(({ component }) => component) }];
}

/** A component that misses itself is an input: whoever uses it misses it. */
function isInput({ path, missing }: Deferred): boolean {
  return missing.some((one) => one.path === path);
}

/** Nothing when all that it waits for may come; else with the values that nothing gives in place of all others. */
function withoutHope(one: Deferred, hopeless: ReadonlyMap<string, readonly Missing[]>): Deferred[] {
  const missing = new Map(one.missing.flatMap(({ path }) => hopeless.get(path) ?? []).map((root) => [root.path, root]));
  return missing.size === 0 ? [] : [{ ...one, missing: [...missing.values()] }];
}

function inDeclarationOrder(workflow: Workflow, wanted: ReadonlySet<Program>): Program[] {
  const listed = workflow.components.filter((program) => wanted.has(program));
  const known = new Set(listed);
  return [...listed, ...[...wanted].filter((program) => !known.has(program))];
}

/** The components that cannot be built in this pass: what they miss, or what they use, is not there yet. */
function waitingPrograms(order: readonly Program[]): Map<Program, Map<string, Missing>> {
  const byValue = new Map(order.map((program) => [program.value, program]));
  const waiting = new Map<Program, Map<string, Missing>>();
  for (const program of order) {
    const missing = new Map(program.missing.map((one) => [one.path, one]));
    for (const use of program.uses) {
      const used = byValue.get(use.value);
      for (const [path, one] of (used && waiting.get(used)) ?? []) missing.set(path, one);
    }
    if (missing.size > 0) waiting.set(program, missing);
  }
  return waiting;
}

function toDeferred(order: readonly Program[], waiting: ReadonlyMap<Program, ReadonlyMap<string, Missing>>): Deferred[] {
  return order
    .filter((program) => program.named && waiting.has(program))
    .map((program) => ({ path: program.component, missing: [...(waiting.get(program)?.values() ?? [])], at: program.at }));
}

type Need = { readonly program: Program; readonly next: readonly Program[]; at: number };

/** Who needs whom: by `from`, by mounted value, or by a value that CUE itself waits for. */
class Needs {
  readonly #workflow: Workflow;
  readonly #problems: Diagnostic[];
  readonly #gradual: boolean;
  /** Values that nothing gives, by path. */
  readonly #ungiven = new Map<string, Missing>();
  readonly #providers = new Map<string, Program | undefined>();
  readonly #byPath: Map<string, Program>;
  readonly #next = new Map<Program, readonly Program[]>();

  constructor(workflow: Workflow, problems: Diagnostic[], gradual: boolean) {
    this.#workflow = workflow;
    this.#gradual = gradual;
    this.#problems = problems;
    this.#byPath = new Map(workflow.components.map((program) => [program.component, program]));
  }

  /** All programs that are needed, each after its needs. Providers of missing values are added to `wanted`. */
  order(wanted: Set<Program>): Program[] {
    const order: Program[] = [];
    const state = new Map<Program, "open" | "done">();
    for (const root of wanted) {
      if (state.has(root)) continue;
      const stack: Need[] = [this.#open(root, state, wanted)];
      for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
        const next = frame.next[frame.at++];
        if (next === undefined) {
          state.set(frame.program, "done");
          order.push(frame.program);
          stack.pop();
        } else if (!state.has(next)) stack.push(this.#open(next, state, wanted));
        else if (state.get(next) === "open") this.#cycle(stack, next);
      }
    }
    return order;
  }

  #open(program: Program, state: Map<Program, "open" | "done">, wanted: Set<Program>): Need {
    state.set(program, "open");
    const used = program.uses.map((use) => this.#workflow.program(use));
    const providers = program.missing.flatMap((missing) => {
      const provider = this.#provider(missing.path);
      if (provider === undefined) this.#missing(program.component, missing, program.at);
      else wanted.add(provider);
      return provider ?? [];
    });
    const next = [...new Set([...used, ...providers])];
    this.#next.set(program, next);
    return { program, next, at: 0 };
  }

  /** Ordered programs with all that they need. */
  below(programs: readonly Program[]): Program[] {
    const found = new Set(programs);
    // What is added meanwhile is walked, too.
    for (const program of found) for (const next of this.#next.get(program) ?? []) found.add(next);
    return [...found];
  }

  /** The component whose export gives the value at a path. No export reaches into the ops of a component. */
  #provider(path: string): Program | undefined {
    if (!this.#providers.has(path) && !splitPath(path).includes("#up")) {
      const known = this.#byPath.get(path);
      const field = known === undefined ? componentAt(this.#workflow.root, path) : undefined;
      const program = known ?? (field && this.#workflow.program(field));
      this.#providers.set(path, program !== undefined && givesValue(program.value) ? program : undefined);
    }
    return this.#providers.get(path);
  }

  /** The values that will never come, by path: each with those that nothing gives and without which it cannot be. */
  hopeless(waiting: ReadonlyMap<Program, ReadonlyMap<string, Missing>>): ReadonlyMap<string, readonly Missing[]> {
    const found = new Map<string, readonly Missing[]>([...this.#ungiven].map(([path, missing]) => [path, [missing]]));
    // Each program comes behind all that it needs, so one walk is enough.
    for (const [program, missing] of found.size === 0 ? [] : waiting) {
      const roots = [...missing.keys()].flatMap((path) => found.get(path) ?? []);
      if (roots.length === 0) continue;
      for (const [path, provider] of this.#providers) if (provider === program) found.set(path, roots);
    }
    return found;
  }

  #missing(user: string, missing: Missing, at: readonly Position[]): void {
    if (this.#gradual) {
      const declared = fieldAt(this.#workflow.root, missing.path)?.at ?? [];
      if (!this.#ungiven.has(missing.path)) this.#ungiven.set(missing.path, { ...missing, at: [...declared, ...missing.at] });
      return;
    }
    const known = this.#problems.some((problem) => problem.code === "missing-value" && problem.path === missing.path);
    if (!known) this.#problems.push(describeMissing(missing, showComponent(knownAs(user)), at));
  }

  #cycle(stack: readonly Need[], again: Program): void {
    const ring = stack.slice(stack.findIndex((frame) => frame.program === again)).map((frame) => frame.program);
    const names = [...ring, again].map((program) => showComponent(program.component)).filter((name, i, all) => name !== all[i - 1]);
    const [only = ""] = names;
    const path = names.length === 1 ? [only, only] : names;
    this.#problems.push({
      code: "component-cycle",
      message: `Components need each other: ${path.join(" → ")}`,
      path: again.component,
      at: ring.flatMap((program) => program.at.slice(0, 1)),
      hint: "Break the circle: a component can only use what is computed before it",
    });
  }

  /** Fields that wait for computed values, and may then hold more components. Those who give the values are added to `wanted`. */
  undecided(wanted: Set<Program>): Deferred[] {
    return this.#workflow.undecided.flatMap((field) => {
      // An open field that waits for nothing but itself is an input that nobody uses.
      const missing = missingOf(field).filter((one) => one.path !== field.path);
      for (const one of missing) {
        const provider = this.#provider(one.path);
        if (provider === undefined) this.#missing(field.path, one, field.at);
        else wanted.add(provider);
      }
      return missing.length === 0 ? [] : [{ path: field.path, missing, at: field.at }];
    });
  }
}
