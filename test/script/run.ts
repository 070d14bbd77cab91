// Runs one script: its commands in order, each failure with the line that it came from.
import { readFileSync, writeFileSync } from "node:fs";
import { formatTxtar, parseTxtar } from "../support/txtar.ts";
import { type Call, commands } from "./commands.ts";
import { type Command, expand, parseScript } from "./parse.ts";
import { type Shared, World } from "./world.ts";

/** Runs the archive `file`; rejects with an Error that starts with `file:line: command`. With `update`, `cmp` rewrites the archive's files instead of failing. */
export async function runScript(file: string, shared: Shared, update = false): Promise<void> {
  const archive = parseTxtar(readFileSync(file, "utf8"));
  const rewritten = new Map(archive.files);
  const world = new World(archive, shared);
  const rewrite = (name: string, content: string): void => {
    if (!rewritten.has(name)) throw new Error(`${name} is no file of the archive: it cannot be updated`);
    rewritten.set(name, content);
  };
  try {
    for (const command of parseScript(archive.comment)) {
      if (command.name === "stop") break;
      await step(file, command, world, update ? rewrite : undefined);
    }
    for (const [name, { ended }] of world.background) throw new Error(`${file}: nobody waited for ${name}\n${(await ended).stderr}`);
  } finally {
    await world.end();
  }
  if ([...rewritten].some(([name, content]) => archive.files.get(name) !== content))
    writeFileSync(file, formatTxtar({ comment: archive.comment, files: rewritten }));
}

async function step(file: string, command: Command, world: World, update: Call["update"]): Promise<void> {
  try {
    const run = commands[command.name];
    if (!run) throw new Error(`there is no command ${command.name}`);
    const args = command.args.map((word) => expand(word, world.env));
    const { expect, background } = command;
    await run({ world, args, expect, ...(background === undefined ? {} : { background }), ...(update ? { update } : {}) });
  } catch (cause) {
    throw new Error(`${file}:${command.line}: ${command.text}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
