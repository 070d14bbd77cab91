// dagger.lock and Dockerfiles, on a real buildkitd: the frontend of a `# syntax=` line, FROM, and ADD of addresses and repositories.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { builtBinary } from "../support/buildkitd.ts";
import { upstream } from "./upstream.ts";

/** Of the image base:1 as long as it holds "one". */
let digestOfOne = "";
const up = upstream(async () => {
  digestOfOne = await pushBase("one");
});

/** Makes the directory of a config of these files; `cue` is all of it but its first line. */
function config(name: string, cue: string, files: Readonly<Record<string, string>> = {}): string {
  const dir = join(up.bench.dir, name);
  const all = {
    "cue.mod/module.cue": 'module: "test.example"\nlanguage: version: "v0.17.0"\n',
    "up.cue": `package up\n\n${cue}`,
    ...files,
  };
  for (const [path, text] of Object.entries(all)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), text);
  }
  return dir;
}

type Written = Record<"images" | "git" | "http", Record<string, string>>;

function readLock(dir: string): Written {
  return JSON.parse(readFileSync(join(dir, "dagger.lock"), "utf8")) as Written;
}

/** Pushes an image whose file /what holds `text`, as base:1; gives its digest. */
async function pushBase(text: string): Promise<string> {
  const cue = `image: {string, #up: [
	{do: "fetch-container", ref: "docker.io/library/busybox:latest"},
	{do: "write-file", dest: "/what", content: "${text}"},
	{do: "push-container", ref: "${up.registry.host}/base:1"},
]}
`;
  return (JSON.parse((await up.succeed("compute", config(`push-${text}`, cue))).stdout) as { image: string }).image;
}

/** Pushes the Dockerfile frontend of the daemon's own version as an image; `mark` makes its digest another one. */
async function pushFrontend(mark: string): Promise<string> {
  const dir = config(
    `frontend-${mark}`,
    `image: {string, #up: [
	{do: "local", dir: "bin"},
	{do: "write-file", dest: "/mark", content: "${mark}"},
	{do: "image-config", entrypoint: ["/dockerfile-frontend"], labels: {
		"moby.buildkit.frontend.network.none": "true"
		"moby.buildkit.frontend.caps":         "moby.buildkit.frontend.inputs,moby.buildkit.frontend.subrequests,moby.buildkit.frontend.contexts"
	}},
	{do: "push-container", ref: "${up.registry.host}/dockerfile:1"},
]}
`,
  );
  mkdirSync(join(dir, "bin"), { recursive: true });
  cpSync(builtBinary("dockerfile-frontend"), join(dir, "bin/dockerfile-frontend"));
  return (JSON.parse((await up.succeed("compute", dir)).stdout) as { image: string }).image;
}

/** A value: the text of /value of what a Dockerfile builds. */
function valueIn(build: string): string {
  return `out: {string, #up: [{do: "docker-build", ${build}}, {do: "export", source: "/value"}]}\n`;
}

const place = 'context: {do: "local", dir: "ctx"}';

test("the frontend of a syntax line is locked: the one that is locked runs, and without one none runs with --locked", async () => {
  const first = await pushFrontend("first");
  const name = `${up.registry.host}/dockerfile:1`;
  const dockerfile = `# syntax=${name}\nFROM scratch\nCOPY hello /value\n`;
  const dir = config("syntax", valueIn(place), { "ctx/Dockerfile": dockerfile, "ctx/hello": "hello" });

  const refused = await up.bench.dagger(["up", dir, "--locked", "--progress", "plain"]);
  assert.equal(refused.code, 2, refused.stderr);
  assert.match(refused.stderr, new RegExp(`error\\[not-locked\\]: Image ${name} is not in dagger\\.lock`));
  assert.match(refused.stderr, /up\.cue:3:\d+/);
  assert.doesNotMatch(refused.stderr, /resolve image config/, "nobody is asked for it");

  await up.succeed("lock", "update", dir);
  assert.deepEqual(readLock(dir).images, { [name]: first });
  assert.deepEqual(JSON.parse((await up.succeed("compute", dir, "--locked")).stdout), { out: "hello" });

  const second = await pushFrontend("second");
  assert.notEqual(second, first);
  await up.bench.prune();
  const again = await up.succeed("up", dir, "--locked", "--progress", "plain");
  assert.ok(again.stderr.includes(first), again.stderr);
  assert.ok(!again.stderr.includes(second), again.stderr);
  const moved = await up.bench.dagger(["lock", "check", dir]);
  assert.equal(moved.code, 1, moved.stderr);
  assert.match(moved.stdout, /^moved +127\.0\.0\.1:\d+\/dockerfile:1 /m);
});

test("the frontend that a build argument names is locked as well; one with a digest, and one of this machine, need no lock", async () => {
  const digest = await pushFrontend("argument");
  const name = `${up.registry.host}/dockerfile:1`;
  const files = { "ctx/Dockerfile": "FROM scratch\nCOPY hello /value\n", "ctx/hello": "hello" };
  const by = (syntax: string): string => valueIn(`${place}, buildArg: BUILDKIT_SYNTAX: "${syntax}"`);
  const refused = await up.bench.dagger(["up", config("argument", by(name), files), "--locked"]);
  assert.equal(refused.code, 2, refused.stderr);
  assert.match(refused.stderr, /error\[not-locked\]: Image 127\.0\.0\.1:\d+\/dockerfile:1 is not in dagger\.lock/);
  await up.succeed("up", config("argument-digest", by(`${name}@${digest}`), files), "--locked");
});

test("addresses and repositories of ADD are locked, and images that have no digest in the Dockerfile", async () => {
  up.page = "one";
  const commit = await up.git.commit("deps.git", { "a.txt": "one" });
  const repository = `${up.git.url}/deps.git`;
  const dockerfile = `FROM ${up.registry.host}/base:1
ADD ${up.url} /file
ADD ${repository} /deps
ADD ${repository}#main:. /branch
RUN cat /what /file /deps/a.txt /branch/a.txt > /value
`;
  const dir = config("add", valueIn(place), { "ctx/Dockerfile": dockerfile });
  const refused = await up.bench.dagger(["up", dir, "--locked"]);
  assert.equal(refused.code, 2, refused.stderr);
  for (const name of [
    `Image ${up.registry.host}/base:1`,
    `Address ${up.url}`,
    `Git ref ${repository}#HEAD`,
    `Git ref ${repository}#main`,
  ]) {
    assert.ok(refused.stderr.includes(`error[not-locked]: ${name} is not in dagger.lock`), refused.stderr);
  }
  assert.match(refused.stderr, /ctx\/Dockerfile:2:1/);

  await up.succeed("lock", "update", dir);
  const sum = `sha256:${createHash("sha256").update("one").digest("hex")}`;
  assert.deepEqual(readLock(dir), {
    version: 1,
    images: { [`${up.registry.host}/base:1`]: digestOfOne },
    git: { [`${repository}#HEAD`]: commit, [`${repository}#main`]: commit },
    http: { [up.url]: sum },
  });
  const one = { out: "oneoneoneone" };
  assert.deepEqual(JSON.parse((await up.succeed("compute", dir, "--locked")).stdout), one);

  await up.git.commit("deps.git", { "a.txt": "two" });
  await pushBase("two");
  // The plan is about what is locked, and the run holds to it.
  const plan = join(dir, "plan.json");
  await up.succeed("plan", dir, "--out", plan);
  await up.succeed("up", "--plan", plan);
  up.page = "two";
  assert.deepEqual(JSON.parse((await up.succeed("compute", dir)).stdout), one);
  await up.bench.prune();
  const gone = await up.bench.dagger(["compute", dir, "--locked"]);
  assert.equal(gone.code, 1, gone.stderr);
  assert.match(gone.stderr, /digest mismatch/);
  up.page = "one";
  assert.deepEqual(JSON.parse((await up.succeed("compute", dir, "--locked")).stdout), one);

  await up.succeed("lock", "update", dir, "deps.git", "base");
  assert.deepEqual(JSON.parse((await up.succeed("compute", dir, "--locked")).stdout), { out: "twoonetwotwo" });
});

test("what a Dockerfile itself says the contents of needs no lock, and what a lock lacks is a warning without --locked", async () => {
  up.page = "one";
  const commit = await up.git.commit("fixed.git", { "a.txt": "x" });
  const sum = `sha256:${createHash("sha256").update("one").digest("hex")}`;
  const dockerfile = `FROM ${up.registry.host}/base:1@${digestOfOne}
ADD --checksum=${sum} ${up.url} /file
ADD ${up.git.url}/fixed.git#${commit} /commit
ADD --checksum=${commit} ${up.git.url}/fixed.git#main /main
RUN cat /what > /value
`;
  const dir = config("fixed", valueIn(place), { "ctx/Dockerfile": dockerfile });
  await up.succeed("up", dir, "--locked");

  // A lock with something in it: what is not in there is told.
  await up.succeed("lock", "update", config("fixed", `${valueIn(place)}other: #up: [{do: "fetch-http", url: "${up.url}"}]\n`));
  writeFileSync(join(dir, "ctx/Dockerfile"), `FROM scratch\nADD ${up.url}?new /value\n`);
  const warned = await up.succeed("up", dir);
  assert.ok(warned.stderr.includes(`Not in dagger.lock, so it may change: ${up.url}?new`), warned.stderr);
});
