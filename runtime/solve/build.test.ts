// Whole jobs on a real buildkitd: files both ways, secrets, images, errors, cancelation, a daemon that dies.
import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import type { UserError } from "../../compiler/diagnostic.ts";
import { builtBinary, startBuildkitd } from "../../test/support/buildkitd.ts";
import { failureOf } from "../../test/support/failures.ts";
import { sessionServices } from "../../test/support/jobs.ts";
import { layoutRegistry } from "../../test/support/layout-registry.ts";
import { copy, definition, exec, file, mkdir, mkfile, type Node, shell, source } from "../../test/support/llb.ts";
import { solving } from "../../test/support/solving.ts";
import { createReceiver, dockerAuth, type Receiver, type SessionServices } from "../session/index.ts";
import { type Build, type BuildOptions, connect, SolveError, type StatusUpdate } from "./index.ts";

const base = fs.mkdtempSync(path.join(os.tmpdir(), "dagger-build-"));
const on = solving();

after(() => fs.rmSync(base, { recursive: true, force: true }));

function build(session: SessionServices = sessionServices(on.layout), more: Partial<BuildOptions> = {}): Promise<Build> {
  const exporters = session.receiver === undefined ? [] : [{ type: "local", attrs: {} }];
  return on.client.build({ session, exporters, record: false, onStatus: () => {}, ...more });
}

/** Solves and saves: `/values` into memory, `/dirs/0` to `dest`. */
async function save(node: Node, dest: string, more: Partial<SessionServices> = {}): Promise<Receiver> {
  const receiver = createReceiver({ memory: ["values"], dirs: [{ prefix: "dirs/0", dest }] });
  await (await build(sessionServices(on.layout, { ...more, receiver }))).finish(definition(node));
  await receiver.commit();
  return receiver;
}

/** Every entry below `dir` with kind, mode, size, link target and time to the microsecond. */
function listing(dir: string): string[] {
  const names = fs.readdirSync(dir, { recursive: true, encoding: "utf8" }).sort();
  return names.map((name) => {
    const stat = fs.lstatSync(path.join(dir, name), { bigint: true });
    const target = stat.isSymbolicLink() ? fs.readlinkSync(path.join(dir, name)) : "";
    const links = stat.isDirectory() ? 0n : stat.nlink;
    return `${name} ${stat.mode.toString(8)} ${stat.isDirectory() ? 0 : stat.size} ${links} ${target} ${stat.isDirectory() ? "" : stat.mtimeNs / 1000n}`;
  });
}

test("one Solve brings values and directories back, with the status of every step on our clock", async () => {
  const updates: StatusUpdate[] = [];
  const start = Date.now();
  const out = shell(on.image, "echo to-stdout; echo to-stderr >&2; mkdir /out; echo 42 > /out/answer");
  const terminal = file(undefined, [mkdir("/values"), mkfile("/values/1", "abc"), copy(out, "/out", "/dirs/0/")]);
  const dest = path.join(base, "one");
  const receiver = createReceiver({ memory: ["values"], dirs: [{ prefix: "dirs/0", dest }] });
  const job = await build(sessionServices(on.layout, { receiver }), { onStatus: (update) => updates.push(update) });
  assert.deepEqual(await job.finish(definition(terminal)), { exporterResponse: {} });
  assert.deepEqual(await receiver.commit(), [{ dest, files: 1, bytes: 3 }]);
  assert.deepEqual(
    [...receiver.values].map(([name, value]) => [name, value.toString()]),
    [["values/1", "abc"]],
  );
  const step = updates.flatMap((u) => u.vertexes).filter((v) => v.name.includes("to-stdout"));
  const logs = updates.flatMap((u) => u.logs).filter((l) => l.vertex === step[0]?.digest);
  const text = (stream: number): string => Buffer.concat(logs.filter((l) => l.stream === stream).map((l) => l.data)).toString();
  assert.deepEqual([text(1), text(2)], ["to-stdout\n", "to-stderr\n"]);
  const last = step.at(-1);
  assert.equal(last?.error, "");
  assert.ok(last.completed !== undefined && Math.abs(last.completed - start) < 60_000);
});

test("the gateway reads results and resolves images inside the same Solve, whose history has one record", async () => {
  const job = await build(sessionServices(on.layout), { record: true });
  const big = Buffer.alloc(9 << 20, "0123456789");
  const ref = await job.solve(definition(file(undefined, [mkfile("/small", "x", 0o600), mkfile("/big", big)])));
  assert.deepEqual(
    (await job.readDir(ref, "/")).map((e) => [e.name, e.mode & 0o777, e.size]),
    [
      ["big", 0o644, big.length],
      ["small", 0o600, 1],
    ],
  );
  assert.ok((await job.readFile(ref, "/big")).equals(big));
  assert.equal((await failureOf(job.readFile(ref, "/none"))).exit, 1);
  assert.ok((await job.capabilities()).has("mergeop"));
  await job.finish(definition(shell(on.image, "true")));
  const { stdout } = await promisify(execFile)(builtBinary("buildctl"), [
    "--addr",
    on.daemon.address,
    "debug",
    "histories",
    "--format",
    "{{json .}}",
  ]);
  assert.equal(stdout.split(job.ref).length - 1, 1);
});

test("a failing step tells its exit code, its vertex and its file action", async () => {
  const seven = shell(on.image, "exit 7");
  // The daemon names vertices by digests of its own making, the same in the status and in the error.
  const failed = new Set<string>();
  const onStatus = (update: StatusUpdate): void => update.vertexes.forEach((v) => void (v.error !== "" && failed.add(v.digest)));
  const byExec = await failureOf((await build(sessionServices(on.layout), { onStatus })).finish(definition(seven)));
  assert.ok(byExec instanceof SolveError);
  assert.deepEqual([byExec.exit, byExec.diagnostics[0]?.code, byExec.failure.exitCode], [1, "solve-failed", 7]);
  assert.deepEqual([...failed], [byExec.failure.vertex]);
  const badFile = file(undefined, [mkdir("/a"), mkfile("/none/x", "")]);
  const other = await build();
  const byFile = await failureOf(other.solve(definition(badFile)));
  await other.abort();
  assert.ok(byFile instanceof SolveError);
  assert.equal(byFile.failure.fileAction, 1);
  const gateway = await build();
  await gateway.solve(definition(shell(on.image, "true")));
  const later = await failureOf(gateway.finish(definition(seven)));
  assert.ok(later instanceof SolveError);
  assert.equal(later.failure.exitCode, 7);
});

test("an upload is what buildctl uploads: patterns, links, modes, names and times", async () => {
  const dir = path.join(base, "tree");
  for (const sub of ["src/deep", "docs", "node_modules/m", ".git", "ünï 日本 🎉"]) fs.mkdirSync(path.join(dir, sub), { recursive: true });
  for (const name of [
    "a.txt",
    "b.md",
    "src/x.ts",
    "src/deep/y.ts",
    "src/deep/z.js",
    "docs/README.md",
    "docs/x.md",
    "node_modules/m/i.js",
    ".git/HEAD",
    "ünï 日本 🎉/f",
    "ａ",
    "🎉",
  ]) {
    fs.writeFileSync(path.join(dir, name), name);
  }
  fs.linkSync(path.join(dir, "a.txt"), path.join(dir, "src/hard"));
  fs.linkSync(path.join(dir, "a.txt"), path.join(dir, "z-hard"));
  fs.symlinkSync("src/deep/y.ts", path.join(dir, "sym"));
  fs.symlinkSync("/docs", path.join(dir, "src/abs"));
  fs.symlinkSync("nowhere", path.join(dir, "dangling"));
  fs.chmodSync(path.join(dir, "b.md"), 0o4751);
  fs.chmodSync(path.join(dir, "docs"), 0o1750);
  fs.utimesSync(path.join(dir, "b.md"), 1, 1.5);
  const variants: readonly Record<string, string[]>[] = [
    {},
    { include: ["src"] },
    { include: ["**/*.ts", "docs/*"], exclude: ["**/x.*"] },
    { exclude: ["*", "!src/deep", "!docs/README.md", "src/deep/*.js"] },
    { exclude: ["**/node_modules", ".git", "a.txt"] },
    { include: ["ünï*", "?"] },
    { follow: ["sym"] },
    { follow: ["src/abs/README.md", "b*"], exclude: ["**/y.ts"] },
    { include: ["z-hard", "src/hard"] },
    { include: ["none"] },
  ];
  for (const [i, { include, exclude, follow }] of variants.entries()) {
    const attrs = (who: string): Record<string, string> => ({
      "local.sharedkeyhint": `${who}${i}`,
      ...(include === undefined ? {} : { "local.includepattern": JSON.stringify(include) }),
      ...(exclude === undefined ? {} : { "local.excludepatterns": JSON.stringify(exclude) }),
      ...(follow === undefined ? {} : { "local.followpaths": JSON.stringify(follow) }),
    });
    const out = path.join(base, `up${i}`);
    await save(file(undefined, [mkdir("/dirs/0"), copy(source("local://tree", attrs("ours")), "/", "/dirs/0/")]), `${out}/ours`, {
      locals: new Map([["tree", { dir }]]),
    });
    const theirs = definition(file(undefined, [mkdir("/d"), copy(source("local://tree", attrs("ctl")), "/", "/d/")]));
    execFileSync(
      builtBinary("buildctl"),
      ["--addr", on.daemon.address, "build", "--progress=quiet", "--local", `tree=${dir}`, "--output", `type=local,dest=${out}/ctl`],
      { input: theirs },
    );
    assert.deepEqual(listing(`${out}/ours`), listing(`${out}/ctl/d`), JSON.stringify(variants[i]));
  }
});

test("ten thousand files go up and come down again unchanged, and only what changed is sent the second time", async () => {
  const dir = path.join(base, "many");
  for (let i = 0; i < 10_000; i++) {
    if (i % 100 === 0) fs.mkdirSync(path.join(dir, `d${i / 100}`), { recursive: true });
    fs.writeFileSync(path.join(dir, `d${Math.floor(i / 100)}/f${i}`), i === 5 ? "" : `${i}`.repeat(i % 40));
  }
  const locals = new Map([["many", { dir }]]);
  const node = (always: string): Node =>
    file(undefined, [mkdir("/dirs/0"), mkfile(`/${always}`, ""), copy(source("local://many"), "/", "/dirs/0/")]);
  // The marker file makes each run compute its copy; it lies outside what is asked for, so it must not come back.
  const hide = (n: Node): Node => file(undefined, [mkdir("/dirs/0"), copy(n, "/dirs/0", "/dirs/0/")]);
  await save(hide(node("1")), path.join(base, "many1"), { locals });
  execFileSync("diff", ["-r", dir, path.join(base, "many1")]);
  fs.writeFileSync(path.join(dir, "d7/f700"), "changed");
  fs.rmSync(path.join(dir, "d8"), { recursive: true });
  await save(hide(node("2")), path.join(base, "many2"), { locals });
  execFileSync("diff", ["-r", dir, path.join(base, "many2")]);
});

test("what is wrong with a local directory is told with its path and its line", async () => {
  const at = [{ file: "job.cue", line: 4, column: 7 }];
  const solve = async (dir: string, attrs: Record<string, string> = {}): Promise<UserError> => {
    const job = await build(sessionServices(on.layout, { locals: new Map([["l", { dir, at }]]) }));
    return failureOf(job.finish(definition(file(undefined, [copy(source("local://l", { ...attrs, "local.unique": dir }), "/", "/")]))));
  };
  const missing = await solve(path.join(base, "missing"));
  assert.deepEqual(
    [missing.exit, missing.message, missing.diagnostics[0]?.at],
    [2, `Cannot send ${base}/missing: there is no such directory`, at],
  );
  const plain = path.join(base, "plain");
  fs.writeFileSync(plain, "");
  assert.equal((await solve(plain)).message, `Cannot send ${plain}: it is not a directory`);
  const bytes = path.join(base, "bytes");
  fs.mkdirSync(bytes);
  fs.writeFileSync(Buffer.concat([Buffer.from(`${bytes}/bad`), Buffer.from([0xff])]), "");
  assert.match((await solve(bytes)).message, /Cannot send .*bytes\/bad.*: its name is not UTF-8/);
  assert.match(
    (await failureOf((await build()).finish(definition(file(undefined, [copy(source("local://unknown"), "/", "/")]))))).message,
    /no access allowed to dir "unknown"/,
  );
});

test("secrets reach the step that mounts them and nothing else; a missing one fails unless it is optional", async () => {
  const mount = (id: string, optional: boolean): { mount: object } => ({
    mount: { dest: `/run/${id}`, mountType: 1, output: 0n, secretOpt: { ID: id, uid: 0, gid: 0, mode: 0o400, optional } },
  });
  const value = Buffer.from([0, 1, 2, 255, 10]);
  const secrets = async (id: string): Promise<Uint8Array | undefined> =>
    id === "token" ? value : id === "huge" ? Buffer.alloc(600 * 1024) : undefined;
  const use = (id: string, optional: boolean): Node =>
    exec({ root: on.image, args: ["/bin/sh", "-c", `cat /run/${id} > /copy; true`], mounts: [mount(id, optional)] });
  const receiver = await save(file(undefined, [copy(use("token", false), "/copy", "/values/")]), path.join(base, "secret"), { secrets });
  assert.deepEqual(receiver.values.get("values/copy"), value);
  await (await build(sessionServices(on.layout, { secrets }))).finish(definition(use("absent", true)));
  assert.match(
    (await failureOf((await build(sessionServices(on.layout, { secrets }))).finish(definition(use("absent", false))))).message,
    /secret absent: not found/,
  );
  const huge = await failureOf((await build(sessionServices(on.layout, { secrets }))).finish(definition(use("huge", false))));
  assert.deepEqual([huge.exit, huge.diagnostics[0]?.code], [2, "secret-too-large"]);
});

test("images come from a registry with the login of docker's config; a wrong name and a refused login are told apart", async () => {
  const served = await layoutRegistry(on.layout, "me:pass");
  const config = path.join(base, "docker");
  fs.mkdirSync(config);
  fs.writeFileSync(
    path.join(config, "config.json"),
    JSON.stringify({ auths: { [served.host]: { auth: Buffer.from("me:pass").toString("base64") } } }),
  );
  try {
    const login = sessionServices(on.layout, { auth: dockerAuth({ DOCKER_CONFIG: config }) });
    const platform = { os: "linux", architecture: process.arch === "x64" ? "amd64" : process.arch };
    const job = await build(login);
    const found = await job.resolveImageConfig(`${served.host}/busybox:latest`, platform, "default");
    assert.equal(found.digest, on.layout.digest);
    assert.equal((JSON.parse(Buffer.from(found.config).toString()) as { os: string }).os, "linux");
    const unknown = await failureOf(job.resolveImageConfig(`${served.host}/nope:1`, platform, "default"));
    assert.deepEqual(
      [unknown.exit, unknown.diagnostics[0]?.code, unknown.message],
      [1, "image-not-found", `There is no image ${served.host}/nope:1`],
    );
    await job.finish(definition(shell(source(`docker-image://${served.host}/busybox:latest`), "true")));
    const anonymous = await build();
    const refused = await failureOf(anonymous.resolveImageConfig(`${served.host}/busybox:other`, platform, "default"));
    assert.deepEqual([refused.exit, refused.diagnostics[0]?.code], [1, "image-unavailable"]);
    await anonymous.abort();
  } finally {
    await served.close();
  }
});

test("an interrupted job ends with exit 130, and no process of it keeps running on the daemon", async () => {
  for (const throughGateway of [false, true]) {
    const marker = `6${process.pid}${throughGateway ? 1 : 2}`;
    const stop = new AbortController();
    let started = (): void => {};
    const running = new Promise<void>((resolve) => {
      started = resolve;
    });
    const sleeper = shell(on.image, `echo up; sleep ${marker}`);
    const job = await build(sessionServices(on.layout), {
      signal: stop.signal,
      onStatus: (update) => {
        if (update.logs.length > 0) started();
      },
    });
    const work = throughGateway ? job.solve(definition(sleeper)) : job.finish(definition(sleeper));
    const failed = failureOf(work);
    await running;
    for (let i = 0; i < 200 && processes(marker) === 0; i++) await sleep(50);
    assert.equal(processes(marker), 1);
    stop.abort();
    const error = await failed;
    assert.deepEqual([error.exit, error.diagnostics[0]?.code], [130, "interrupted"]);
    await job.abort();
    for (let i = 0; i < 200 && processes(marker) > 0; i++) await sleep(50);
    assert.equal(processes(marker), 0);
  }
  await (await build()).finish(definition(shell(on.image, "true")));
});

test("a daemon that is killed in the middle ends the job with one clear error", async () => {
  const doomed = await startBuildkitd();
  try {
    const lonely = await connect(doomed.address);
    let started = (): void => {};
    const running = new Promise<void>((resolve) => {
      started = resolve;
    });
    const job = await lonely.build({
      session: sessionServices(on.layout),
      exporters: [],
      record: false,
      onStatus: (u) => void (u.logs.length > 0 && started()),
    });
    const failed = failureOf(job.finish(definition(shell(on.image, `echo up; sleep 5${process.pid}`))));
    await running;
    await doomed.kill();
    const error = await failed;
    assert.deepEqual([error.exit, error.diagnostics[0]?.code], [3, "connection-lost"]);
    assert.match(error.message, /^Lost the connection to the BuildKit daemon at unix:/);
    assert.equal((await failureOf(lonely.info())).diagnostics[0]?.code, "connection-lost");
    lonely.close();
  } finally {
    await doomed.stop();
  }
});

test("the daemon's cache can be listed and pruned", async () => {
  assert.ok((await on.client.diskUsage()).length > 0);
  assert.ok((await on.client.listWorkers())[0]?.platforms.some((p) => p.os === "linux"));
  let bytes = 0;
  await on.client.prune({ all: true }, (record) => {
    bytes += record.bytes;
  });
  assert.ok(bytes > 0);
});

/** Processes on this machine that sleep for `marker` seconds. */
function processes(marker: string): number {
  return fs.readdirSync("/proc").filter((pid) => {
    try {
      return /^\d+$/.test(pid) && fs.readFileSync(`/proc/${pid}/cmdline`, "utf8") === `sleep\0${marker}\0`;
    } catch {
      return false; // it ended meanwhile
    }
  }).length;
}
