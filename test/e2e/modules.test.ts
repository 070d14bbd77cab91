// Modules from end to end: published by the real cue to a real registry, added with `dagger mod get`, run on a real buildkitd, with the
// registry and without it.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { cue, moduleText, writeTree } from "../support/cue.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";
import { type Bench, startBench } from "./dagger.ts";

let bench: Bench;
let registry: TestRegistry;
let running = true;
let env: Record<string, string>;
const app = (): string => join(bench.dir, "app");

before(async () => {
  [bench, registry] = await Promise.all([startBench(), startRegistry()]);
  env = { CUE_REGISTRY: registry.host, CUE_CACHE_DIR: join(bench.dir, "cue") };
  const library = `package greet

#Greeting: {
	name: string
	word: string
	out: {
		string
		#up: [
			{do: "fetch-container", ref: "docker.io/library/busybox:latest"},
			{do: "exec", args: ["sh", "-c", "printf 'hello %s' \\"$NAME\\" > /out"], env: NAME: name},
			{do: "export", source: "/out"},
		]
	}
}
`;
  const words = writeTree(join(bench.dir, "words"), {
    "cue.mod/module.cue": moduleText("example.com/words@v0"),
    "a.cue": 'package words\n\nworld: "world"\n',
  });
  const home = { HOME: bench.dir, ...env };
  await cue(words, home, "mod", "publish", "v0.1.0");
  await cue(words, home, "mod", "publish", "v0.1.1");
  const greet = writeTree(join(bench.dir, "greet"), {
    "cue.mod/module.cue": moduleText("example.com/greet@v0", { "example.com/words@v0": "v0.1.0" }),
    "a.cue": library
      .replace("name: string", "name: string | *words.world")
      .replace("package greet", 'package greet\n\nimport "example.com/words"'),
  });
  await cue(greet, home, "mod", "publish", "v0.1.0");
});
after(async () => {
  if (running) await registry?.stop();
  // Directories of cue's cache cannot be written to.
  if (bench) execFileSync("chmod", ["-R", "u+w", bench.dir]);
  await bench?.end();
});

test("a module is started, gets another one with all that it needs, and runs", async () => {
  const init = await bench.dagger(["mod", "init", "example.com/app", "app"], env);
  assert.equal(init.code, 0, init.stderr);
  writeTree(app(), { "app.cue": 'package app\n\nimport "example.com/greet"\n\nhi: greet.#Greeting & {word: "hello"}\n' });
  const got = await bench.dagger(["mod", "get", "--dir", "app", "example.com/greet@latest"], env);
  assert.equal(got.code, 0, got.stderr);
  assert.equal(got.stdout, "example.com/greet@v0.1.0\nexample.com/words@v0.1.0\n");
  const up = await bench.dagger(["compute", "app"], env);
  assert.equal(up.code, 0, up.stderr);
  assert.equal((JSON.parse(up.stdout) as { hi: { out: string } }).hi.out, "hello world");
});

test("what dagger mod writes is what cue would write: it is tidy and formatted", async () => {
  const home = { HOME: bench.dir, ...env };
  await cue(app(), home, "mod", "tidy", "--check");
  await cue(app(), home, "fmt", "--check", "./cue.mod/module.cue");
});

test("dagger mod get leaves alone what a person wrote: comments, the order, other fields", async () => {
  const dir = join(bench.dir, "kept");
  const file = "cue.mod/module.cue";
  const text = (greet: string, words: string): string => `// What the module is for.
module: "example.com/kept@v0" // ours

// The newest that all of us have.
language: version: "v0.16.0"

// What it needs:
deps: {${greet}
	// Words in many languages.
	"example.com/words@v0": {
		v:       "${words}" // do not use v0.2
		default: true
	}

	// Add others here.
}

// Who takes care of it.
custom: "example.com": owner: "ada"
`;
  writeTree(dir, { [file]: text("", "v0.1.0") });
  const got = await bench.dagger(["mod", "get", "--dir", "kept", "example.com/greet@v0.1.0", "example.com/words@v0.1.1"], env);
  assert.equal(got.code, 0, got.stderr);
  const added = '\n\t"example.com/greet@v0": {\n\t\tv: "v0.1.0"\n\t}';
  assert.equal(readFileSync(join(dir, file), "utf8"), text(added, "v0.1.1"));
  await cue(dir, { HOME: bench.dir, ...env }, "fmt", "--check", "./cue.mod/module.cue");
});

test("dagger mod get tells what is wrong with a module's name or version", async () => {
  for (const [module, code] of [
    ["example.com/greet@v0.9.9", "module-not-found"],
    ["example.com/nothing@latest", "module-not-found"],
    ["example.com/greet@newest", "bad-module"],
    ["greet", "bad-module"],
  ] as const) {
    const before = readFileSync(join(app(), "cue.mod/module.cue"), "utf8");
    const refused = await bench.dagger(["mod", "get", "--dir", "app", module, "--output", "json"], env);
    assert.equal(refused.code, 2, refused.stderr);
    assert.match(refused.stdout, new RegExp(`"code": "${code}"`));
    assert.equal(readFileSync(join(app(), "cue.mod/module.cue"), "utf8"), before);
  }
  assert.equal((await bench.dagger(["mod", "init", "example.com/app", "app"], env)).code, 2);
  assert.equal((await bench.dagger(["mod", "get", "--dir", ".", "example.com/greet"], env)).code, 2);
});

test("with the registry down the cache is enough, and without the cache the error says what is missing", async () => {
  await registry.stop();
  running = false;
  const cached = await bench.dagger(["compute", "app", "-i", "hi.name=cache"], env);
  assert.equal(cached.code, 0, cached.stderr);
  const empty = { ...env, CUE_CACHE_DIR: join(bench.dir, "empty") };
  const down = await bench.dagger(["up", "app"], empty);
  assert.equal(down.code, 3);
  assert.match(down.stderr, /example\.com\/greet@v0\.1\.0 from the registry 127\.0\.0\.1:\d+/);
  assert.match(down.stderr, /app\/app\.cue:3:8/);
  for (const [flags, more] of [
    [["--offline"], {}],
    [[], { DAGGER_OFFLINE: "1" }],
  ] as const) {
    const offline = await bench.dagger(["up", "app", ...flags], { ...empty, ...more });
    assert.equal(offline.code, 3);
    assert.match(offline.stderr, /example\.com\/greet@v0\.1\.0 is not on this machine/);
  }
});

test("vendored modules need neither registry nor cache, for dagger and for cue", async () => {
  const vendored = await bench.dagger(["mod", "vendor", "--dir", "app", "--offline"], env);
  assert.equal(vendored.code, 0, vendored.stderr);
  assert.ok(existsSync(join(app(), "cue.mod/vendor/example.com/greet@v0/a.cue")));
  const empty = { ...env, CUE_CACHE_DIR: join(bench.dir, "empty2") };
  const up = await bench.dagger(["compute", "app", "--offline", "-i", "hi.name=vendor"], empty);
  assert.equal(up.code, 0, up.stderr);
  assert.equal((JSON.parse(up.stdout) as { hi: { out: string } }).hi.out, "hello vendor");
  const theirs = await cue(app(), { HOME: bench.dir, ...empty }, "eval", "-e", "hi.name");
  assert.match(theirs, /world/);
  // Once more over itself; and never over a file of the user's.
  assert.equal((await bench.dagger(["mod", "vendor", "--dir", "app", "--offline"], env)).code, 0);
  writeTree(app(), { "cue.mod/local-module.cue": "// mine\n" });
  assert.equal((await bench.dagger(["mod", "vendor", "--dir", "app"], env)).code, 2);
  rmSync(join(app(), "cue.mod/local-module.cue"));
});
