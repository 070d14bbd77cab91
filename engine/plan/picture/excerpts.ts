// Lines of files around a place, for pages.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Position } from "../../../compiler/index.ts";
import type { Excerpt } from "./page-data.ts";

/** What a page knows of a place. */
interface ShownPlace {
  readonly at?: string;
  readonly source?: Excerpt;
}

/** Reads each file once; they are relative to `cwd`. Of files that are not there any more (or lie inside of dagger) only the place is told. */
export function excerpts(cwd: string): (at: Position | undefined) => ShownPlace & { readonly at?: string } {
  const files = new Map<string, readonly string[]>();
  return (at) => {
    if (at === undefined) return {};
    const { file, line } = at;
    let lines = files.get(file);
    if (lines === undefined) {
      lines = readLines(resolve(cwd, file));
      files.set(file, lines);
    }
    const first = Math.max(1, line - 2);
    const source = line > lines.length ? {} : { source: { first, line, lines: lines.slice(first - 1, line + 6) } };
    return { at: showPlace(at), ...source };
  };
}

export function showPlace({ file, line, column }: Position): string {
  return `${file}:${line}:${column}`;
}

function readLines(file: string): readonly string[] {
  try {
    return readFileSync(file, "utf8").split("\n");
  } catch {
    return [];
  }
}
