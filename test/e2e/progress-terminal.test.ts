// The picture of a run in a real pseudo-terminal that is made narrower meanwhile, as an emulator of a terminal shows it.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Emulator } from "../support/emulator.ts";
import { TestTerminal } from "../support/terminal.ts";
import { type Bench, repository, startBench } from "./dagger.ts";

const names = Array.from({ length: 12 }, (_, index) => `service${index}`);
let bench: Bench;
/** The components' processes: each logs what it is sent, and ends when it is hung up on. */
const callers = new Set<Socket>();
const server = createServer({ allowHalfOpen: true }, (socket) => {
  callers.add(socket);
  socket.on("error", () => undefined);
});

before(async () => {
  bench = await startBench();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const call = `{do: "exec", network: "host", args: ["nc", "127.0.0.1", "${(server.address() as AddressInfo).port}"], always: true}`;
  const fields = names.map((name) => `${name}: #up: [_image, {do: "env", env: NAME: "${name}"}, ${call}]`);
  mkdirSync(join(bench.dir, "app"));
  const image = '_image: {do: "fetch-container", ref: "busybox"}';
  writeFileSync(join(bench.dir, "app/app.cue"), `package app\n${image}\n${fields.join("\n")}\n`);
});
after(async () => {
  server.close();
  await bench.end();
});

/** The redraw for a new width clears all below first. */
const redrawn = /\x1b\[\d+A\x1b\[J\x1b\[K/;

/** Runs a job of twelve components, makes the terminal narrower step by step, and gives all rows at the end. */
async function shrink(line: string, rows: number, widths: readonly number[]): Promise<string[]> {
  const [first = 80, ...others] = widths;
  const emulator = new Emulator(first, rows);
  const env = { PATH: process.env["PATH"] ?? "", HOME: bench.dir, DAGGER_DATA_DIR: join(bench.dir, "data"), TERM: "xterm" };
  const args = ["sh", "-c", `echo before; exec ${join(repository, "bin/dagger")} up app`];
  const terminal = new TestTerminal(args, {
    cwd: bench.dir,
    env: { ...env, BUILDKIT_HOST: bench.daemon.address },
    size: { columns: first, rows },
  });
  try {
    await untilAllRun(terminal);
    let written = 0;
    for (const columns of others) {
      for (const caller of callers) caller.write(line);
      const from = terminal.shown.length;
      terminal.resize(columns, rows);
      await terminal.until(redrawn);
      // What dagger wrote before it knew was written for the width of before.
      const at = from + terminal.shown.slice(from).search(redrawn);
      await emulator.write(terminal.shown.slice(written, at));
      written = at;
      emulator.resize(columns, rows);
    }
    hangUp();
    assert.equal(await terminal.ended, 0, terminal.shown);
    await emulator.write(terminal.shown.slice(written));
    return emulator.rows();
  } finally {
    hangUp();
    terminal.kill();
    emulator.end();
  }
}

/** Until one picture shows all components, and all their processes are there. */
async function untilAllRun(terminal: TestTerminal): Promise<void> {
  for (;;) {
    await terminal.until(/\[\+\] Running/);
    const picture = terminal.shown.split("[+]").at(-2) ?? "";
    if (callers.size === names.length && names.every((name) => picture.includes(` ${name} `))) return;
  }
}

function hangUp(): void {
  for (const caller of callers) caller.destroy();
  callers.clear();
}

/** What stands where times stood. */
const calm = (row: string): string => row.replace(/ +\d+\.\ds/g, " <time>");
const pictures = (rows: readonly string[]): number => rows.filter((row) => row.startsWith("[+]")).length;

function checkEnd(rows: readonly string[], columns: number): void {
  const last = rows.findLastIndex((row) => row.startsWith("[+]"));
  const picture = rows.slice(last).map(calm);
  assert.match(picture[0] ?? "", /^\[\+\] Finished <time> \(\d+\/\d+\)$/);
  assert.deepEqual(
    picture
      .slice(1, -1)
      .filter((row) => row.includes("service"))
      .sort(),
    names.map((name) => ` => ${name} <time>`).sort(),
  );
  assert.match(picture.at(-1) ?? "", /^1 pass, 12 steps/);
  for (const row of rows) assert.ok(row.length <= columns, row);
}

test("a terminal that becomes narrower keeps one picture, where there is room for its wrapped lines", async () => {
  const rows = await shrink("", 60, [100, 98, 80, 61, 60]);
  assert.equal(rows[0], "before");
  assert.match(rows[1] ?? "", /^\[\+\] Finished/);
  assert.equal(pictures(rows), 1, rows.join("\n"));
  checkEnd(rows, 60);
});

test("a low terminal that is dragged narrower while twelve components log loses sight of one picture, not of one with every step", async () => {
  const widths = Array.from({ length: 21 }, (_, step) => 100 - 3 * step);
  const rows = await shrink("a line that is wider than the terminal will be at the end of all of this\n", 24, widths);
  assert.equal(rows[0], "before");
  // One; another one where a step comes so late that the drag seemed to be over.
  assert.ok(pictures(rows) <= widths.length / 4, rows.join("\n"));
  checkEnd(rows, 40);
});
