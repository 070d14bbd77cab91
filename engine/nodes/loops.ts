// Finds nodes that lead to themselves: what one gives changes a place that it takes, so that it is due again, and gives it again.
import { inputError, type UserError } from "../../compiler/index.ts";
import { meeting } from "../sources/meeting.ts";
import type { Data } from "../sources/open.ts";
import type { DatumKey, Lineage } from "../store/index.ts";
import { inputsOf } from "./compute.ts";
import { givenBy, withParts } from "./graph.ts";
import type { Node } from "./node.ts";

/** So many computations in a row for nothing else than what the one before gave are a loop. */
const rounds = 3;

/** What is told of a node that is in a loop and is not to be computed; undefined of one that is not. */
export async function loopOf(node: Node, nodes: readonly Node[], data: Data): Promise<UserError | undefined> {
  const way = wayBack(node, nodes, data);
  if (way === undefined || (await roundsOf(node, data)) < rounds) return undefined;
  const [source = ""] = way.slice(-1);
  return inputError({
    code: "data-loop",
    message: `The node ${node.id.slice(0, 8)} runs in a loop: ${rounds} times in a row nothing had changed in the source ${source} but what came from the node itself: ${way.join(" → ")}`,
    at: [],
    hint: "Give its results to a place apart from what it takes; it runs again when something else changes",
  });
}

/** From a node over what it gives, and what lies in the same place, to what it takes; in names. */
function wayBack(node: Node, nodes: readonly Node[], { sources, workspace }: Data): readonly string[] | undefined {
  const byName = new Map(sources.map((source) => [source.name, source]));
  const changed = (one: Node): readonly string[] => {
    const given = givenBy(one).flatMap((name) => withParts(name, sources));
    const places = given.map((name) => byName.get(name)).filter((source) => source !== undefined);
    return [...given, ...meeting(places, sources, workspace.root).flatMap(({ name }) => withParts(name, sources))];
  };
  const open: { readonly node: Node; readonly way: readonly string[] }[] = [{ node, way: [node.id.slice(0, 8)] }];
  const seen = new Set([node]);
  for (const { node: one, way } of open) {
    const all = changed(one);
    const back = all.find((name) => node.inputs.includes(name));
    if (back !== undefined) return [...way, back];
    for (const next of nodes) {
      const by = all.find((name) => next.inputs.includes(name));
      if (by === undefined || seen.has(next)) continue;
      seen.add(next);
      open.push({ node: next, way: [...way, by, next.id.slice(0, 8)] });
    }
  }
  return undefined;
}

/** How many computations of the node in a row lie behind its inputs, each of which nothing but the one before has changed. */
async function roundsOf(node: Node, data: Data): Promise<number> {
  const inputs = (await inputsOf(node, data)).map(({ datum }) => datum);
  const parents = new Map<string, DatumKey[]>();
  for (const input of inputs) note(await data.store.lineages.trace(input), parents);
  let count = 0;
  for (let now: readonly DatumKey[] = inputs; count < rounds; count++) {
    const before = computationsBehind(now, node, parents).find((one) => isAllBy(one, now, node, parents));
    if (before === undefined) break;
    now = parents.get(textOf(before)) ?? [];
  }
  return count;
}

function note(lineage: Lineage | undefined, parents: Map<string, DatumKey[]>): void {
  for (const { child, parent, kind } of lineage?.edges ?? []) {
    // What was there before is no reason for what is there now.
    if (kind === "before" || kind === "link") continue;
    const known = parents.get(textOf(child)) ?? [];
    if (!known.some((one) => textOf(one) === textOf(parent))) known.push(parent);
    parents.set(textOf(child), known);
  }
}

/** Whether all that is not as a computation took it has come from that one. */
function isAllBy(computation: DatumKey, now: readonly DatumKey[], node: Node, parents: ReadonlyMap<string, readonly DatumKey[]>): boolean {
  const taken = new Set((parents.get(textOf(computation)) ?? []).map(textOf));
  const changed = now.filter((one) => !taken.has(textOf(one)));
  return changed.every((one) => computationsBehind([one], node, parents).some((found) => textOf(found) === textOf(computation)));
}

/** The nearest computations of a node that data come from. */
function computationsBehind(data: readonly DatumKey[], node: Node, parents: ReadonlyMap<string, readonly DatumKey[]>): readonly DatumKey[] {
  const found: DatumKey[] = [];
  const open = [...data];
  const seen = new Set<string>();
  for (let one = open.pop(); one !== undefined; one = open.pop()) {
    if (seen.has(textOf(one))) continue;
    seen.add(textOf(one));
    if (one.kind === "computation" && one.name === node.id) found.push(one);
    else open.push(...(parents.get(textOf(one)) ?? []));
  }
  return found;
}

function textOf({ kind, name, id }: DatumKey): string {
  return `${kind} ${name} ${id}`;
}
