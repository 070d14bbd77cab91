// The process: exit codes, signals and closed pipes, each with a real one.
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";

const main = join(import.meta.dirname, "main.ts");
const node = (...argv: string[]) => ["--import", "tsx", main, ...argv];

interface Ended {
  readonly code: number | null;
  readonly stderr: string;
}

async function ended(child: ChildProcess): Promise<Ended> {
  const stderr: Buffer[] = [];
  child.stderr?.on("data", (data: Buffer) => stderr.push(data));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stderr: Buffer.concat(stderr).toString() };
}

async function inTempDir(work: (dir: string) => Promise<void>): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), "dagger-main-"));
  try {
    await work(dir);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

test("the process ends with the exit code of the command line", () => {
  assert.equal(spawnSync(process.execPath, node("upp")).status, 2);
  assert.equal(spawnSync(process.execPath, node("version")).status, 0);
});

test("a reader that goes away is no error", async () => {
  const child = spawn(process.execPath, node("completion", "bash"), { stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.destroy();
  assert.deepEqual(await ended(child), { code: 0, stderr: "" });
});

test("Ctrl-C while a daemon does not answer ends the run with 130 and one message", async () => {
  await inTempDir(async (dir) => {
    writeFileSync(join(dir, "up.cue"), 'package up\napp: #up: [{do: "scratch"}]\n');
    const silent = createServer().listen(0, "127.0.0.1");
    try {
      await once(silent, "listening");
      const { port } = silent.address() as AddressInfo;
      const child = spawn(process.execPath, node("up", dir, "--progress", "quiet", "--buildkit", `tcp://127.0.0.1:${port}`), {
        stdio: ["ignore", "ignore", "pipe"],
      });
      const end = ended(child);
      await once(silent, "connection");
      child.kill("SIGINT");
      const { code, stderr } = await end;
      assert.equal(code, 130, stderr);
      assert.match(stderr, /error\[interrupted\]/);
      assert.doesNotMatch(stderr, /\n {4}at /);
    } finally {
      silent.close();
    }
  });
});

test("an address where nothing listens is the environment's fault: exit 3, as data too", async () => {
  await inTempDir(async (dir) => {
    writeFileSync(join(dir, "up.cue"), 'package up\napp: #up: [{do: "scratch"}]\n');
    const address = `unix://${join(dir, "none.sock")}`;
    const { status, stdout, stderr } = spawnSync(process.execPath, node("up", dir, "--output", "json", "--buildkit", address), {
      encoding: "utf8",
    });
    assert.equal(status, 3, stderr);
    const failure = JSON.parse(stdout) as { exit: number; diagnostics: { code: string }[] };
    assert.equal(failure.exit, 3);
    assert.equal(failure.diagnostics[0]?.code, "no-daemon");
    assert.match(stderr, /error\[no-daemon\]/);
  });
});

test("the log of a daemon can be followed until Ctrl-C, which is no failure", async () => {
  await inTempDir(async (dir) => {
    const env = { ...process.env, DAGGER_CACHE_DIR: dir };
    const { log } = JSON.parse(
      spawnSync(process.execPath, node("engine", "status", "--output", "json"), { encoding: "utf8", env }).stdout,
    ) as { log: string };
    mkdirSync(dirname(log), { recursive: true });
    writeFileSync(log, "hello from the daemon\n");
    const child = spawn(process.execPath, node("engine", "logs", "-f"), { stdio: ["ignore", "pipe", "pipe"], env });
    const end = ended(child);
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    assert.equal(line.toString(), "hello from the daemon\n");
    child.kill("SIGINT");
    assert.deepEqual(await end, { code: 0, stderr: "" });
  });
});
