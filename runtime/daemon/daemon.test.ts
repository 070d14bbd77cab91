// The embedded daemon on the real buildkitd: one for all, replaced when it crashes, gone without a trace when it is stopped.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { UserError } from "../../compiler/diagnostic.ts";
import { builtBinary } from "../../test/support/buildkitd.ts";
import type { Environment } from "../directories.ts";
import { daemonLogs, daemonStatus, ensureDaemon, stopDaemon } from "./daemon.ts";
import { findDaemon } from "./find.ts";
import { cgroupParent } from "./leftovers.ts";
import { locate } from "./location.ts";

const run = promisify(execFile);
const index = new URL("./index.ts", import.meta.url).href;

let home: string;
let env: Environment;

before(async () => {
  home = await mkdtemp(join(tmpdir(), "dagger-embedded-"));
});
beforeEach(async () => {
  env = { PATH: process.env.PATH, HOME: home, DAGGER_CACHE_DIR: await mkdtemp(join(home, "cache-")) };
});
after(async () => {
  await rm(home, { recursive: true, force: true });
});

/** Runs `use` and stops the daemon of `env` whatever happens. */
async function withDaemon(use: () => Promise<void>): Promise<void> {
  try {
    await use();
  } finally {
    await stopDaemon({ env });
  }
}

async function diagnostic(work: Promise<unknown>): Promise<{ exit: number; code: string; message: string; hint: string }> {
  const error = await work.then(
    () => assert.fail("expected an error"),
    (found: unknown) => found,
  );
  assert.ok(error instanceof UserError, String(error));
  const [first] = error.diagnostics;
  return { exit: error.exit, code: first?.code ?? "", message: first?.message ?? "", hint: first?.hint ?? "" };
}

/** A build that keeps a container with a secret running until it is killed. */
async function startSleepingBuild(address: string): Promise<() => void> {
  const context = await mkdtemp(join(home, "context-"));
  await run("cp", ["/bin/busybox", context]);
  await writeFile(join(context, "key"), "a secret");
  const step = 'RUN --mount=type=secret,id=key,required ["/busybox", "sleep", "100000"]';
  await writeFile(join(context, "Dockerfile"), `FROM scratch\nCOPY busybox /\n${step}\n`);
  const dirs = ["--local", `context=${context}`, "--local", `dockerfile=${context}`];
  const flags = ["--frontend", "dockerfile.v0", ...dirs, "--secret", `id=key,src=${join(context, "key")}`];
  const child = spawn(builtBinary("buildctl"), ["--addr", address, "build", ...flags], { stdio: "ignore" });
  return () => child.kill("SIGKILL");
}

/** States of the processes in the containers of this daemon; those that are dead, and only not reaped, do not count. */
async function containers(): Promise<string[]> {
  const mark = `/${cgroupParent(locate(env).root)}/`;
  const { stdout } = await run("sh", [
    "-c",
    `for p in $(grep -ls -- ${mark} /proc/[0-9]*/cgroup); do grep -sH State: "\${p%cgroup}status" | grep -v "Z (zombie)"; done; true`,
  ]);
  return stdout.split("\n").filter((line) => line !== "");
}

/** Mounts of secrets below the directory of the daemon. */
async function secrets(): Promise<string[]> {
  const lines = (await readFile("/proc/self/mountinfo", "utf8")).split("\n");
  return lines.filter((line) => line.includes(` ${locate(env).dir}/tmp/buildkit-secrets`));
}

test("ten processes at once start exactly one daemon, and it outlives them", async () => {
  await withDaemon(async () => {
    const script = `import { ensureDaemon } from ${JSON.stringify(index)}; console.log(JSON.stringify(await ensureDaemon({ env: process.env })));`;
    const calls = Array.from({ length: 10 }, () =>
      run(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], { env: { ...env } }),
    );
    const results = (await Promise.all(calls)).map(({ stdout }) => JSON.parse(stdout) as { address: string; started: boolean });
    assert.equal(results.filter(({ started }) => started).length, 1);
    assert.equal(new Set(results.map(({ address }) => address)).size, 1);
    const { stdout } = await run(builtBinary("buildctl"), ["--addr", results[0]?.address ?? "", "debug", "workers"]);
    assert.match(stdout, /linux\//);
    const status = await daemonStatus({ env });
    assert.ok(status.running && status.ready);
    assert.ok(Math.abs(Date.now() - status.since) < 600_000, "it knows since when it runs");
  });
});

test("a crashed daemon is replaced, its containers end, and its cache survives", async () => {
  await withDaemon(async () => {
    const { address } = await ensureDaemon({ env });
    const first = await daemonStatus({ env });
    assert.ok(first.running);
    const stopBuild = await startSleepingBuild(address);
    while ((await containers()).length === 0) await sleep(50);
    process.kill(first.pid, "SIGKILL");
    while ((await daemonStatus({ env })).running) await sleep(10);
    assert.equal((await secrets()).length, 1, "what BuildKit mounted is still there");
    const again = await ensureDaemon({ env });
    stopBuild();
    assert.deepEqual(again, { address, started: true });
    assert.deepEqual(await containers(), []);
    assert.deepEqual(await secrets(), []);
    const second = await daemonStatus({ env });
    assert.ok(second.running && second.pid !== first.pid);
    const { stdout } = await run(builtBinary("buildctl"), ["--addr", address, "du"]);
    assert.doesNotMatch(stdout, /Total:\s+0B/, "the build context that was sent before the crash is still cached");
  });
});

test("a daemon whose starter died before it wrote down the number is found", async () => {
  await withDaemon(async () => {
    await ensureDaemon({ env });
    const before = await daemonStatus({ env });
    await rm(locate(env).record);
    assert.deepEqual(await daemonStatus({ env }), before);
    assert.equal((await ensureDaemon({ env })).started, false);
  });
});

test("a daemon that hangs is not taken for a ready one", async () => {
  await withDaemon(async () => {
    await ensureDaemon({ env });
    const before = await daemonStatus({ env });
    assert.ok(before.running);
    process.kill(before.pid, "SIGSTOP");
    // Its threads stop one after the other, and one that still runs could answer.
    const tasks = `/proc/${before.pid}/task`;
    const isStopped = (task: string): boolean => /\) T /.test(readFileSync(join(tasks, task, "stat"), "utf8"));
    while (!readdirSync(tasks).every(isStopped)) await sleep(10);
    const status = await daemonStatus({ env });
    assert.ok(status.running && !status.ready);
  });
});

test("a number in the record that belongs to another process is not believed", async () => {
  const other = spawn("sleep", ["1000"], { stdio: "ignore" });
  try {
    const location = locate(env);
    await mkdir(location.dir, { recursive: true });
    await writeFile(location.record, JSON.stringify({ pid: other.pid }));
    assert.equal((await daemonStatus({ env })).running, false);
    assert.deepEqual(await stopDaemon({ env }), { stopped: false });
    assert.equal(other.exitCode, null);
    assert.equal(other.signalCode, null);
  } finally {
    other.kill("SIGKILL");
  }
});

test("stop ends it, takes down its mounts and keeps its state; a second stop has nothing to do", async () => {
  const { address } = await ensureDaemon({ env });
  const stopBuild = await startSleepingBuild(address);
  while ((await containers()).length === 0) await sleep(50);
  assert.deepEqual(await stopDaemon({ env }), { stopped: true });
  stopBuild();
  const { dir, root } = locate(env);
  assert.deepEqual(await containers(), []);
  assert.ok(!(await readFile("/proc/self/mountinfo", "utf8")).includes(` ${dir}/`), "no mounts are left");
  assert.ok((await stat(root)).isDirectory());
  await assert.rejects(stat(join(dir, "tmp")), "nothing of its temporary files");
  assert.equal((await daemonStatus({ env })).running, false);
  assert.deepEqual(await stopDaemon({ env }), { stopped: false });
});

test("stop and status of a daemon that never was make nothing on disk", async () => {
  env = { ...env, DAGGER_CACHE_DIR: join(home, "nowhere") };
  assert.deepEqual(await stopDaemon({ env }), { stopped: false });
  assert.equal((await daemonStatus({ env })).running, false);
  await assert.rejects(stat(join(home, "nowhere")));
});

test("logs give what the daemon wrote, and follow until they are told to end", async () => {
  await withDaemon(async () => {
    await ensureDaemon({ env });
    let text = "";
    for await (const chunk of daemonLogs({ env })) text += Buffer.from(chunk).toString("utf8");
    assert.match(text, /level=/);
    const abort = new AbortController();
    let followed = "";
    const following = (async () => {
      for await (const chunk of daemonLogs({ env, follow: true, signal: abort.signal })) {
        followed += Buffer.from(chunk).toString("utf8");
        if (followed.includes("the last line")) abort.abort();
      }
    })();
    await writeFile(locate(env).log, "the last line\n", { flag: "a" });
    await following;
    assert.ok(followed.startsWith(text));
  });
});

test("a long log is moved aside the next time the daemon is asked for", async () => {
  await withDaemon(async () => {
    await ensureDaemon({ env });
    const { log } = locate(env);
    await writeFile(log, Buffer.alloc(11 << 20, "x"), { flag: "a" });
    await ensureDaemon({ env });
    assert.ok((await stat(log)).size < 1 << 20);
    assert.ok((await stat(`${log}.1`)).size > 10 << 20);
  });
});

test("a cache directory too deep for a socket gets a short one elsewhere", async () => {
  env = { ...env, DAGGER_CACHE_DIR: join(home, "deep ü".repeat(3), "x".repeat(100)) };
  await withDaemon(async () => {
    const { address } = await ensureDaemon({ env });
    assert.ok(Buffer.byteLength(address) < 107);
    await run(builtBinary("buildctl"), ["--addr", address, "debug", "workers"]);
  });
  await rm(join(locate(env).socket, ".."), { recursive: true, force: true });
});

test("a cache directory that overlay mounts cannot take is refused", async () => {
  const found = await diagnostic(ensureDaemon({ env: { ...env, DAGGER_CACHE_DIR: "/tmp/a:b" } }));
  assert.equal(found.exit, 3);
  assert.equal(found.code, "daemon-path");
  assert.match(found.message, /\/tmp\/a:b\/buildkitd/);
  assert.match(found.hint, /DAGGER_CACHE_DIR/);
});

test("a cache directory that cannot be made is an error with its name", async () => {
  await writeFile(join(home, "file"), "");
  const found = await diagnostic(ensureDaemon({ env: { ...env, DAGGER_CACHE_DIR: join(home, "file/cache") } }));
  assert.deepEqual([found.exit, found.code], [3, "daemon-path"]);
});

test("a runc without seccomp is an error that says what to install", async () => {
  const bin = join(home, "bin");
  await mkdir(bin, { recursive: true });
  await writeFile(join(bin, "runc"), "#!/bin/sh\necho runc version 1.9.9\n");
  await chmod(join(bin, "runc"), 0o755);
  const found = await diagnostic(ensureDaemon({ env: { ...env, PATH: `${bin}:${process.env.PATH ?? ""}` } }));
  assert.deepEqual([found.exit, found.code], [3, "runc-no-seccomp"]);
  assert.match(found.message, /was built without seccomp/);
  assert.match(found.hint, /apt-get install runc/);
});

test("a machine without runc is told which package it lacks", async () => {
  // A mount namespace in which no directory of programs has runc: the real thing, without touching this machine.
  const hidden = join(home, "empty-file");
  await writeFile(hidden, "");
  const script = `import { ensureDaemon } from ${JSON.stringify(index)}; await ensureDaemon({ env: process.env }).catch((e) => console.log(e.exit, JSON.stringify(e.diagnostics)));`;
  const hide =
    'for f in $(which -a runc) /usr/sbin/runc /usr/bin/runc /sbin/runc; do [ -e "$f" ] && mount --bind "$HIDDEN" "$f"; done; exec "$@"';
  const command = ["--mount", "sh", "-c", hide, "sh", process.execPath, "--import", "tsx", "--input-type=module", "-e", script];
  const { stdout } = await run("unshare", command, { env: { ...env, HIDDEN: hidden } });
  assert.match(stdout, /^3 \[\{"code":"runc-missing","message":"runc is not installed"/);
  assert.match(stdout, /Install the package runc \(Debian, Ubuntu: apt-get install runc/);
});

test("a DAGGER_BUILDKITD that is no program is named", async () => {
  const found = await diagnostic(ensureDaemon({ env: { ...env, DAGGER_BUILDKITD: join(home, "no-such") } }));
  assert.deepEqual([found.exit, found.code], [3, "buildkitd-missing"]);
  assert.match(found.message, /DAGGER_BUILDKITD names no program: .*no-such/);
});

test("a buildkitd that ends at once is an error with its last words, and leaves no lock behind", async () => {
  const broken = join(home, "broken");
  await writeFile(broken, "#!/bin/sh\necho 'the moon is wrong' >&2\nexit 1\n");
  await chmod(broken, 0o755);
  const found = await diagnostic(ensureDaemon({ env: { ...env, DAGGER_BUILDKITD: broken } }));
  assert.deepEqual([found.exit, found.code], [3, "daemon-failed"]);
  assert.match(found.message, /ended while it started: the moon is wrong$/);
  await withDaemon(async () => {
    assert.equal((await ensureDaemon({ env })).started, true);
  });
});

test("an aborted start ends with the abort", async () => {
  const abort = new AbortController();
  abort.abort();
  await assert.rejects(ensureDaemon({ env, signal: abort.signal }), { name: "AbortError" });
});

test("the daemon's environment has no secrets of the run that started it", async () => {
  env = { ...env, MY_TOKEN: "hush", HTTPS_PROXY: "http://127.0.0.1:9" };
  await withDaemon(async () => {
    await ensureDaemon({ env });
    const status = await daemonStatus({ env });
    assert.ok(status.running);
    const seen = await readFile(`/proc/${String(status.pid)}/environ`, "utf8");
    assert.ok(seen.includes("HTTPS_PROXY="));
    assert.ok(!seen.includes("hush"));
  });
});

test("a daemon that was asked for wins over BUILDKIT_HOST, and that over everything found", async () => {
  const host = { ...env, BUILDKIT_HOST: "tcp://127.0.0.1:1" };
  assert.deepEqual(await findDaemon({ env: host, explicit: "unix:///x" }), { address: "unix:///x", from: "flag", started: false });
  assert.deepEqual(await findDaemon({ env: host }), { address: "tcp://127.0.0.1:1", from: "env", started: false });
});

test("a daemon on the user's standard socket is used instead of starting one", async () => {
  const runtime = await mkdtemp(join(home, "run-"));
  await mkdir(join(runtime, "buildkit"));
  const other: Environment = { ...env, DAGGER_CACHE_DIR: await mkdtemp(join(home, "cache-")) };
  try {
    await ensureDaemon({ env: other });
    await symlink(locate(other).socket, join(runtime, "buildkit/buildkitd.sock"));
    const found = await findDaemon({ env: { ...env, XDG_RUNTIME_DIR: runtime } });
    assert.deepEqual(found, { address: `unix://${runtime}/buildkit/buildkitd.sock`, from: "standard", started: false });
  } finally {
    await stopDaemon({ env: other });
  }
});
