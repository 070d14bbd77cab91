// Environments that take outputs of others: who needs whom, in which order they run, and which of them are not up to date any more.
import { inputError } from "../../compiler/index.ts";
import { formatReference, type OutputReference } from "../settings/references.ts";
import type { OutputSetting, Setting } from "../settings/setting.ts";
import { keyOf, type Place } from "../state/find.ts";
import type { Workspace } from "../workspace/find.ts";
import { type Environment, readEnvironments } from "./environment.ts";
import { readStacks, type Stack } from "./stack.ts";

/** An input that is set to an output. */
export interface Dependency extends OutputReference {
  /** CUE path of the input. */
  readonly input: string;
  /** Whose output it is, as `STACK/ENV`; not there when no environment is meant. */
  readonly owner?: string;
  /** Why nobody can give it. */
  readonly problem?: string;
}

/** An environment with what it needs. */
export interface DependencyNode extends Place {
  readonly key: string;
  readonly config: Stack["config"];
  readonly settings: Environment["settings"];
  readonly needs: readonly Dependency[];
}

/** All environments of a workspace, by `STACK/ENV`. */
export type DependencyGraph = ReadonlyMap<string, DependencyNode>;

/** Only files are read. Throws UserError (2) `bad-workspace-file`. */
export async function readDependencies(workspace: Workspace, cwd: string): Promise<DependencyGraph> {
  const stacks = await readStacks(workspace, cwd);
  const environments = new Map<string, readonly Environment[]>();
  for (const { slug } of stacks) environments.set(slug, await readEnvironments(workspace, slug, cwd));
  const slugs = new Map([...environments].map(([stack, all]) => [stack, all.map(({ slug }) => slug)]));
  const nodes = stacks.flatMap(({ slug: stack, config }) =>
    (environments.get(stack) ?? []).map(({ slug: environment, settings }): DependencyNode => {
      const place = { stack, environment };
      return { ...place, key: keyOf(place), config, settings, needs: needsOf(settings, environment, slugs) };
    }),
  );
  return new Map(nodes.map((node) => [node.key, node]));
}

function needsOf(settings: ReadonlyMap<string, Setting>, own: string, slugs: ReadonlyMap<string, readonly string[]>): Dependency[] {
  return [...settings].flatMap(([input, setting]) => {
    if (setting.kind !== "output") return [];
    const { stack, environment, path } = setting;
    const found = findOwner(setting, own, slugs);
    return [{ input, stack, path, ...(environment === undefined ? {} : { environment }), ...found }];
  });
}

/** The environment that a reference means, seen from the environment `own`. */
export function findOwner(
  { stack, environment, path }: OutputReference,
  own: string,
  slugs: ReadonlyMap<string, readonly string[]>,
): { readonly owner?: string; readonly problem?: string } {
  const all = slugs.get(stack);
  if (all === undefined) return { problem: `There is no stack ${stack}, which is to give ${path}` };
  const [only] = all;
  const slug = environment ?? (all.includes(own) ? own : all.length === 1 ? only : undefined);
  if (slug !== undefined && all.includes(slug)) return { owner: keyOf({ stack, environment: slug }) };
  if (slug !== undefined) return { problem: `The stack ${stack} has no environment ${slug}, which is to give ${path}` };
  const which = all.length === 0 ? "no environment" : `neither an environment ${own} nor a single one`;
  return { problem: `The stack ${stack} has ${which}, which is to give ${path}` };
}

/** The nodes that these need, themselves included, what is needed before what needs it. Throws UserError (2) `dependency-cycle`. */
export function inOrder(graph: DependencyGraph, keys: readonly string[]): readonly DependencyNode[] {
  const order: DependencyNode[] = [];
  const done = new Set<string>();
  const visit = (key: string, path: readonly string[]): void => {
    if (done.has(key)) return;
    if (path.includes(key)) throw cycle([...path.slice(path.indexOf(key)), key], graph);
    const node = graph.get(key);
    if (node === undefined) return;
    for (const { owner } of node.needs) if (owner !== undefined) visit(owner, [...path, key]);
    done.add(key);
    order.push(node);
  };
  for (const key of keys) visit(key, []);
  return order;
}

function cycle(path: readonly string[], graph: DependencyGraph): Error {
  const steps = path.slice(0, -1).map((key, at) => {
    const need = graph.get(key)?.needs.find(({ owner }) => owner === path[at + 1]);
    return `${key} takes ${need === undefined ? "" : need.path} of ${path[at + 1]} as ${need?.input}`;
  });
  const [first = ""] = path;
  const [stack = "", environment = ""] = first.split("/");
  const input = graph.get(first)?.needs.find(({ owner }) => owner === path[1])?.input ?? "INPUT";
  return inputError({
    code: "dependency-cycle",
    message: `Environments need each other's outputs: ${path.join(" -> ")}; ${steps.join(", ")}`,
    at: [],
    hint: `Set one of these inputs to something else: dagger input set -s ${stack} -e ${environment} ${input} VALUE`,
  });
}

/** Throws UserError (2) `dependency-cycle`, `unknown-stack`, `unknown-environment` for settings that are about to be kept. */
export async function checkReferences(
  workspace: Workspace,
  { stack, environment }: Place,
  settings: ReadonlyMap<string, Setting>,
  cwd: string,
): Promise<void> {
  const wanted = [...settings].filter((one): one is [string, OutputSetting] => one[1].kind === "output");
  if (wanted.length === 0) return;
  const graph = await readDependencies(workspace, cwd);
  const key = keyOf({ stack, environment });
  const node = graph.get(key);
  if (node === undefined) return;
  const slugs = new Map<string, string[]>();
  for (const one of graph.values()) slugs.set(one.stack, [...(slugs.get(one.stack) ?? []), one.environment]);
  for (const [input, setting] of wanted) {
    const { problem } = findOwner(setting, environment, slugs);
    if (problem === undefined) continue;
    const known = [...graph.keys()].join(", ");
    throw inputError({
      code: "unknown-dependency",
      message: `Cannot set ${input} to ${formatReference(setting)}: ${problem}`,
      at: [],
      hint: `Name an environment as STACK/ENV: there are ${known}`,
    });
  }
  const changed = { ...node, needs: needsOf(new Map([...node.settings, ...settings]), environment, slugs) };
  inOrder(new Map([...graph, [key, changed]]), [key]);
}

/** Environments that take outputs of this one, or of a whole stack. */
export function neededBy(graph: DependencyGraph, stack: string, environment?: string): readonly string[] {
  const isMeant = (owner: string | undefined): boolean =>
    environment === undefined ? owner?.startsWith(`${stack}/`) === true : owner === keyOf({ stack, environment });
  const others = [...graph.values()].filter((node) => !isMeant(node.key));
  return others.filter((node) => node.needs.some(({ owner }) => isMeant(owner))).map(({ key }) => key);
}
