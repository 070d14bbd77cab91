// Hands on what a task left in /out: the script of a step of its own, so that images of tasks need no shell.
import type { TargetOutput } from "./target.ts";

/** A file or directory of /out, and the directory that it goes into: a file keeps its name there, of a directory it is the contents. */
export interface HandedOn {
  readonly from: string;
  readonly to: string;
}

/** Arguments of a process in the helper image. It fails when the task left nothing; what lay there before is gone, and /out is empty after it. */
export function handOn(task: string, outputs: readonly HandedOn[]): string[] {
  const clear = (dir: string): string => `rm -rf ${dir}/* ${dir}/.[!.]* ${dir}/..?*`;
  const script = [
    "take() {",
    `  [ -e "$1" ] || { echo "${task} left nothing at $1" >&2; exit 1; }`,
    `  mkdir -p "$2"; ${clear('"$2"')}`,
    '  if [ -d "$1" ]; then cp -a "$1/." "$2"; else cp -a "$1" "$2"; fi',
    "}",
    ...outputs.map(({ from, to }) => `take ${quoted(from)} ${quoted(to)}`),
    clear("/out"),
  ];
  return ["sh", "-euc", `${script.join("\n")}\n`];
}

/** Where the helper has the volume of an output. */
export function placeOf({ volume }: Pick<TargetOutput, "volume">): string {
  return `/given/${volume}`;
}

function quoted(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
