// Runs an environment after those that it takes outputs of, as far as they are not up to date: in order, and side by side where none needs
// the other. Each is a run of its own, with its own lease and its own record.
import { type Diagnostic, inputError, UserError } from "../compiler/index.ts";
import { Slots } from "../runtime/slots.ts";
import type { DependencyRun, Step, UpEvent, UpResult } from "./events.ts";
import type { UpRequest } from "./request.ts";
import { readyStack } from "./settings/run.ts";
import { type DependencyGraph, type DependencyNode, inOrder, readDependencies } from "./stacks/dependencies.ts";
import { type EnvironmentState, readStates } from "./stacks/states.ts";
import { findValue, keyOf, readOutputs } from "./state/find.ts";
import { up } from "./up.ts";
import { at, type Workspace } from "./workspace/find.ts";

/** Runs of this process at the same time: each evaluates a config, and has a thread that records it. */
const atOnce = 4;

/**
 * `request` is of a stack's environment. Its dependencies run with the daemon, cache and host flags of the request, with their own settings
 * and no targets. One that fails stops those that need it, and no others. Throws as `up`, and UserError `dependency-failed` with what made
 * dependencies fail, `dependency-cycle`, `unknown-dependency`.
 */
export async function upWithDependencies(request: UpRequest): Promise<UpResult> {
  const { stack } = request;
  if (stack === undefined) {
    const message = "Only environments of stacks have dependencies, and this config is run without one";
    throw inputError({ code: "no-stack", message, at: [], hint: "Choose a stack with -s, or leave --with-dependencies out" });
  }
  const workspace = at(stack.root);
  const graph = await readDependencies(workspace, request.cwd);
  const target = keyOf(stack);
  const before = inOrder(graph, [target]).filter(({ key }) => key !== target);
  refuseBroken(await readStates(workspace, graph, [target], request));
  const dependencies = new Dependencies(request, workspace, graph);
  const outcomes = await dependencies.run(before);
  const ran = outcomes.map(({ stack: name, environment, state, because }): DependencyRun => ({ stack: name, environment, state, because }));
  const failures = outcomes.flatMap(({ error = [] }) => error);
  if (failures.length > 0 || outcomes.some(({ state }) => state === "skipped")) throw explain(target, outcomes);
  const ready = await readyStack({ ...request, ...stack, stack: stack.stack });
  return { ...(await up({ ...request, stack: ready?.stack ?? stack })), dependencies: ran };
}

interface Outcome extends DependencyRun {
  readonly key: string;
  readonly error?: unknown;
}

class Dependencies {
  readonly #request: UpRequest;
  readonly #workspace: Workspace;
  readonly #graph: DependencyGraph;
  readonly #slots = new Slots(atOnce);

  constructor(request: UpRequest, workspace: Workspace, graph: DependencyGraph) {
    this.#request = request;
    this.#workspace = workspace;
    this.#graph = graph;
  }

  /** `order`: what is needed before what needs it. */
  async run(order: readonly DependencyNode[]): Promise<readonly Outcome[]> {
    const running = new Map<string, Promise<Outcome>>();
    for (const node of order) {
      const needed = node.needs.flatMap(({ owner = "" }) => running.get(owner) ?? []);
      running.set(node.key, this.#one(node, needed));
    }
    return Promise.all(running.values());
  }

  async #one(node: DependencyNode, needed: readonly Promise<Outcome>[]): Promise<Outcome> {
    const lost = (await Promise.all(needed)).filter(({ state }) => state === "failed" || state === "skipped");
    if (lost.length > 0 || this.#request.signal.aborted) {
      return this.#tell(
        node,
        "skipped",
        lost.map(({ key, state }) => `It needs ${key}, which ${state === "failed" ? "failed" : "was not run"}`),
      );
    }
    return this.#slots.run(() => this.#runIfNeeded(node));
  }

  async #runIfNeeded(node: DependencyNode): Promise<Outcome> {
    try {
      const because = await this.#reasons(node);
      if (because.length === 0) return this.#tell(node, "current", []);
      this.#tell(node, "started", because);
      await up(await this.#requestFor(node));
      return this.#tell(node, "done", because);
    } catch (error) {
      const because = error instanceof UserError ? error.diagnostics.map(({ message }) => message) : [String(error)];
      return { ...this.#tell(node, "failed", because), error };
    }
  }

  /** Looked at when all that it needs has run: what gave the same again makes nothing stale. */
  async #reasons(node: DependencyNode): Promise<readonly string[]> {
    const state = (await readStates(this.#workspace, this.#graph, [node.key], this.#request)).get(node.key);
    if (state === undefined || state.state !== "current") return state?.because ?? [];
    const outputs = (await readOutputs(this.#workspace.root, this.#request, [node])).get(node.key) ?? [];
    const asked = [...this.#graph.values()].flatMap(({ needs }) => needs.filter(({ owner }) => owner === node.key));
    return asked.flatMap(({ path }) => (findValue(outputs, path) === undefined ? [`It has not given ${path} yet`] : []));
  }

  async #requestFor({ stack, environment, key }: DependencyNode): Promise<UpRequest> {
    const { inputs: _inputs, typedInputs: _typed, targets: _targets, tags: _tags, ...rest } = this.#request;
    const { plan: _plan, shellOnError: _shell, attest: _attest, cacheTo: _cacheTo, ...more } = rest;
    const { idempotencyKey: _key, onRecorded: _recorded, supersede: _supersede, ...shared } = more;
    const ready = await readyStack({ ...shared, stack, environment });
    if (ready === undefined) throw new Error(`${key} has vanished`);
    return { ...shared, ...ready, inputs: [], targets: [], onEvent: (event) => this.#hear(key, event) };
  }

  #hear(key: string, event: UpEvent): void {
    const told = labelled(key, event);
    if (told !== undefined) this.#request.onEvent(told);
  }

  #tell({ stack, environment, key }: DependencyNode, state: DependencyEvent["state"], because: readonly string[]): Outcome {
    this.#request.onEvent({ type: "dependency", stack, environment, state, because });
    return { key, stack, environment, state: state === "started" ? "done" : state, because };
  }
}

type DependencyEvent = Extract<UpEvent, { type: "dependency" }>;

/** What a dependency tells, as part of what the whole tells: two runs may have the same step. Undefined for what is of its run alone. */
function labelled(key: string, event: UpEvent): UpEvent | undefined {
  switch (event.type) {
    case "phase":
    case "pass":
    case "solve":
    case "change":
      return undefined;
    case "recorded":
      return { ...event, of: key };
    case "plan":
      return { ...event, steps: event.steps.map((step) => labelledStep(key, step)) };
    case "warning":
      return { ...event, message: `${key}: ${event.message}` };
    case "hooks":
      return { ...event, hooks: event.hooks.map((hook) => ({ ...hook, path: `${key}:${hook.path}` })) };
    case "dependency":
      return event;
    default:
      return { ...event, step: labelledStep(key, event.step) };
  }
}

function labelledStep(key: string, step: Step): Step {
  return { ...step, digest: `${key} ${step.digest}`, component: step.component === "" ? "" : `${key}:${step.component}` };
}

function refuseBroken(states: ReadonlyMap<string, EnvironmentState>): void {
  const broken = [...states.values()].filter(({ state }) => state === "broken");
  const problems = broken.flatMap((one) =>
    one.dependencies.flatMap(({ input, problem }) => (problem === undefined ? [] : [{ one, input, problem }])),
  );
  if (problems.length === 0) return;
  throw inputError(
    ...problems.map(({ one, input, problem }): Diagnostic => {
      const hint = `Set it anew: dagger input set -s ${one.stack} -e ${one.environment} ${input} VALUE`;
      return { code: "unknown-dependency", message: `${keyOf(one)} cannot get ${input}: ${problem}`, path: input, at: [], hint };
    }),
  );
}

function explain(target: string, outcomes: readonly Outcome[]): unknown {
  const failed = outcomes.filter(({ state }) => state === "failed");
  const foreign = failed.find(({ error }) => !(error instanceof UserError));
  if (foreign !== undefined) return foreign.error;
  const errors = failed.flatMap(({ key, error }) => (error instanceof UserError ? [{ key, error }] : []));
  const interrupted = errors.find(({ error }) => error.exit === 130);
  if (interrupted !== undefined) return interrupted.error;
  const [first] = errors;
  if (first === undefined) return new UserError(130, [{ code: "interrupted", message: "Interrupted", at: [] }]);
  const skipped = [...outcomes.filter(({ state }) => state === "skipped").map(({ key }) => key), target];
  const names = errors.map(({ key }) => key);
  const whom = `${names.join(" and ")}, which ${names.length === 1 ? "failed" : "have failed"}`;
  const message = `${skipped.join(" and ")} ${skipped.length === 1 ? "was not run: it needs" : "were not run: they need"} ${whom}`;
  const hint = "Mend that and run the same again: what succeeded is not run again";
  return new UserError(first.error.exit, [
    ...errors.flatMap(({ key, error }) => error.diagnostics.map((diagnostic) => labelledFinding(key, diagnostic))),
    { code: "dependency-failed", message, at: [], hint },
  ]);
}

function labelledFinding(key: string, { message, step, ...diagnostic }: Diagnostic): Diagnostic {
  return {
    ...diagnostic,
    message: `${key}: ${message}`,
    ...(step === undefined ? {} : { step: { ...step, digest: `${key} ${step.digest}` } }),
  };
}
