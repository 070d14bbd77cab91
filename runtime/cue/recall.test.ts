// Evaluations that earlier runs kept: used when nothing has changed, without CUE; not used when anything has.
import assert from "node:assert/strict";
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { UserError } from "../../compiler/diagnostic.ts";
import { Cache } from "./cache.ts";
import { createEvaluator, type Fill } from "./evaluate.ts";
import { evaluationsDir, openCache } from "./open-cache.ts";
import { readSource } from "./source.ts";
import { inDirectory, repository } from "./testing.ts";

const built = path.join(repository, "dist/cue.wasm");
/** An evaluator with this module can only remember. */
const nowhere = "no/such/cue.wasm";

const config = {
  "cue.mod/module.cue": 'module: "example.test/m"\nlanguage: version: "v0.17.0"\n',
  "app/app.cue": 'package app\n\nimport (\n\t"example.test/m/lib"\n\t"cuellb.dev/op"\n)\n\nn: int | *1\na: lib.x\nb: op.y\n',
  "app/old.cue": "package app\n\nold: true\n",
  "app/cond.cue": "@if(!x)\n\npackage app\n",
  "app/data.cue":
    '@extern(embed)\n\npackage app\n\n_one: _ @embed(file=one.json)\nmany: _ @embed(glob=many/*.json)\nt: string | *"d" @tag(t,var=os)\n',
  "app/one.json": '{"a": 1}',
  "app/many/a.json": "1",
  "lib/lib.cue": "package lib\n\nx: 1\n",
  "library/op/op.cue": "package op\n\ny: 2\n",
  "notes.txt": "",
};

interface How {
  readonly wasm?: string;
  readonly fills?: readonly Fill[];
  readonly more?: readonly Fill[];
  readonly tags?: readonly string[];
  readonly injectVars?: boolean;
  readonly at?: string;
  readonly cached?: boolean;
}

/** The data of the config in `dir` as text. */
async function evaluate(dir: string, how: How = {}): Promise<string> {
  const { wasm = built, fills = [], more, tags = [], injectVars = false, at = "app", cached = true } = how;
  const cache = cached ? new Cache({ dir: path.join(dir, "cache"), identity: "test" }) : undefined;
  const evaluator = await createEvaluator({ wasm, follow: ["#up"], cache });
  try {
    const source = await readSource(evaluator, at, { cwd: dir, library: path.join(dir, "library"), tags, injectVars, cache });
    const evaluation = await evaluator.load(source, fills);
    return JSON.stringify((more ? await evaluation.fill(more) : evaluation).exportJson());
  } finally {
    await evaluator.close();
  }
}

const asked = (promise: Promise<string>): Promise<void> => assert.rejects(promise, (error) => !(error instanceof UserError));
const n = (json: string): Fill => ({ path: "n", json, origin: "-i n" });

test("what was evaluated before is not evaluated again, and CUE is not even started", () =>
  inDirectory(config, async (dir) => {
    await asked(evaluate(dir, { wasm: nowhere }));
    const first = await evaluate(dir);
    assert.equal(first, '{"n":1,"a":1,"b":2,"many":{"many/a.json":1},"t":"d","old":true}');
    assert.equal(await evaluate(dir, { wasm: nowhere }), first);
  }));

const changes: Record<string, (dir: string) => void> = {
  "a changed file": (dir) => writeFileSync(path.join(dir, "app/app.cue"), "package app\n\na: 5\n"),
  "a changed file of the same length and time": (dir) => writeFileSync(path.join(dir, "lib/lib.cue"), "package lib\n\nx: 9\n"),
  "an added file": (dir) => writeFileSync(path.join(dir, "app/new.cue"), "package app\n\nnew: 1\n"),
  "a removed file": (dir) => rmSync(path.join(dir, "app/old.cue")),
  "an added file of an imported package": (dir) => writeFileSync(path.join(dir, "lib/more.cue"), "package lib\n\nx: <2\n"),
  "a changed library": (dir) => writeFileSync(path.join(dir, "library/op/op.cue"), "package op\n\ny: 3\n"),
  "an added file of the library": (dir) => writeFileSync(path.join(dir, "library/op/z.cue"), "package op\n\nz: 3\n"),
  "a file of the same package in a directory above": (dir) => writeFileSync(path.join(dir, "above.cue"), "package app\n\nabove: 1\n"),
  "a changed module file": (dir) => writeFileSync(path.join(dir, "cue.mod/module.cue"), 'module: "example.test/m"\n'),
  "a changed embedded file": (dir) => writeFileSync(path.join(dir, "app/one.json"), '{"a": 2}'),
  "an embedded file that is gone and another in its place": (dir) => {
    rmSync(path.join(dir, "app/many/a.json"));
    writeFileSync(path.join(dir, "app/many/b.json"), "1");
  },
  "a file that a pattern matches": (dir) => writeFileSync(path.join(dir, "app/many/b.json"), "2"),
  "a local module file": (dir) => writeFileSync(path.join(dir, "cue.mod/local-module.cue"), "deps: {}"),
  "a tool, whose package counts": (dir) => writeFileSync(path.join(dir, "app/x_tool.cue"), "package app"),
  "a vendored package in place of the library's": (dir) => {
    mkdirSync(path.join(dir, "cue.mod/pkg/cuellb.dev/op"), { recursive: true });
    writeFileSync(path.join(dir, "cue.mod/pkg/cuellb.dev/op/op.cue"), "package op\n\ny: 7\n");
  },
  "a module nearer by": (dir) => {
    mkdirSync(path.join(dir, "app/cue.mod/pkg/example.test/m/lib"), { recursive: true });
    writeFileSync(path.join(dir, "app/cue.mod/module.cue"), 'module: "example.test/n"\nlanguage: version: "v0.9.0"\n');
    writeFileSync(path.join(dir, "app/cue.mod/pkg/example.test/m/lib/lib.cue"), "package lib\n\nx: 8\n");
  },
  "a directory that became a link to another": (dir) => {
    mkdirSync(path.join(dir, "other"));
    writeFileSync(path.join(dir, "other/lib.cue"), "package lib\n\nx: 4\n");
    rmSync(path.join(dir, "lib"), { recursive: true });
    symlinkSync(path.join(dir, "other"), path.join(dir, "lib"));
  },
};

for (const [name, change] of Object.entries(changes)) {
  test(`${name} is noticed`, () =>
    inDirectory(config, async (dir) => {
      await evaluate(dir);
      change(dir);
      await asked(evaluate(dir, { wasm: nowhere }));
      const now = await evaluate(dir);
      assert.equal(now, await evaluate(dir, { cached: false }));
      assert.equal(await evaluate(dir, { wasm: nowhere }), now);
    }));
}

test("files that belong to no package do not matter", () =>
  inDirectory(config, async (dir) => {
    const first = await evaluate(dir);
    for (const name of ["app/notes.md", "app/_x.cue", "app/.cue", "out"]) writeFileSync(path.join(dir, name), "?");
    assert.equal(await evaluate(dir, { wasm: nowhere }), first);
  }));

test("another input, tag, directory or follow-up value is another question", () =>
  inDirectory(config, async (dir) => {
    await evaluate(dir);
    for (const how of [
      { fills: [n("2")] },
      { tags: ["x"] },
      { tags: ["t=1"] },
      { tags: ["t=2"] },
      { injectVars: true },
      { at: "lib" },
      { more: [n("3")] },
      { fills: [{ ...n("1"), origin: "other" }] },
    ]) {
      await asked(evaluate(dir, { ...how, wasm: nowhere }));
      assert.equal(await evaluate(dir, how), await evaluate(dir, { ...how, cached: false }));
      assert.equal(await evaluate(dir, { ...how, wasm: nowhere }), await evaluate(dir, { ...how, cached: false }));
    }
  }));

test("a value that comes later is filled also when what was before is only remembered", () =>
  inDirectory(config, async (dir) => {
    await evaluate(dir);
    assert.match(await evaluate(dir, { more: [n("4")] }), /"n":4/);
    assert.match(await evaluate(dir, { more: [n("4")], wasm: nowhere }), /"n":4/);
  }));

test("findings are told again each time", () =>
  inDirectory({ ...config, "app/old.cue": "package app\n\nold: 1 & 2\n" }, async (dir) => {
    for (let run = 0; run < 2; run++) await assert.rejects(evaluate(dir), (error) => error instanceof UserError && error.exit === 2);
  }));

test("a byte order mark does not keep a source from being remembered", () =>
  inDirectory({ "app/a.cue": "\ufeffpackage a\n\nx: 1\n" }, async (dir) => {
    const first = await evaluate(dir);
    assert.equal(await evaluate(dir, { wasm: nowhere }), first);
  }));

test("there is no cache from source, for an unknown module, or when it is switched off", () =>
  inDirectory({}, async (dir) => {
    const env = { DAGGER_CACHE_DIR: dir };
    assert.ok(openCache(env, built, "1", "file:///x/engine-AAAA.js"));
    assert.equal(evaluationsDir(env), path.join(dir, "cue"));
    assert.equal(openCache(env, built, "1", "file:///x/config.ts"), undefined);
    assert.equal(openCache({ ...env, DAGGER_CUE_CACHE: "off" }, built, "1", "file:///x/engine-AAAA.js"), undefined);
    writeFileSync(path.join(dir, "plain.wasm"), "plain");
    assert.equal(openCache(env, path.join(dir, "plain.wasm"), "1", "file:///x/engine-AAAA.js"), undefined);
  }));
