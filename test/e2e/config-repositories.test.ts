// Stacks whose config is in a git repository or a CUE module: fetched, pinned, moved on, gone.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { cue, moduleText, writeTree } from "../support/cue.ts";
import { type GitServer, startGitServer } from "../support/git-server.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";
import { type Bench, startBench } from "./dagger.ts";

const config = (word: string): string => `package ci
name: string
greeting: {
	string
	#up: [
		{do: "fetch-container", ref: "docker.io/library/busybox:latest"},
		{do: "exec", args: ["sh", "-c", "printf '${word} %s %s' \\"$NAME\\" \\"$(cat /in/word)\\" > /out"], env: NAME: name, mount: "/in": from: [{do: "local", dir: "."}]},
		{do: "export", source: "/out"},
	]
}
save: #up: [{do: "write-file", dest: "/saved", content: name}, {do: "save-dir", dest: "out"}]
`;
let bench: Bench;
let git: GitServer;
let registry: TestRegistry;
let env: Record<string, string>;
let first: string;

before(async () => {
  [bench, git, registry] = await Promise.all([startBench(), startGitServer(), startRegistry()]);
  env = { CUE_REGISTRY: registry.host, CUE_CACHE_DIR: join(bench.dir, "cue"), DAGGER_CACHE_DIR: join(bench.dir, "cache") };
  first = await git.commit("ci", { "tools/ci.cue": config("Hello"), "tools/word": "one" });
  assert.equal((await bench.dagger(["init"], env)).code, 0);
});
after(async () => {
  await Promise.all([git?.stop(), registry?.stop()]);
  execFileSync("chmod", ["-R", "u+w", bench.dir]);
  await bench?.end();
});

async function greeting(stack: string, ...flags: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await bench.dagger(["up", "-s", stack, "--output", "json", "-i", "name=Ada", ...flags], env);
  assert.equal(code, 0, stderr);
  return (JSON.parse(stdout) as { values: { greeting: string } }).values.greeting;
}

async function fails(code: string, ...args: readonly string[]): Promise<string> {
  const outcome = await bench.dagger(args, env);
  assert.notEqual(outcome.code, 0, outcome.stdout);
  assert.match(outcome.stderr, new RegExp(`error\\[${code}\\]`));
  return outcome.stderr;
}

test("a git config runs at the commit that is written down, and moves on when it is told to", async () => {
  const made = await bench.dagger(["stack", "new", "tools", "--git", `${git.url}/ci`, "--ref", "main", "--subdir", "tools"], env);
  assert.equal(made.code, 0, made.stderr);
  const pinned = (): string =>
    (JSON.parse(readFileSync(join(bench.dir, ".dagger/stacks/tools/stack.json"), "utf8")) as { config: { commit: string } }).config.commit;
  assert.equal(pinned(), first);
  assert.equal(await greeting("tools"), "Hello Ada one");
  assert.equal(readFileSync(join(bench.dir, "out/saved"), "utf8"), "Ada", "what is saved goes to the workspace");
  const second = await git.commit("ci", { "tools/ci.cue": config("Bye"), "tools/word": "two" });
  assert.equal(await greeting("tools", "--offline"), "Hello Ada one");
  rmSync(join(bench.dir, "cache"), { recursive: true });
  assert.equal(await greeting("tools"), "Hello Ada one", "an older commit is fetched, too");
  assert.equal((await bench.dagger(["stack", "edit", "tools", "--update"], env)).code, 0);
  assert.equal(pinned(), second);
  assert.equal(await greeting("tools"), "Bye Ada two");
  assert.ok(!existsSync(join(bench.dir, "cache/configs/out")));
});

test("what is wrong with a repository is told", async () => {
  const source = ["--git", `${git.url}/ci`];
  assert.match(await fails("git-config", "stack", "new", "a", "--git", `${git.url}/nothing`), /Cannot fetch http:.*nothing: /);
  assert.match(await fails("git-config", "stack", "new", "a", ...source, "--ref", "nope"), /couldn't find remote ref nope/);
  await fails("config-not-found", "stack", "new", "a", ...source, "--subdir", "nowhere");
  await fails("config-not-found", "stack", "new", "a", ...source, "--subdir", "../..");
  await fails("bad-git-config", "stack", "new", "a", "--git", "--upload-pack=touch x");
  await fails("bad-git-config", "stack", "new", "a", ...source, "--ref", "--exec=x");
  const password = await fails("bad-git-config", "stack", "new", "a", "--git", "https://me:hunter2@example.com/ci.git");
  assert.doesNotMatch(password, /hunter2/);
  await fails("git-config-offline", "stack", "new", "a", ...source, "--offline");
  assert.ok(!existsSync(join(bench.dir, ".dagger/stacks/a")));
});

test("a repository that is gone stops only who has no copy of its commit", async () => {
  const gone = join(git.root, "ci");
  const aside = `${gone}.aside`;
  execFileSync("mv", [existsSync(gone) ? gone : `${gone}.git`, aside]);
  try {
    assert.equal(await greeting("tools"), "Bye Ada two");
    assert.equal(await greeting("tools", "--offline"), "Bye Ada two");
    const moving = await fails("git-config", "stack", "edit", "tools", "--update");
    assert.match(moving, /Cannot fetch http:.*\/ci: /);
    rmSync(join(bench.dir, "cache"), { recursive: true });
    const told = await fails("git-config", "up", "-s", "tools", "-i", "name=Ada");
    assert.match(told, /Cannot fetch http:.*\/ci: /);
    assert.match(told, /hint: Check the address and the ref, and that `git ls-remote` with them works here/);
    await fails("git-config-offline", "up", "-s", "tools", "-i", "name=Ada", "--offline");
  } finally {
    execFileSync("mv", [aside, gone]);
  }
  assert.equal(await greeting("tools"), "Bye Ada two");
});

test("a module's version is written down, and its config runs from cue's cache", async () => {
  const tree = (word: string): string =>
    writeTree(join(bench.dir, "site"), {
      "cue.mod/module.cue": moduleText("example.com/site@v0"),
      "ci/ci.cue": config(word),
      "ci/word": word,
    });
  const home = { HOME: bench.dir, ...env };
  await cue(tree("Hi"), home, "mod", "publish", "v0.1.0");
  const made = await bench.dagger(["stack", "new", "site", "--module", "example.com/site", "--subdir", "ci"], env);
  assert.equal(made.code, 0, made.stderr);
  await cue(tree("Hey"), home, "mod", "publish", "v0.2.0");
  assert.equal(await greeting("site"), "Hi Ada Hi");
  assert.equal((await bench.dagger(["stack", "edit", "site", "--update"], env)).code, 0);
  assert.equal(await greeting("site"), "Hey Ada Hey");
  await fails("module-not-found", "stack", "new", "b", "--module", "example.com/site@v0.9.0");
});
