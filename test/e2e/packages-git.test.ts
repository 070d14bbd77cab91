// Package git against a real git server: commits and tags of repositories that the daemon fetched, which have but one commit and no tags.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type GitServer, gitToken, startGitServer } from "../support/git-server.ts";
import { type PackageBench, startPackageBench } from "./packages.ts";

let packages: PackageBench;
let server: GitServer;

before(async () => {
  [packages, server] = await Promise.all([startPackageBench("docker.io/alpine/git:v2.49.1"), startGitServer()]);
});
after(async () => {
  await server?.stop();
  await packages?.bench.end();
});

interface About {
  readonly commit: string;
  readonly short: string;
  readonly tag: string;
  readonly describe: string;
  readonly date: string;
}

const head = 'package up\n\nimport (\n\t"cuellb.dev/git"\n\t"cuellb.dev/op"\n)\n\n_op: op.#Scratch\n';
let count = 0;

async function describe(repository: string, rest = "", secrets: Readonly<Record<string, string>> = {}): Promise<About> {
  const cue = `${head}repository: git.#Repository & {keepGitDir: true, ${repository}}\nabout: git.#Describe & {source: repository, ${rest}}\n`;
  const { code, stdout, stderr } = await packages.compute(`describe-${++count}`, cue, { secrets });
  assert.equal(code, 0, stderr);
  return (JSON.parse(stdout) as { about: About }).about;
}

test("a repository that the daemon fetched is told by the tags that its remote has, however it was fetched", async () => {
  const remote = `remote: "${server.url}/app"`;
  await server.commit("app", { a: "1" });
  assert.match((await describe(remote)).describe, /^[0-9a-f]{7,}$/, "there is no tag at all");
  assert.match((await describe(`${remote}, ref: "main"`)).describe, /^[0-9a-f]{7,}$/, "a branch is no tag");

  const tagged = await server.commit("app", { a: "2" }, { tag: "v1.0.0" });
  await server.commit("app", { a: "3" });
  const commit = await server.commit("app", { a: "4" });
  for (const ref of ["HEAD", "main", commit]) {
    const about = await describe(`${remote}, ref: "${ref}"`);
    assert.equal(about.commit, commit);
    assert.equal(about.describe, `v1.0.0-2-g${about.short}`, ref);
    assert.equal(about.tag, "", ref);
  }
  for (const ref of ["v1.0.0", tagged]) {
    const about = await describe(`${remote}, ref: "${ref}"`);
    assert.deepEqual([about.commit, about.tag, about.describe], [tagged, "v1.0.0", "v1.0.0"], ref);
  }
});

test("a tag that is set later is seen by the next run", async () => {
  await server.commit("later", { a: "1" });
  const cue = `${head}repository: git.#Repository & {keepGitDir: true, remote: "${server.url}/later"}
about: git.#Describe & {source: repository}
`;
  const tags: unknown[] = [];
  for (const tag of [undefined, "v2"]) {
    if (tag !== undefined) await server.tag("later", tag);
    const { code, stdout, stderr } = await packages.compute("later", cue);
    assert.equal(code, 0, stderr);
    tags.push((JSON.parse(stdout) as { about: About }).about.tag);
  }
  assert.deepEqual(tags, ["", "v2"]);
});

test("a private repository needs its token for tags, too; without one, and without its remote, that is told", async () => {
  await server.commit("private/app", { a: "1" }, { tag: "v3" });
  const token = 'token: secret: "token"';
  const repository = `remote: "${server.url}/private/app", ${token}`;
  const about = await describe(repository, token, { token: gitToken });
  assert.deepEqual([about.tag, about.describe], ["v3", "v3"]);
  const cue = `${head}repository: git.#Repository & {keepGitDir: true, ${repository}}\nabout: git.#Describe & {source: repository}\n`;
  const { code, stderr } = await packages.compute("no-token", cue, { secrets: { token: gitToken } });
  assert.equal(code, 1, stderr);
  assert.match(stderr, /Tags of http:\S+\/private\/app could not be fetched: look whether token or ssh is missing, or set fetch to false/);
  assert.ok(!stderr.includes(gitToken));
});

test("without asking the remote, what the daemon keeps as tags is not taken for tags", async () => {
  const remote = `remote: "${server.url}/quiet", ref: "main"`;
  await server.commit("quiet", { a: "1" }, { tag: "v4" });
  const about = await describe(remote, "fetch: false");
  assert.deepEqual([about.tag, about.describe], ["", about.short]);
});
