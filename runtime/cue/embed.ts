// What a CUE file embeds: the files that its @embed attributes name, read from beside it.
import path from "node:path";
import { inputError } from "../../compiler/diagnostic.ts";
import type { Disk } from "./disk.ts";
import type { Embed, Embedded } from "./protocol.ts";

/** Reads what the attributes of a file ask for, each path once. `show` says how the names of files are shown. */
export function embeddedFiles(disk: Disk, file: string, embeds: readonly Embed[], show: (file: string) => string): Embedded[] {
  const dir = path.dirname(file);
  const paths = embeds.flatMap(({ path: wanted, glob }) => (glob ? expand(disk, dir, wanted) : [wanted]));
  return [...new Set(paths)].sort().map((one) => look(disk, dir, one, show));
}

function look(disk: Disk, dir: string, wanted: string, show: (file: string) => string): Embedded {
  const file = path.join(dir, wanted);
  const found = { path: wanted, name: show(file) };
  const kind = disk.kind(file);
  if (kind === "directory") return { ...found, kind };
  if (inOtherModule(disk, dir, wanted)) return { ...found, kind: "elsewhere" };
  if (kind !== "file") return { ...found, kind: "none" };
  try {
    return { ...found, kind, data: disk.read(file).toString("base64") };
  } catch (cause) {
    throw inputError({
      code: "cue-embed",
      message: `Cannot read ${found.name}: ${(cause as Error).message}`,
      at: [{ file: found.name, line: 1, column: 1 }],
      hint: "Make it readable, or take it out of @embed",
    });
  }
}

/** A directory between the CUE file and what it embeds has a cue.mod of its own. */
function inOtherModule(disk: Disk, dir: string, wanted: string): boolean {
  for (let up = path.posix.dirname(wanted); up !== "."; up = path.posix.dirname(up)) {
    if (disk.kind(path.join(dir, up, "cue.mod")) !== "none") return true;
  }
  return false;
}

/** Paths below a directory that match a pattern, element by element. */
function expand(disk: Disk, dir: string, pattern: string): string[] {
  let found = [""];
  for (const element of pattern.split("/")) {
    found = found.flatMap((parent) => {
      const join = (name: string) => (parent === "" ? name : `${parent}/${name}`);
      if (!/[*?[\\]/.test(element)) return disk.kind(path.join(dir, join(element))) === "none" ? [] : [join(element)];
      const matching = matcher(element);
      const hidden = element.startsWith(".");
      const names = disk.entries(path.join(dir, parent)).filter((name) => hidden || !name.startsWith("."));
      return names.filter((name) => matching.test(name)).map(join);
    });
  }
  return found;
}

/** One element of a pattern as Go's path.Match reads it. */
function matcher(element: string): RegExp {
  const quote = (text: string) => text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
  const parts = element.matchAll(/\[\^?(?:\\.|[^\]\\])+\]|\\.|[\s\S]/gu);
  const source = [...parts].map(([part]) => {
    if (part === "*") return "[^/]*";
    if (part === "?") return "[^/]";
    if (part.length > 1 && part.startsWith("[")) return part;
    return quote(part.length > 1 ? part.slice(1) : part);
  });
  return new RegExp(`^${source.join("")}$`, "su");
}
