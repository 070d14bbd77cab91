// docs/tour.md and README.md do what they say: their files are written, their commands run in order, and what they print is what stands there.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { isAsShown, readBlocks, readCommands, type ShownCommand } from "../support/pages.ts";
import { type Bench, repository, startBench } from "./dagger.ts";

const page = join(repository, "docs/tour.md");
let bench: Bench;
let cwd: string;
let env: Record<string, string>;

before(async () => {
  bench = await startBench();
  cwd = bench.dir;
  env = {
    PATH: `${join(repository, "bin")}:${process.env["PATH"] ?? ""}`,
    HOME: bench.dir,
    DAGGER_DATA_DIR: join(bench.dir, "data"),
    BUILDKIT_HOST: bench.daemon.address,
    NO_COLOR: "1",
  };
});
after(() => bench?.end());

/** What a shell prints for it, on both streams in order. */
function shell(command: string): Promise<{ code: number; shown: string }> {
  return new Promise((done) => {
    execFile("bash", ["-c", `exec 2>&1; ${command}`], { cwd, env, maxBuffer: 1 << 26 }, (error, stdout) => {
      done({ code: error === null ? 0 : typeof error.code === "number" ? error.code : -1, shown: stdout });
    });
  });
}

async function run({ command, output, line }: ShownCommand, from = "docs/tour.md"): Promise<void> {
  const place = `${from}:${line}: ${command}`;
  const moved = /^cd (\S+)$/.exec(command)?.[1];
  const variable = /^export (\w+)=(\S+)$/.exec(command);
  if (moved !== undefined) cwd = resolve(cwd, moved);
  else if (variable !== null) env[variable[1] ?? ""] = variable[2] ?? "";
  else {
    const { code, shown } = await shell(command);
    assert.equal(code, /^error\[/m.test(output) ? 2 : 0, `${place}: exit code ${code}\n${shown}`);
    // A page may leave out all that a command says; what it does show is all of it.
    if (output !== "") assert.ok(isAsShown(output, shown), `${place} prints\n${shown}`);
  }
}

test("every command of the tour does what the page shows", async () => {
  const blocks = readBlocks(page);
  let commands = 0;
  for (const block of blocks) {
    if (block.file !== undefined && !existsSync(join(cwd, block.file))) {
      mkdirSync(dirname(join(cwd, block.file)), { recursive: true });
      writeFileSync(join(cwd, block.file), block.text);
    } else if (block.file !== undefined) {
      assert.equal(
        readFileSync(join(cwd, block.file), "utf8").trimEnd(),
        block.text.trimEnd(),
        `docs/tour.md:${block.line}: ${block.file}`,
      );
    } else if (block.language === "console") {
      for (const command of readCommands(block)) {
        await run(command);
        commands += 1;
      }
    }
  }
  assert.ok(commands > 15, `only ${commands} commands were found`);
});

test("no secret of the tour is in what it leaves behind", async () => {
  const { shown } = await shell(`grep -rl "$SEAL_KEY" . || true`);
  assert.equal(shown, "");
  assert.equal(bench.dir, dirname(cwd));
});

test("the commands of README.md print what stands there", async () => {
  cwd = repository;
  const commands = readBlocks(join(repository, "README.md")).flatMap((block) => (block.language === "console" ? readCommands(block) : []));
  assert.ok(commands.length > 3, "the commands were not found");
  for (const command of commands) await run(command, "README.md");
});
