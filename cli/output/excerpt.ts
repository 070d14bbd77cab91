// The source line that an error points at, with a marker below it.
import { closeSync, openSync, readSync } from "node:fs";
import { resolve } from "node:path";
import type { Position } from "../../engine/index.ts";
import { clean } from "./lines.ts";
import type { Style } from "./style.ts";
import { expandTabs, width } from "./width.ts";

/** Gives one line of a file (counted from 1) as bytes, or undefined when there is no such file or line. */
export type ReadLine = (file: string, line: number) => Uint8Array | undefined;

/** No CUE file that a person reads is larger; anything beyond is not searched. */
const largestFile = 8 * 1024 * 1024;

/** Reads lines from disk, each file once; relative names start at `cwd`. */
export function createLineReader(cwd: string): ReadLine {
  const files = new Map<string, Buffer | undefined>();
  return (file, line) => {
    if (!files.has(file)) files.set(file, readStart(resolve(cwd, file)));
    const content = files.get(file);
    return content === undefined ? undefined : findLine(content, line);
  };
}

function readStart(file: string): Buffer | undefined {
  try {
    const descriptor = openSync(file, "r");
    try {
      const content = Buffer.alloc(largestFile);
      let filled = 0;
      for (let count = -1; count !== 0 && filled < largestFile; filled += count)
        count = readSync(descriptor, content, filled, largestFile - filled, null);
      return content.subarray(0, filled);
    } finally {
      closeSync(descriptor);
    }
  } catch {
    // The place may be a flag (`-i name`) or a file of the embedded library: the message stands without its line.
    return undefined;
  }
}

function findLine(content: Buffer, line: number): Uint8Array | undefined {
  let start = 0;
  for (let current = 1; current < line; current++) {
    const end = content.indexOf(10, start);
    if (end === -1) return undefined;
    start = end + 1;
  }
  const end = content.indexOf(10, start);
  return content.subarray(start, end === -1 ? content.length : end);
}

/** What stands at the marked place: a quoted string, a name, or one character. Compiled when there is an error to show. */
const token = (text: string): string => /^(?:"(?:[^"\\]|\\.)*"|[\p{L}\p{N}_$#]+|.)/u.exec(text)?.[0] ?? "";

/**
 * Lines to print for one place: `--> file:line:column`, and the line with a marker when it can be read.
 * `gutter` is the width of the line-number column; `columns` that of the terminal.
 */
export function excerpt(at: Position, readLine: ReadLine, style: Style, gutter: number, columns: number): string[] {
  const pad = " ".repeat(gutter);
  const head = `${pad}${style.blue("-->")} ${formatPosition(at)}`;
  const raw = at.line > 0 ? readLine(at.file, at.line) : undefined;
  if (raw === undefined || raw.length === 0) return [head];
  // CUE counts columns in bytes; a terminal shows characters.
  const before = shown(raw.subarray(0, Math.max(0, at.column - 1)));
  const line = shown(raw);
  const marked = token(line.slice(before.length));
  const window = clip(line, width(before), columns - gutter - 5);
  const marker = "^".repeat(Math.max(1, Math.min(width(marked), columns - gutter - 5 - window.start)));
  const bar = style.blue("|");
  return [
    head,
    `${pad} ${bar}`,
    `${style.blue(String(at.line).padStart(gutter))} ${bar} ${window.text}`,
    `${pad} ${bar} ${" ".repeat(window.start)}${style.red(marker)}`,
  ];
}

export function formatPosition(at: Position): string {
  if (at.line <= 0) return clean(at.file);
  return `${clean(at.file)}:${at.line}:${at.column}`;
}

function shown(bytes: Uint8Array): string {
  return clean(expandTabs(new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes).replace(/\r$/, "")).replaceAll("\ufeff", ""));
}

/** The part of a long line around column `start`, with `…` where it is cut. */
function clip(line: string, start: number, columns: number): { text: string; start: number } {
  const room = Math.max(20, columns);
  if (width(line) <= room) return { text: line, start };
  const chars = [...line];
  const from = Math.max(0, start - Math.floor(room / 2));
  const cut = chars.slice(from, from + room - 2);
  const tail = from + room - 2 < chars.length ? "…" : "";
  return { text: `${from > 0 ? "…" : ""}${cut.join("")}${tail}`, start: start - from + (from > 0 ? 1 : 0) };
}
