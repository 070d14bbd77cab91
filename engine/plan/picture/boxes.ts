// Which component each part is drawn in: the outermost one around it, or one that its package wants to be seen by itself.
import type { Part } from "../../../compiler/index.ts";

/**
 * The path of the box for each path of a part; null for parts that are drawn nowhere. A component with boxes inside is drawn itself only
 * where `stands` says that it has something of its own.
 */
export function boxesOf(parts: readonly Part[], stands: (path: string) => boolean): ReadonlyMap<string, string | null> {
  const byPath = new Map(parts.map((part) => [part.path, part]));
  const around = new Map(parts.map(({ path }) => [path, chainOf(path, byPath)]));
  // Outermost components that have a box inside.
  const frames = new Set(parts.flatMap(({ path, box }) => (box ? (around.get(path) ?? []).slice(0, 1) : [])));
  return new Map(
    parts.map(({ path }): [string, string | null] => {
      const chain = [...(around.get(path) ?? []), path];
      const own = chain.findLast((one) => byPath.get(one)?.box === true);
      const [outer = path] = chain;
      if (own !== undefined) return [path, own];
      if (!frames.has(outer)) return [path, outer];
      return [path, path === outer && stands(path) ? path : null];
    }),
  );
}

/** The components that one lies in, from the outside. A config that is one component has the others beside it. */
function chainOf(path: string, byPath: ReadonlyMap<string, Part>): string[] {
  const found: string[] = [];
  for (let at = 1; at < path.length; at++) {
    if (path[at] !== "." && path[at] !== "[") continue;
    const before = path.slice(0, at);
    if (byPath.has(before)) found.push(before);
  }
  return found;
}
