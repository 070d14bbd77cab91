// docs/cli.md tells what --help tells: its second part is made from the command tree and the samples in testdata/samples.
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Command } from "commander";
import { memoryIo } from "../test/support/memory-io.ts";
import { pathOf } from "./program/command.ts";
import { createProgram } from "./program/program.ts";
import { run } from "./run.ts";

const file = join(import.meta.dirname, "../docs/cli.md");
const marker = "<!-- From here on this page is made from the commands' help: `UPDATE=1 node --import tsx --test cli/docs.test.ts`. -->\n";

function commands(command: Command): Command[] {
  return command.commands.flatMap((child) => [child, ...commands(child)]);
}

/** What the command prints, from a real run; kept beside this test. */
function sample(path: string): string {
  const name = join(import.meta.dirname, "testdata/samples", `${path.replaceAll(" ", "-")}.txt`);
  return existsSync(name) ? `\nFor example:\n\n\`\`\`console\n${readFileSync(name, "utf8")}\`\`\`\n` : "";
}

async function generate(): Promise<string> {
  const sections: string[] = [];
  const signal = new AbortController().signal;
  for (const command of commands(createProgram({ io: memoryIo(), signal }))) {
    const path = pathOf(command);
    const io = memoryIo();
    assert.equal(await run([...path.split(" ").slice(1), "--help"], io, signal), 0);
    sections.push(`## ${path}\n\n\`\`\`text\n${io.stdout.text.trimEnd()}\n\`\`\`\n${sample(path)}`);
  }
  return sections.join("\n");
}

test("docs/cli.md has every command as its help says; UPDATE=1 rewrites it", async () => {
  const page = readFileSync(file, "utf8");
  const cut = page.indexOf(marker);
  assert.ok(cut !== -1, `${file} has lost the line that says where the generated part begins`);
  const wanted = `${page.slice(0, cut)}${marker}\n${await generate()}`;
  if (process.env["UPDATE"] === "1") writeFileSync(file, wanted);
  else assert.equal(page, wanted);
});

test("every command that prints a result has a sample", () => {
  const without = commands(createProgram({ io: memoryIo(), signal: new AbortController().signal }))
    .filter((command) => command.commands.length === 0)
    .map(pathOf)
    .filter((path) => sample(path) === "");
  assert.deepEqual(without, []);
});

test("docs/embedding.md says of every command which call of the engine does the same, or that none does", () => {
  const page = readFileSync(join(import.meta.dirname, "../docs/embedding.md"), "utf8");
  const rows = page.slice(page.indexOf("| command | call |")).split("\n").slice(2);
  const told = rows.flatMap((row) => [...(row.split("|")[1] ?? "").matchAll(/`([a-z]+)`/g)].map(([, name = ""]) => name));
  const { commands: all } = createProgram({ io: memoryIo(), signal: new AbortController().signal });
  assert.deepEqual(
    all.map((command) => command.name()).filter((name) => !told.includes(name)),
    [],
  );
});
