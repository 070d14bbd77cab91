// `.dockerignore`: the patterns of a file, as docker reads them.

/** Patterns in the file's order, cleaned; comments and blank lines are left out. Throws nothing: what is no pattern is taken as a name. */
export function readIgnoreFile(bytes: Uint8Array): string[] {
  const text = new TextDecoder("utf-8").decode(bytes); // drops a byte order mark
  return text.split(/\r?\n/).flatMap((line) => {
    if (line.startsWith("#")) return [];
    const pattern = line.trim();
    if (pattern === "") return [];
    const negated = pattern.startsWith("!");
    const path = negated ? pattern.slice(1).trim() : pattern;
    const clean = cleanPattern(path);
    return clean === "" ? [] : [`${negated ? "!" : ""}${clean}`];
  });
}

/** As Go's filepath.Clean, without a slash in front: patterns start at the context's root. */
function cleanPattern(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === ".." && parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else parts.push(part);
  }
  return parts.length === 0 && path !== "" ? "." : parts.join("/");
}
