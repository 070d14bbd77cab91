// The graph of sources and nodes: edges lie between a node and a source only, and nothing comes from itself.
import { inputError } from "../../compiler/index.ts";
import { type Source, unknownSource } from "../sources/source.ts";
import type { Node } from "./node.ts";

/** Sources that a node gives. One that names none gives a source of its own, so that nodes never meet without a source between them. */
export function givenBy({ id, outputs }: Pick<Node, "id" | "outputs">): readonly string[] {
  return outputs.length > 0 ? outputs : [`node-${id.slice(0, 8)}`];
}

/** Throws UserError (2) `compute-edge`, `unknown-source`, `data-cycle`. */
export function checkNode(node: Node, sources: readonly Source[], nodes: readonly Node[]): void {
  const names = new Set(sources.map(({ name }) => name));
  for (const name of [...node.inputs, ...node.outputs]) {
    if (names.has(name)) continue;
    const met = /^[0-9a-f]{4,64}$/.test(name) ? nodes.find(({ id }) => id.startsWith(name)) : undefined;
    if (met === undefined) throw unknownSource(name, [...names]);
    const hint = `Take what it gives: --input ${givenBy(met).join(",")}`;
    const message = `A node cannot take or give the node ${name}: between two nodes there is a source`;
    throw inputError({ code: "compute-edge", message, at: [], hint });
  }
  const others = nodes.filter(({ id }) => id !== node.id);
  const circle = findCircle([...others, node], sources, node.inputs);
  if (circle === undefined) return;
  const message = `The node would take what comes from it: ${circle.join(" → ")}`;
  throw inputError({ code: "data-cycle", message, at: [], hint: "Give its results to another source" });
}

/** Nodes in an order in which each comes after those whose results it takes. Throws UserError (2) `data-cycle`. */
export function inOrder(nodes: readonly Node[], sources: readonly Source[]): readonly Node[] {
  const done: Node[] = [];
  let open = nodes;
  while (open.length > 0) {
    const ready = open.filter((node) => takenBefore(node, open, sources).length === 0);
    if (ready.length === 0) {
      const message = `Nodes take each other's results: ${open.map(({ id }) => id.slice(0, 8)).join(", ")}`;
      throw inputError({ code: "data-cycle", message, at: [], hint: "Remove one of them: dagger node remove ID" });
    }
    done.push(...ready);
    open = open.filter((node) => !ready.includes(node));
  }
  return done;
}

/** Those of these nodes whose results a node takes. */
export function takenBefore(node: Node, nodes: readonly Node[], sources: readonly Source[]): readonly Node[] {
  return nodes.filter((other) => other !== node && feeds(other, node, sources));
}

/** These nodes and all that take what comes from them. */
export function withFollowers(start: readonly Node[], nodes: readonly Node[], sources: readonly Source[]): readonly Node[] {
  const found = new Set(start);
  for (const one of found) for (const node of nodes) if (feeds(one, node, sources)) found.add(node);
  return nodes.filter((node) => found.has(node));
}

function feeds(from: Node, to: Node, sources: readonly Source[]): boolean {
  const given = new Set(givenBy(from).flatMap((name) => withParts(name, sources)));
  return to.inputs.some((name) => given.has(name));
}

/** A source and those that are parts of it: they change with it. */
export function withParts(name: string, sources: readonly Source[]): readonly string[] {
  const found = new Set([name]);
  for (const one of found) for (const source of sources) if (source.parent === one) found.add(source.name);
  return [...found];
}

/** From one of the sources back to it, in names; undefined where there is no such way. */
function findCircle(nodes: readonly Node[], sources: readonly Source[], starts: readonly string[]): readonly string[] | undefined {
  for (const start of starts) {
    const open: (readonly string[])[] = withParts(start, sources).map((name) => (name === start ? [start] : [start, name]));
    const seen = new Set<string>();
    for (let path = open.pop(); path !== undefined; path = open.pop()) {
      const last = path.at(-1) ?? "";
      if (seen.has(last)) continue;
      seen.add(last);
      for (const node of nodes.filter(({ inputs }) => inputs.includes(last))) {
        for (const name of givenBy(node).flatMap((given) => withParts(given, sources))) {
          const longer = [...path, node.id.slice(0, 8), name];
          if (name === start) return longer;
          open.push(longer);
        }
      }
    }
  }
  return undefined;
}
