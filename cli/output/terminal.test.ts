// The terminal display on a real pseudo-terminal, made by `script` of util-linux.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { width } from "./width.ts";

const source = (name: string) => JSON.stringify(pathToFileURL(join(import.meta.dirname, name)).href);

/** A run that lasts until its display was drawn a few times. */
const program = (ending: string) => `
import { processIo } from ${source("../io.ts")};
import { createProgress } from ${source("create.ts")};
const io = processIo();
const progress = createProgress("tty", io);
const step = { digest: "sha256:1", name: "exec make a very long target name that does not fit", component: "app.build", at: [] };
progress.event({ type: "phase", phase: "solve" });
progress.event({ type: "plan", steps: [step] });
progress.event({ type: "step", step, state: "started", started: Date.now() });
for (let n = 0; n < 20; n++) {
  progress.event({ type: "log", step, stream: 1, data: Buffer.from("line " + n + " \\x1b[2J日本 " + "x".repeat(60) + "\\n"), time: Date.now() });
  await new Promise((done) => setTimeout(done, 30));
}
progress.event({ type: "step", step, state: ${ending}, completed: Date.now() });
`;

function onTerminal(body: string): string {
  const dir = mkdtempSync(join(tmpdir(), "dagger-terminal-"));
  try {
    const file = join(dir, "program.mts");
    writeFileSync(file, body);
    const tsx = import.meta.resolve("tsx");
    const command = `stty cols 50 rows 12; exec ${process.execPath} --import ${tsx} ${file}`;
    const { stdout, status } = spawnSync("script", ["-qec", command, "/dev/null"], {
      encoding: "utf8",
      env: { ...process.env, TERM: "xterm", NO_COLOR: "1" },
      input: "",
    });
    assert.equal(status, 0, stdout);
    return stdout;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

test("lines fit the terminal, logs cannot move the cursor, and the cursor comes back", () => {
  const text = onTerminal(`${program('"done"')}; progress.finish("done"); progress.finish("done");`);
  assert.equal(text.split("\x1b[?25l").length, 2);
  assert.ok(text.indexOf("\x1b[?25h") > text.lastIndexOf("[+] Finished"));
  assert.ok(!text.includes("\x1b[2J"));
  for (const line of text.replaceAll(/\x1b\[\??\d*[a-zA-Z]/g, "").split(/\r?\n|\r/)) assert.ok(width(line) <= 50, line);
  assert.match(text, / => => # line \d+ 日本 x+…/);
  assert.match(text, /\[\+\] Running \d\.\ds \(0\/1\)/);
});

test("the log of a failed step follows the last picture in full", () => {
  const text = onTerminal(`${program('"error", error: "exit code: 7"')}; progress.finish("failed");`);
  const after = text.slice(text.lastIndexOf("\x1b[?25h"));
  for (let n = 0; n < 20; n++) assert.ok(after.includes(`line ${n} `), `line ${n}`);
});
