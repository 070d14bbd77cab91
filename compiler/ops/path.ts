// Paths on the client, as far as text alone can tell: the compiler never looks at the disk.
import { cleanPath } from "../llb/index.ts";

export function parentPath(path: string): string {
  return cleanPath(`${path}/..`);
}

/** `path` relative to `root` ("." for the root itself); undefined when it lies outside. Both are absolute. */
export function relativeInside(root: string, path: string): string | undefined {
  const base = cleanPath(root);
  const full = cleanPath(path);
  if (full === base) return ".";
  const prefix = base === "/" ? "/" : `${base}/`;
  return full.startsWith(prefix) ? full.slice(prefix.length) : undefined;
}
