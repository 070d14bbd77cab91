// fetch-git on a real buildkitd, from a real git server on loopback: refs, directories, submodules, checksums, secrets.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type GitServer, gitToken, startGitServer } from "../support/git-server.ts";
import { type Bench, startBench } from "./dagger.ts";

let bench: Bench;
let git: GitServer;
let first: string;
let second: string;
let bundled: string;

before(async () => {
  [bench, git] = await Promise.all([startBench(), startGitServer()]);
  await git.commit("module", { "in-module": "of the module" });
  first = await git.commit("app", { "hello.txt": "one", "sub/inner.txt": "inner" }, { tag: "v1" });
  second = await git.commit("app", { "hello.txt": "two" }, { submodule: `${git.url}/module` });
  // A bundle wants the history, which fetches of single commits from the same remote at the same time keep from the daemon's copy of it.
  await git.commit("bundled", { "hello.txt": "one" });
  bundled = await git.commit("bundled", { "hello.txt": "two" });
  await git.commit("private/app", { "hello.txt": "private" });
});
after(async () => {
  await git?.stop();
  await bench?.end();
});

/** Runs a config in which `#Show` is a component that prints what a shell command says in the files of `#src`. */
async function run(name: string, cue: string, ...flags: string[]) {
  const dir = join(bench.dir, name);
  mkdirSync(dir);
  const show = `#Show: {
	string
	#src: _
	#run: *"cat hello.txt" | string
	#up: [
		{do: "fetch-container", ref: "docker.io/library/busybox:latest"},
		{do: "exec", args: ["sh", "-c", "cd /src && { \\(#run); } > /out"], mount: "/src": from: #src},
		{do: "export", source: "/out"},
	]
}
#Git: {do: "fetch-git", remote: *"${git.url}/app" | string, ref: *"main" | string, ...}
`;
  writeFileSync(join(dir, "up.cue"), `package up\n\n${show}${cue}`);
  return bench.dagger(["compute", ...flags, dir]);
}

test("branches, tags and commits are fetched, whole, as a directory, with .git, with and without submodules", async () => {
  const { code, stdout, stderr } = await run(
    "refs",
    `branch: #Show & {_, #src: #Git}
tag: #Show & {_, #src: #Git & {ref: "v1"}}
commit: #Show & {_, #src: #Git & {ref: "${first}", checksum: "${first.slice(0, 10)}"}}
byCommit: #Show & {_, #src: #Git & {checksum: "${second}", fetchByCommit: true}}
dir: #Show & {_, #src: #Git & {subdir: "sub"}, #run: "ls"}
plain: #Show & {_, #src: #Git, #run: "test -e .git && echo kept || echo none"}
kept: #Show & {_, #src: #Git & {keepGitDir: true}, #run: "cat .git/HEAD | wc -l; test -d .git/objects && echo kept"}
modules: #Show & {_, #src: #Git, #run: "cat module/in-module"}
noModules: #Show & {_, #src: #Git & {submodules: false}, #run: "ls module | wc -l"}
times: #Show & {_, #src: #Git & {mtime: "commit"}, #run: "stat -c %Y hello.txt"}
bundle: #Show & {_, #src: #Git & {remote: "${git.url}/bundled", ref: "${bundled}", checkoutBundle: true}, #run: "head -c 15 bundle"}
`,
  );
  assert.equal(code, 0, stderr);
  assert.deepEqual(JSON.parse(stdout), {
    branch: "two",
    tag: "one",
    commit: "one",
    byCommit: "two",
    dir: "inner.txt\n",
    plain: "none\n",
    kept: "1\nkept\n",
    modules: "of the module",
    noModules: "0\n",
    times: "1577934245\n",
    bundle: "# v2 git bundle",
  });
});

test("a private repository is fetched with a token or a header, which nothing shows", async () => {
  const cue = `private: #Show & {_, #src: #Git & {remote: "${git.url}/private/app", #auth}}\n`;
  const file = join(bench.dir, "token.txt");
  writeFileSync(file, gitToken);
  const token = await run("token", `${cue}#auth: authToken: secret: "tok"\n`, "--secret", `tok=file:${file}`);
  assert.equal(token.code, 0, token.stderr);
  assert.equal(token.stdout, '{"private":"private"}\n');
  assert.ok(git.seen.some((header) => header.startsWith("basic ")));

  const headerFile = join(bench.dir, "header.txt");
  writeFileSync(headerFile, `Bearer ${gitToken}`);
  const header = await run("header", `${cue}#auth: authHeader: secret: "head"\n`, "--secret", `head=file:${headerFile}`);
  assert.equal(header.code, 0, header.stderr);

  // The name that every git source tries.
  const usual = await run("usual", `${cue}#auth: {}\n`, "--secret", `GIT_AUTH_TOKEN=file:${file}`);
  assert.equal(usual.code, 0, usual.stderr);

  const llb = await bench.dagger(["llb", "--format", "json", join(bench.dir, "token")]);
  for (const text of [token.stdout, token.stderr, header.stderr, llb.stdout, await bench.daemon.log()]) {
    assert.ok(!text.includes(gitToken) && !text.includes(Buffer.from(`x-access-token:${gitToken}`).toString("base64")));
  }
});

test("a missing secret, a wrong token, an unknown ref, another commit and a missing directory are each told at their line", async () => {
  const wrong = join(bench.dir, "wrong.txt");
  writeFileSync(wrong, "not-it");
  const cases: [name: string, cue: string, flags: string[], code: number, words: RegExp][] = [
    ["no-secret", `{authToken: secret: "nobody"}`, [], 2, /Missing secret "nobody"/],
    [
      "wrong-token",
      `{remote: "${git.url}/private/app", authToken: secret: "t"}`,
      ["--secret", `t=file:${wrong}`],
      1,
      /could not read Username/,
    ],
    ["no-ref", `{ref: "nowhere"}`, [], 1, /nowhere/],
    ["other-commit", `{checksum: "${first}"}`, [], 1, new RegExp(first)],
    ["no-dir", `{subdir: "nowhere"}`, [], 1, /nowhere/],
    ["no-repository", `{remote: "${git.url}/nothing"}`, [], 1, /not found/],
  ];
  for (const [name, fields, flags, wanted, words] of cases) {
    const { code, stderr } = await run(name, `app: #Show & {_, #src: #Git & ${fields}}\n`, ...flags);
    assert.equal(code, wanted, `${name}: ${stderr}`);
    assert.match(stderr, words, name);
    assert.match(stderr, /up\.cue:\d+:\d+/, name);
    assert.ok(!stderr.includes("not-it"), name);
  }
});
