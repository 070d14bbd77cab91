// The sentinel test: real jobs with known secrets, which print them in many forms; then every byte that anything left is searched for them.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { assertNone, formsOf, searchTree } from "../support/sentinels.ts";
import { TestTerminal } from "../support/terminal.ts";
import { type Bench, repository, startBench, untilIdle } from "./dagger.ts";

/** With characters that every encoding changes. */
const token = "tok/en+Val?ue&w\"ith'quo tes-7391";
const key = `-----BEGIN TEST KEY-----\n${"q8Zp1xV0cRm5TyK2".repeat(4)}\n${"Wd9LsHf4uBn7GjE3".repeat(4)}\n-----END TEST KEY-----\n`;
const password = "Pässwörd-für-Lögin-4711";

const sentinels = formsOf(token, password, ...key.split("\n").slice(1, 3));

const config = `package test

_image: {do: "fetch-container", ref: "docker.io/library/busybox:latest"}
_all: """
	for value in "$TOKEN" "$PASSWORD" "$(cat /run/key)"; do
		echo "plain: $value"
		printf '%s' "$value" | base64
		printf 'user:%s' "$value" | base64 -w 0; echo
		printf '%s' "$value" | base64 -w 0 | tr '+/' '-_'; echo
		printf '%s' "$value" | od -An -v -tx1 | tr -d ' \\\\n'; echo
		echo "{\\"json\\": \\"$(printf '%s' "$value" | sed 's/["\\\\\\\\]/\\\\\\\\&/g')\\"}"
		echo "https://host/?q=$(printf '%s' "$value" | od -An -v -tx1 | tr -d '\\\\n' | tr ' ' '%')" >&2
	done
	printf '%s' "$TOKEN" | cut -c1-12 | tr -d '\\\\n'; sleep 1; printf '%s' "$TOKEN" | cut -c13-
	"""
_given: {
	env: {TOKEN: {secret: "token"}, PASSWORD: {secret: "password"}}
	mount: "/run/key": {secret: "key"}
	always: true
}
prints: #up: [_image, {do: "exec", args: ["sh", "-c", _all], _given}, {do: "write-file", dest: "/done", content: "done"}, {do: "save-dir", src: "/done", dest: "out"}]
told: {string, #up: [_image, {do: "exec", args: ["sh", "-c", "printf '%s' \\"told: $TOKEN\\" > /v"], _given}, {do: "export", source: "/v", format: "string"}]}
`;
const failing = `package test

fails: #up: [
	{do: "fetch-container", ref: "docker.io/library/busybox:latest"},
	{do: "exec", args: ["sh", "-c", "echo failed with $TOKEN; base64 /run/key; exit 3"], env: TOKEN: {secret: "token"}, mount: "/run/key": {secret: "key"}, always: true},
]
`;

let bench: Bench;
let env: Record<string, string>;
const outputs: Buffer[] = [];

before(async () => {
  bench = await startBench({ daemonHistory: true });
  for (const [name, text] of Object.entries({ good: config, bad: failing })) {
    mkdirSync(join(bench.dir, name), { recursive: true });
    writeFileSync(join(bench.dir, name, "test.cue"), text);
  }
  // Where a person keeps it: not a place that dagger writes to.
  mkdirSync(join(bench.dir, "own"));
  writeFileSync(join(bench.dir, "own/key"), key);
  env = {
    PATH: process.env["PATH"] ?? "",
    HOME: bench.dir,
    DAGGER_DATA_DIR: join(bench.dir, "data"),
    DAGGER_CACHE_DIR: join(bench.dir, "cache"),
    BUILDKIT_HOST: bench.daemon.address,
    TOKEN: token,
    PASSWORD: password,
  };
});
after(() => bench.end());

const flags = ["--secret", "token=env:TOKEN", "--secret", "password=env:PASSWORD", "--secret", "key=file:own/key"];

/** Runs dagger, and looks meanwhile at the arguments of all processes. */
async function dagger(...args: string[]): Promise<{ readonly code: number; readonly out: string }> {
  const child = spawn(join(repository, "bin/dagger"), [...args, ...flags], {
    cwd: bench.dir,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const parts: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (part: Buffer) => parts.push(part));
  const looking = setInterval(() => outputs.push(...argumentsOfAll()), 50);
  const code = await new Promise<number>((done) => child.once("close", (status) => done(status ?? -1)));
  clearInterval(looking);
  outputs.push(...parts);
  // Each alone and together: a piece may end within a secret.
  outputs.push(Buffer.concat(parts));
  return { code, out: Buffer.concat(parts).toString() };
}

function argumentsOfAll(): Buffer[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`)];
      } catch {
        return [];
      }
    });
}

for (const progress of ["plain", "json", "rawjson", "quiet"]) {
  test(`with --progress ${progress} neither logs nor values nor errors have the secrets`, async () => {
    const good = await dagger("up", "good", "--progress", progress);
    assert.equal(good.code, 0, good.out);
    assertNone(sentinels, Buffer.from(good.out), `the output of ${progress}`);
    assert.match(good.out, /told: \*\*\*/);
    const bad = await dagger("up", "bad", "--progress", progress);
    assert.equal(bad.code, 1, bad.out);
    assertNone(sentinels, Buffer.from(bad.out), `the errors of ${progress}`);
    if (progress === "plain") assert.match(bad.out, /failed with \*\*\*/);
    if (progress === "rawjson") {
      const logs = [...good.out.matchAll(/"data":"([^"]*)"/g)].map(([, data = ""]) => Buffer.from(data, "base64"));
      assert.match(Buffer.concat(logs).toString(), /plain: \*\*\*\n/);
      assertNone(sentinels, Buffer.concat(logs), "the logs of rawjson");
    }
    if (progress === "json") {
      const lines = good.out.split("\n").filter((line) => line.startsWith('{"type":"log"'));
      assertNone(sentinels, Buffer.from(lines.map((line) => (JSON.parse(line) as { text: string }).text).join("")), "the logs of json");
    }
  });
}

test("a terminal shows none, nor does compute, nor the whole result, nor --debug", async () => {
  const terminal = new TestTerminal([join(repository, "bin/dagger"), "up", "good", "--progress", "tty", ...flags], { cwd: bench.dir, env });
  assert.equal(await terminal.ended, 0, terminal.shown);
  assertNone(sentinels, Buffer.from(terminal.shown), "the terminal");
  outputs.push(Buffer.from(terminal.shown));
  for (const args of [
    ["compute", "good"],
    ["up", "good", "--output", "json"],
    ["up", "good", "--output", "yaml"],
  ]) {
    const { code, out } = await dagger(...args);
    assert.equal(code, 0, out);
    assert.match(out, /told: \*\*\*/);
    assertNone(sentinels, Buffer.from(out), args.join(" "));
  }
  const bad = await dagger("up", "bad", "--debug");
  assert.equal(bad.code, 1);
  assertNone(sentinels, Buffer.from(bad.out), "--debug");
});

test("what a shell prints into a pipe has none", async () => {
  const child = spawn(
    join(repository, "bin/dagger"),
    ["shell", "prints", "good", ...flags, "--", "sh", "-c", 'echo "my $TOKEN"; base64 /run/key; echo "$PASSWORD" >&2; printf tok/en'],
    { cwd: bench.dir, env, stdio: ["ignore", "pipe", "pipe"] },
  );
  const parts: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (part: Buffer) => parts.push(part));
  const code = await new Promise((done) => child.once("close", done));
  const out = Buffer.concat(parts);
  assert.equal(code, 0, out.toString());
  assert.match(out.toString(), /my \*\*\*\n/);
  assert.match(out.toString(), /tok\/en/);
  assertNone(sentinels, out, "the shell");
});

test("no file of dagger, of the daemon or of an export has one, and no process had one in its arguments", async () => {
  // All that it remembers is on its disk then, and nothing changes any more.
  await untilIdle(bench.daemon);
  const alive = setInterval(() => undefined, 1000);
  await bench.daemon.kill();
  clearInterval(alive);
  for (const output of outputs) assertNone(sentinels, output, "an output or the arguments of a process");
  // Not what the person keeps, nor what a step writes itself: `told` its value, which becomes a result of the job.
  const meant = (path: string): boolean =>
    path.startsWith(join(bench.dir, "own/")) || /\/snapshots\/\d+\/fs\/(v|value|values\/\d+)$/.test(path);
  const files = (await searchTree(sentinels, bench.dir, meant)) + (await searchTree(sentinels, bench.daemon.dir, meant));
  assert.ok(files > 20, `searched ${files} files`);
});
