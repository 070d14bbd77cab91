// Reads pages of docs/ as tests run them: the files that they give, the commands that they show, and what these print.
import { readFileSync } from "node:fs";

/** A fenced block of code. */
export interface Block {
  /** The word after the fence, e.g. `cue`; empty without one. */
  readonly language: string;
  /** The path of the file that it is: the last word of the paragraph before it, when that is code and ends with a colon. */
  readonly file?: string;
  readonly text: string;
  /** Line of the page, from 1, that its text begins in. */
  readonly line: number;
}

/** A command of a `console` block, and what the page says that it prints (stdout and stderr together). */
export interface ShownCommand {
  readonly command: string;
  readonly output: string;
  readonly line: number;
}

/** The fenced blocks of a page, in order. */
export function readBlocks(path: string): Block[] {
  const lines = readFileSync(path, "utf8").split("\n");
  const blocks: Block[] = [];
  let open: { language: string; file?: string; from: number } | undefined;
  for (const [index, line] of lines.entries()) {
    const fence = /^```(\w*)$/.exec(line);
    if (fence === null) continue;
    if (open === undefined) {
      const before = lines.slice(0, index).findLast((text) => text !== "");
      const file = /`([^`\s]+)`:$/.exec(before ?? "")?.[1];
      open = { language: fence[1] ?? "", from: index + 1, ...(file === undefined ? {} : { file }) };
    } else {
      const { from, ...rest } = open;
      blocks.push({ ...rest, text: `${lines.slice(from, index).join("\n")}\n`, line: from + 1 });
      open = undefined;
    }
  }
  if (open !== undefined) throw new Error(`${path}:${open.from}: a block is never closed`);
  return blocks;
}

/** The commands of a `console` block: lines with `$ `; those that end with a backslash go on in the next. */
export function readCommands(block: Block): ShownCommand[] {
  const commands: { command: string; output: string[]; line: number }[] = [];
  for (const [index, line] of block.text.trimEnd().split("\n").entries()) {
    const last = commands.at(-1);
    if (line.startsWith("$ ")) commands.push({ command: line.slice(2), output: [], line: block.line + index });
    else if (last === undefined) throw new Error(`line ${block.line + index} is before the first command`);
    else if (last.output.length === 0 && last.command.endsWith("\\")) last.command += `\n${line}`;
    else last.output.push(line);
  }
  return commands.map(({ command, output, line }) => ({ command, output: output.join("\n"), line }));
}

/** Whether `shown` is what a page says. `…` stands for any text: alone in a line for any lines, else for any part of the line. */
export function isAsShown(wanted: string, shown: string): boolean {
  const pattern = wanted
    .split("\n")
    .map((line) => (line.trim() === "…" ? "(?:.*\\n)*?" : `${line.split("…").map(literal).join(".*")}\\n`))
    .join("");
  return new RegExp(`^${pattern}$`).test(stable(`${shown.trimEnd()}\n`));
}

const literal = (text: string): string => stable(text).replace(/[$()*+.?[\\\]^{|}]/g, "\\$&");

/** Without what differs from run to run: durations, and blanks at the ends of lines. */
function stable(text: string): string {
  return text.replace(/\b\d+(?:\.\d+)?m?s\b/g, "<time>").replace(/[ \t]+$/gm, "");
}
