// dagger.lock on a real buildkitd, with a real registry, a git server and a web server: what moves upstream does not change a run.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { upstream } from "./upstream.ts";

const up = upstream();

/** Makes the directory of a config with these lines. */
function config(name: string, cue: string): string {
  const dir = join(up.bench.dir, name);
  mkdirSync(join(dir, "cue.mod"), { recursive: true });
  writeFileSync(join(dir, "cue.mod/module.cue"), 'module: "test.example"\nlanguage: version: "v0.17.0"\n');
  writeFileSync(join(dir, "up.cue"), `package up\n\n${cue}`);
  return dir;
}

/** Pushes an image whose file /what holds `text`. */
async function push(ref: string, text: string): Promise<void> {
  const cue = `image: #up: [
	{do: "fetch-container", ref: "docker.io/library/busybox:latest"},
	{do: "write-file", dest: "/what", content: "${text}"},
	{do: "push-container", ref: "${ref}"},
]
`;
  await up.succeed("up", config(`push-${text}-${ref.replace(/\W/g, "-")}`, cue));
}

/** Values that tell what was taken from each of the three, and from the image of a Dockerfile. */
function everything(name: string): string {
  return config(
    name,
    `#Cat: {
	string
	#from: _
	#file: string
	#up: [{do: "copy", from: #from, src: #file, dest: "/value"}, {do: "export", source: "/value"}]
}
image: #Cat & {_, #from: {do: "fetch-container", ref: "${up.registry.host}/base:1"}, #file: "/what"}
built: #Cat & {_, #from: {do: "docker-build", dockerfile: "FROM ${up.registry.host}/base:1\\nRUN cp /what /copied\\n"}, #file: "/copied"}
commit: #Cat & {_, #from: {do: "fetch-git", remote: "${up.git.url}/app", ref: "main"}, #file: "/hello.txt"}
page: #Cat & {_, #from: {do: "fetch-http", url: "${up.url}", filename: "f"}, #file: "/f"}
`,
  );
}

test("what is locked stays the same while tags, branches and files move; check tells, update follows", async () => {
  await push(`${up.registry.host}/base:1`, "one");
  const first = await up.git.commit("app", { "hello.txt": "one" });
  up.page = "one";
  const dir = everything("moving");
  const lock = join(dir, "dagger.lock");

  const refused = await up.bench.dagger(["up", dir, "--locked"]);
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /error\[not-locked\]: Image 127\.0\.0\.1:\d+\/base:1 is not in dagger\.lock/);
  assert.match(refused.stderr, /up\.cue:\d+:\d+/);

  await up.succeed("lock", "update", dir);
  const written = JSON.parse(readFileSync(lock, "utf8")) as Record<"images" | "git" | "http", Record<string, string>>;
  assert.deepEqual(Object.keys(written.images), [`${up.registry.host}/base:1`]);
  assert.deepEqual(written.git, { [`${up.git.url}/app#main`]: first });
  assert.deepEqual(written.http, { [up.url]: `sha256:${createHash("sha256").update("one").digest("hex")}` });
  await up.succeed("lock", "check", dir);
  const all = { image: "one", built: "one", commit: "one", page: "one" };
  assert.deepEqual(JSON.parse((await up.succeed("compute", dir, "--locked")).stdout), all);

  await push(`${up.registry.host}/base:1`, "two");
  const second = await up.git.commit("app", { "hello.txt": "two" });
  up.page = "two";
  for (const flags of [["--locked"], []]) assert.deepEqual(JSON.parse((await up.succeed("compute", dir, ...flags)).stdout), all);
  // From a daemon that knows nothing yet, too, as long as what is locked can still be had.
  await up.bench.prune();
  up.page = "one";
  assert.deepEqual(JSON.parse((await up.succeed("compute", dir, "--locked")).stdout), all);
  up.page = "two";
  await up.bench.prune();
  const gone = await up.bench.dagger(["compute", dir, "--locked", "-t", "page"]);
  assert.equal(gone.code, 1);
  assert.match(gone.stderr, /digest mismatch/);

  const moved = await up.bench.dagger(["lock", "check", dir]);
  assert.equal(moved.code, 1);
  assert.equal(moved.stdout.match(/^moved /gm)?.length, 3, moved.stdout);
  assert.deepEqual(JSON.parse(readFileSync(lock, "utf8")), { version: 1, ...written });

  await up.succeed("lock", "update", dir, "app");
  const partly = JSON.parse(readFileSync(lock, "utf8")) as typeof written;
  assert.deepEqual(partly.git, { [`${up.git.url}/app#main`]: second });
  assert.deepEqual(partly.images, written.images);
  up.page = "one";
  assert.deepEqual(JSON.parse((await up.succeed("compute", dir, "--locked")).stdout), { ...all, commit: "two" });
  up.page = "two";

  await up.succeed("lock", "update", dir);
  assert.deepEqual(JSON.parse((await up.succeed("compute", dir, "--locked")).stdout), {
    image: "two",
    built: "two",
    commit: "two",
    page: "two",
  });
});

test("names that are not fetched any more are unused, new ones are missing, and update follows both", async () => {
  await push(`${up.registry.host}/base:2`, "x");
  const image = (tag: string): string => `a: #up: [{do: "fetch-container", ref: "${up.registry.host}/base:${tag}"}]\n`;
  const dir = config("changing", image("1"));
  await up.succeed("lock", "update", dir);
  config("changing", image("2"));
  const { code, stdout } = await up.bench.dagger(["lock", "check", dir]);
  assert.equal(code, 1);
  assert.match(stdout, /^unused +127\.0\.0\.1:\d+\/base:1 /m);
  assert.match(stdout, /^missing +127\.0\.0\.1:\d+\/base:2 /m);
  assert.equal((await up.bench.dagger(["up", dir, "--locked"])).code, 2);
  assert.match((await up.succeed("up", dir)).stderr, /warning: Not in dagger\.lock, so it may change: 127\.0\.0\.1:\d+\/base:2/i);
  await up.succeed("lock", "update", dir);
  assert.doesNotMatch((await up.succeed("up", dir)).stderr, /Not in dagger/);
  await up.succeed("up", dir, "--locked");
  await up.succeed("lock", "check", dir);
});

test("ten processes that each update another name at once lose nothing", async () => {
  const files = Array.from({ length: 10 }, (_, index) => `${up.url}/${index}`);
  const dir = config("at-once", files.map((file, index) => `p${index}: #up: [{do: "fetch-http", url: "${file}"}]\n`).join(""));
  up.page = "one";
  await up.succeed("lock", "update", dir);
  up.page = "two";
  await Promise.all(files.map((file) => up.succeed("lock", "update", dir, file)));
  const { http } = JSON.parse(readFileSync(join(dir, "dagger.lock"), "utf8")) as { http: Record<string, string> };
  const two = `sha256:${createHash("sha256").update("two").digest("hex")}`;
  assert.deepEqual(http, Object.fromEntries(files.map((file) => [file, two])));
  assert.deepEqual(
    readdirSync(dir).sort(),
    ["cue.mod", "dagger.lock", "up.cue"],
    "neither a lock of the lock nor half of a file is left there",
  );
});

test("what says itself what it is needs no lock", async () => {
  const commit = await up.git.commit("fixed", { f: "x" });
  const digest = `sha256:${createHash("sha256").update("one").digest("hex")}`;
  up.page = "one";
  const dir = config(
    "fixed",
    `g: #up: [{do: "fetch-git", remote: "${up.git.url}/fixed", ref: "${commit}"}]
c: #up: [{do: "fetch-git", remote: "${up.git.url}/fixed", ref: "main", checksum: "${commit}"}]
h: #up: [{do: "fetch-http", url: "${up.url}", checksum: "${digest}"}]
s: #up: [{do: "fetch-container", ref: "docker.io/library/busybox:latest"}]
`,
  );
  await up.succeed("up", dir, "--locked");
  assert.equal(existsSync(join(dir, "dagger.lock")), false);
});

test("a lock that cannot be used is told with its line, by runs and by lock itself", async () => {
  const dir = config("bad", 'a: #up: [{do: "scratch"}]\n');
  const cases: readonly [text: string, message: RegExp][] = [
    ['{\n<<<<<<< HEAD\n  "version": 1\n=======\n', /dagger\.lock:2:1/],
    ['{"version": 99}', /version 99, this dagger knows 1/],
    ["{}", /version undefined/],
    ['{"version": 1,\n "imags": {}}', /unknown field "imags"/],
    ['{"version": 1, "images": {\n"x:1": "latest"}}', /dagger\.lock:2:1/],
    ['{"version": 1, "git": []}', /"git" of .* is no object/],
    ["nonsense", /is no JSON/],
    ["", /is no JSON/],
  ];
  for (const [text, message] of cases) {
    writeFileSync(join(dir, "dagger.lock"), text);
    for (const args of [
      ["up", dir],
      ["lock", "check", dir],
      ["lock", "update", dir],
    ]) {
      const { code, stderr } = await up.bench.dagger(args);
      assert.equal(code, 2, stderr);
      assert.match(stderr, /error\[bad-lock\]/);
      assert.match(stderr, message);
    }
    assert.equal(readFileSync(join(dir, "dagger.lock"), "utf8"), text);
  }
});

test("names that the config does not fetch, and ones that are not there, are told", async () => {
  const dir = config("unknown", `a: #up: [{do: "fetch-git", remote: "${up.git.url}/app", ref: "no-such-branch"}]\n`);
  const gone = await up.bench.dagger(["lock", "update", dir]);
  assert.notEqual(gone.code, 0);
  assert.match(gone.stderr, /no-such-branch/);
  assert.match(gone.stderr, /up\.cue:3:/);
  const none = await up.bench.dagger(["lock", "update", config("none", 'a: #up: [{do: "scratch"}]\n'), "alpine"]);
  assert.equal(none.code, 2);
  assert.match(none.stderr, /error\[unknown-lock-name\]: The config fetches no alpine/);
});
