// The embedded daemon of a user without root: it starts, builds, ends without a trace; and what is missing is told.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { chown, cp } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { busyboxLayout } from "../support/images.ts";
import { makeUser, type TestUser } from "../support/user.ts";

const run = promisify(execFile);
let user: TestUser;

before(async () => {
  user = await makeUser();
  const image = join(user.home, "image");
  await cp((await busyboxLayout()).dir, image, { recursive: true });
  await run("chown", ["-R", user.name, image]);
  const imported = await user.dagger(["image", "import", "busybox", image]);
  assert.equal(imported.code, 0, imported.stderr);
});
after(async () => {
  await user.remove();
});

async function write(name: string, config: string): Promise<string> {
  const dir = join(user.home, name);
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, "up.cue"), `package up\n${config}`);
  await chown(dir, user.uid, user.uid);
  return dir;
}

test("doctor says that all is there, and which ids the user has", async () => {
  const { code, stdout, stderr } = await user.dagger(["doctor"]);
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, new RegExp(`ok +user +${user.name} \\(${user.uid}\\), without root`));
  assert.match(stdout, /ok +subordinate ids +65536 in \/etc\/subuid and \/etc\/subgid/);
  assert.match(stdout, /ok +user namespaces +allowed/);
  assert.deepEqual(await user.processes(), [], "a check leaves nothing running");
});

test("a job starts the daemon, runs commands as root and as others inside, and saves files as the user's own", async () => {
  const dir = await write(
    "job",
    `image: #up: [{do: "fetch-container", ref: "busybox"}]
ids: {
	#up: [
		{do: "load", from: image},
		{do: "exec", args: ["sh", "-c", "id -u > /ids; touch /a && chown 1000:1000 /a && stat -c %u /a >> /ids"]},
		{do: "exec", user: "nobody", args: ["sh", "-c", "id -u > /tmp/id"]},
		{do: "exec", args: ["sh", "-c", "cat /tmp/id >> /ids; ps | wc -l >> /ids"]},
		{do: "export", source: "/ids", format: "string"},
	]
	string
}
kept: #up: [
	{do: "load", from: image},
	{do: "exec", args: ["sh", "-c", "mkdir /out && echo hello > /out/value && chown 1000 /out/value"]},
	{do: "subdir", dir: "/out"},
	{do: "save-dir", dest: "./saved"},
]
`,
  );
  const { code, stdout, stderr } = await user.dagger(["compute", "--progress", "quiet", dir]);
  assert.equal(code, 0, stderr);
  const [root, owner, nobody, processes] = (JSON.parse(stdout) as { ids: string }).ids.trim().split(/\s+/).map(Number);
  assert.deepEqual([root, owner, nobody], [0, 1000, 65534]);
  assert.ok((processes ?? 99) < 6, "a container sees only its own processes");
  assert.equal(readFileSync(join(dir, "saved/value"), "utf8"), "hello\n");
  assert.equal(statSync(join(dir, "saved/value")).uid, user.uid);
});

test("later runs use the daemon that is there, and its cache", async () => {
  const { stdout } = await user.dagger(["engine", "status", "--output", "json"]);
  const status = JSON.parse(stdout) as { running: boolean; ready: boolean; pid: number; address: string };
  assert.deepEqual([status.running, status.ready], [true, true]);
  assert.match((await user.dagger(["engine", "start"])).stderr, /is running already/);
  const again = await user.dagger(["up", "--progress", "plain", join(user.home, "job")]);
  assert.equal(again.code, 0, again.stderr);
  assert.match(again.stderr, / 0 run/);
});

test("a daemon that is killed takes all its processes along, and the next run starts another", async () => {
  const running = JSON.parse((await user.dagger(["engine", "status", "--output", "json"])).stdout) as { pid: number };
  process.kill(running.pid, "SIGKILL");
  const { code, stderr } = await user.dagger(["up", "--progress", "quiet", join(user.home, "job")]);
  assert.equal(code, 0, stderr);
  const now = JSON.parse((await user.dagger(["engine", "status", "--output", "json"])).stdout) as { pid: number };
  assert.notEqual(now.pid, running.pid);
  assert.equal((await user.processes()).filter((line) => line.includes("buildkitd.toml") && !line.includes("--state-dir")).length, 1);
});

test("an interrupted job leaves nothing running in the daemon, and stop leaves nothing at all", async () => {
  const dir = await write(
    "sleep",
    `s: #up: [{do: "fetch-container", ref: "busybox"}, {do: "exec", always: true, args: ["sleep", "4242"]}]\n`,
  );
  const job = user.dagger(["up", "--progress", "quiet", dir]);
  const sleeps = async (): Promise<boolean> => (await user.processes()).some((line) => /sleep 4242$/.test(line));
  while (!(await sleeps())) await new Promise((resolve) => setTimeout(resolve, 20));
  const { code, stdout } = await user.dagger(["engine", "stop"]);
  assert.equal(code, 0);
  assert.match(stdout, /was stopped/);
  assert.equal((await job).code, 3);
  assert.deepEqual(await user.processes(), []);
});

test("a user without ids of its own is told the command that gives them", async () => {
  const poor = await makeUser({ subids: false });
  try {
    const { code, stdout } = await poor.dagger(["doctor"]);
    assert.equal(code, 3);
    assert.match(stdout, /missing +subordinate ids +\S+ has 0 ids of its own in \/etc\/subuid and \/etc\/subgid/);
    assert.ok(stdout.includes(`usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${poor.name}`));
    const started = await poor.dagger(["engine", "start", "--output", "json"]);
    assert.equal(started.code, 3);
    assert.match(started.stderr, /error\[subids-missing\]/);
  } finally {
    await poor.remove();
  }
});

test("a machine without rootlesskit or uidmap is told which package it lacks", async () => {
  // A mount namespace in which these programs are no programs: the real thing, without touching this machine.
  const hide = 'for f in /usr/bin/rootlesskit /usr/bin/newuidmap; do mount --bind /dev/null "$f"; done; exec "$@"';
  const { code, stdout } = await user.dagger(["doctor"], { through: ["unshare", "--mount", "sh", "-c", hide, "sh"] });
  assert.equal(code, 3);
  assert.match(stdout, /missing +rootlesskit +rootlesskit is not installed/);
  assert.match(stdout, /missing +newuidmap +newuidmap is not installed/);
  assert.match(stdout, /apt-get install rootlesskit uidmap/);
});

test("a system that forbids user namespaces is told in the words of who is refused", async () => {
  // Without new privileges newuidmap is not root's any more, as under a strict security module.
  const { code, stdout } = await user.dagger(["doctor"], { through: ["setpriv", "--no-new-privs"] });
  assert.equal(code, 3);
  assert.match(stdout, /missing +user namespaces +rootlesskit cannot make a user namespace: .*newuidmap/);
});
