// dagger compute with repositories as inputs, from a real git server.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { GitServer } from "../support/git-server.ts";
import { startGitServer } from "../support/git-server.ts";
import type { Bench } from "./dagger.ts";
import { startBench } from "./dagger.ts";

const config = `package main

import (
	"alpha.dagger.io/dagger"
	"alpha.dagger.io/dagger/op"
)

source: dagger.#Artifact @dagger(input)
found: {
	string
	#up: [
		op.#FetchContainer & {ref: "busybox"},
		op.#Exec & {args: ["sh", "-ec", "cd /source && ls -A | sort | tr '\\\\n' ' ' > /out"], mount: "/source": from: source},
		op.#Export & {source: "/out"},
	]
}
`;

let bench: Bench;
let server: GitServer;

before(async () => {
  [bench, server] = await Promise.all([startBench(), startGitServer()]);
  await server.commit("app", { first: "1", "sub/inner": "i" }, { tag: "v1" });
  await server.commit("app", { second: "2" });
  mkdirSync(join(bench.dir, "config"));
  writeFileSync(join(bench.dir, "config/main.cue"), config);
});
after(async () => {
  await server?.stop();
  await bench?.end();
});

async function found(input: string): Promise<unknown> {
  const { code, stdout, stderr } = await bench.dagger(["compute", "config", "--progress", "quiet", "--input-git", `source=${input}`]);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as unknown;
}

test("a repository is an artifact: its default branch, a ref, a directory of it, and the older form with #", async () => {
  const app = `${server.url}/app`;
  assert.deepEqual(await found(app), { source: {}, found: "first second sub " });
  assert.deepEqual(await found(`${app},v1`), { source: {}, found: "first sub " });
  assert.deepEqual(await found(`${app}#v1`), { source: {}, found: "first sub " });
  assert.deepEqual(await found(`${app},main,sub`), { source: {}, found: "inner " });
  assert.deepEqual(await found(`${app},,sub`), { source: {}, found: "inner " });
});

test("a repository, a ref or a directory that is not there fails the run and says which", async () => {
  for (const [input, words] of [
    [`${server.url}/none`, /none/],
    [`${server.url}/app,nobranch`, /nobranch/],
    [`${server.url}/app,main,nodir`, /nodir/],
  ] as const) {
    const { code, stdout, stderr } = await bench.dagger(["compute", "config", "--progress", "quiet", "--input-git", `source=${input}`]);
    assert.equal(code, 1, stderr);
    assert.equal(stdout, "");
    assert.match(stderr, words);
  }
});
