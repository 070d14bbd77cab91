// Whether environments are up to date: with their settings, and with the outputs of others that they took.
import { UserError } from "../../compiler/index.ts";
import type { Surroundings } from "../request.ts";
import { findValue, fingerprintOf, readOutputs } from "../state/find.ts";
import type { Output } from "../store/index.ts";
import type { Workspace } from "../workspace/find.ts";
import { openWorkspace } from "../workspace/workspace.ts";
import { chooseStack, type StackWish } from "./choice.ts";
import { type Dependency, type DependencyGraph, type DependencyNode, inOrder, neededBy, readDependencies } from "./dependencies.ts";
import type { StackRequest } from "./manage.ts";
import { readBasis, settingsPrint, type UsedOutput } from "./used.ts";

/**
 * `missing`: it never succeeded. `stale`: what it was made from is not what there is now. `broken`: somebody whom it needs cannot give what
 * it needs. Files of its config do not count: those are `dagger plan`'s and `dagger why`'s to tell.
 */
export type Freshness = "current" | "missing" | "stale" | "broken";

export interface EnvironmentState {
  readonly stack: string;
  readonly environment: string;
  readonly state: Freshness;
  /** Why, one reason a line; empty for `current`. */
  readonly because: readonly string[];
  readonly dependencies: readonly Dependency[];
}

/** Of these environments and all that they need, by `STACK/ENV`, in the order of running. Throws UserError (2) `dependency-cycle`. */
export async function readStates(
  workspace: Workspace,
  graph: DependencyGraph,
  keys: readonly string[],
  surroundings: Pick<Surroundings, "store">,
): Promise<ReadonlyMap<string, EnvironmentState>> {
  const order = inOrder(graph, keys);
  const outputs = await readOutputs(workspace.root, surroundings, order);
  const states = new Map<string, EnvironmentState>();
  for (const node of order) states.set(node.key, stateOf(node, outputs, states));
  return states;
}

type Outputs = ReadonlyMap<string, readonly Output[]>;

function stateOf(node: DependencyNode, outputs: Outputs, states: ReadonlyMap<string, EnvironmentState>): EnvironmentState {
  const { stack, environment, needs: dependencies } = node;
  const say = (state: Freshness, because: readonly string[]): EnvironmentState => ({ stack, environment, state, because, dependencies });
  const broken = dependencies.flatMap(({ problem, owner = "" }) => {
    if (problem !== undefined) return [problem];
    return states.get(owner)?.state === "broken" ? [`It needs ${owner}, which is broken`] : [];
  });
  if (broken.length > 0) return say("broken", unique(broken));
  const own = outputs.get(node.key) ?? [];
  const last = own.find(({ component }) => component === "");
  if (last === undefined) return say("missing", [own.length === 0 ? "It has not run yet" : "It has not succeeded as a whole yet"]);
  const because = [...staleNeeds(dependencies, states), ...differences(node, last, outputs)];
  return because.length === 0 ? say("current", []) : say("stale", unique(because));
}

function staleNeeds(dependencies: readonly Dependency[], states: ReadonlyMap<string, EnvironmentState>): string[] {
  return dependencies.flatMap(({ owner = "" }) => {
    const state = states.get(owner)?.state;
    if (state === "stale") return [`It needs ${owner}, which is stale`];
    return state === "missing" ? [`It needs ${owner}, which has not run yet`] : [];
  });
}

/** What is not as it was in the run that gave `last`. */
function differences(node: DependencyNode, last: Output, outputs: Outputs): string[] {
  const basis = readBasis(last.provenance);
  // Whatever recorded nothing of this took no outputs.
  const used = new Map((basis?.uses ?? []).map((use) => [use.input, use]));
  const taken = node.needs.flatMap((need) => takenNow(need, used.get(need.input), outputs));
  const settings = basis !== undefined && basis.settings !== settingsPrint(node.settings) && taken.length === 0;
  return [...taken, ...(settings ? ["Its settings have changed since it last ran"] : [])];
}

function takenNow({ input, path, owner = "" }: Dependency, used: UsedOutput | undefined, outputs: Outputs): string[] {
  if (used === undefined || used.owner !== owner) return [`Its last run did not take ${input} from ${owner}`];
  const now = findValue(outputs.get(owner) ?? [], path);
  if (now === undefined) return [`${owner} gives no ${path} any more`];
  return fingerprintOf(now.value) === used.fingerprint ? [] : [`${path} of ${owner} has changed since (run ${now.run})`];
}

const unique = (texts: readonly string[]): string[] => [...new Set(texts)];

/** The environments of a stack, in the order of their slugs. Throws UserError (2) when there is no such stack. */
export async function listStates(request: StackRequest, wish: StackWish): Promise<readonly EnvironmentState[]> {
  const workspace = await openWorkspace(".", request.cwd);
  const { slug } = await chooseStack(workspace, wish, request);
  const graph = await readDependencies(workspace, request.cwd);
  const own = [...graph.values()].filter(({ stack }) => stack === slug);
  const [sound, circles] = sortOut(graph, own);
  const states = await readStates(workspace, graph, sound, request);
  return own.flatMap((node) => circles.get(node.key) ?? states.get(node.key) ?? []);
}

/** Environments that need themselves are told as broken, and hide nothing of the others. */
function sortOut(graph: DependencyGraph, nodes: readonly DependencyNode[]): readonly [string[], ReadonlyMap<string, EnvironmentState>] {
  const sound: string[] = [];
  const circles = new Map<string, EnvironmentState>();
  for (const { key, stack, environment, needs } of nodes) {
    try {
      inOrder(graph, [key]);
      sound.push(key);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      circles.set(key, {
        stack,
        environment,
        state: "broken",
        because: error.diagnostics.map(({ message }) => message),
        dependencies: needs,
      });
    }
  }
  return [sound, circles];
}

/** Environments, as `STACK/ENV`, that take outputs of a stack or of one of its environments. */
export async function listDependents(request: StackRequest, stack: string, environment?: string): Promise<readonly string[]> {
  const workspace = await openWorkspace(".", request.cwd);
  return neededBy(await readDependencies(workspace, request.cwd), stack, environment);
}
