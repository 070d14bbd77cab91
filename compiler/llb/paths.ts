// Paths inside filesystems of the graph, with the rules of Go's package path: so that our ops name files as client/llb does.

/** The shortest equal path: no empty, `.` or resolvable `..` elements, no trailing slash; "" becomes ".". */
export function cleanPath(path: string): string {
  const rooted = path.startsWith("/");
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else if (!rooted) parts.push(part);
  }
  const cleaned = (rooted ? "/" : "") + parts.join("/");
  return cleaned === "" ? "." : cleaned;
}

/** `path` as an absolute, clean path; a relative one starts at `dir`. */
export function resolvePath(dir: string, path: string): string {
  return cleanPath(path.startsWith("/") ? path : `/${dir}/${path}`);
}

/** As resolvePath, but keeps a trailing `/` or `/.`: there it says "into this directory". */
export function resolveDest(dir: string, path: string): string {
  const resolved = resolvePath(dir, path);
  if (path.endsWith("/")) return resolved === "/" ? resolved : `${resolved}/`;
  if (path.endsWith("/.")) return resolved === "/" ? "/." : `${resolved}/.`;
  return resolved;
}
