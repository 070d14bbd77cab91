// Snapshots: evaluations are the same with and without one, a broken one does no harm, and making one is reproducible.
import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { UserError } from "../../../compiler/diagnostic.ts";
import { createEvaluator, type Evaluator } from "../evaluate.ts";
import { Program, snapshotOf } from "../program.ts";
import { readSource } from "../source.ts";
import { inDirectory, repository } from "../testing.ts";
import { HEAD, readStamp, stamp } from "./file.ts";
import { worldAfter } from "./image.ts";
import { makeSnapshot } from "./make.ts";
import { makeObservable } from "./rewrite.ts";

const built = path.join(repository, "dist/cue.wasm");
const library = path.join(repository, "packages");
let dir: string;
let wasm: string;
before(() => {
  dir = mkdtempSync(path.join(tmpdir(), "snapshot-"));
  wasm = path.join(dir, "cue.wasm");
  symlinkSync(built, wasm);
});
after(() => rmSync(dir, { recursive: true }));

/** The answer to a config with inputs, as text; findings too. */
async function answer(evaluator: Evaluator, files: Record<string, string>, fills: { path: string; json: string }[]): Promise<string> {
  return inDirectory(files, async (cwd) => {
    try {
      const source = await readSource(evaluator, ".", { cwd, library });
      const first = await evaluator.load(source);
      const filled = await first.fill(fills.map((f) => ({ ...f, origin: `-i ${f.path}` })));
      return JSON.stringify([describe(first.root), describe(filled.root), filled.exportJson()]);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return JSON.stringify(error.diagnostics);
    }
  });
}

const describe = (value: unknown): string =>
  JSON.stringify(value, (_, v: unknown) => (v instanceof Map ? [...v] : typeof v === "bigint" ? `${v}n` : v));

const configs: Record<string, Record<string, string>> = {
  "our library": {
    "a.cue": `package a
import "cuellb.dev/op"
name: string | *"x"
n: int
app: {
	string
	#up: [op.#Scratch, op.#WriteFile & {dest: "/a", content: "hi \\(name)"}, op.#Export & {source: "/a"}]
}`,
  },
  "builtin packages": {
    "a.cue": `package a
import ("strings", "list", "encoding/json", "encoding/yaml", "crypto/sha256", "regexp", "math", "time", "text/template")
n: int
a: strings.Repeat("ab", 3), b: list.Range(0, 5, 1), c: json.Marshal({x: [1, 2]}), d: yaml.Marshal({y: a})
e: sha256.Sum256("x"), f: regexp.FindAll("a.", a, -1), g: math.Sqrt(2), h: time.Duration("3s"), i: template.Execute("{{.x}}", {x: 1})`,
  },
  "a findings of every phase": { "a.cue": "package a\nn: int\na: 1 & 2\nb: {c: string} & {c: 3}\n" },
  "a syntax error": { "a.cue": "package a\nn: [1,\nb: }" },
  "a vendored library in place of ours": {
    "a.cue": 'package a\nimport "cuellb.dev/op"\nn: int\na: op.x',
    "cue.mod/module.cue": 'module: "example.test/a"',
    "cue.mod/pkg/cuellb.dev/op/op.cue": "package op\nx: 5",
  },
};

test("evaluations are the same with and without the snapshot", async () => {
  const [restored, plain] = [true, false].map((snapshot) => createEvaluator({ wasm: built, follow: ["#up"], snapshot }));
  const program = new Program({ wasm: built });
  assert.equal(program.restores, true, "make build makes the snapshot");
  program.close();
  for (const [name, files] of Object.entries(configs)) {
    const fills = [{ path: "n", json: "7" }];
    assert.equal(
      await answer(await (restored as Promise<Evaluator>), files, fills),
      await answer(await (plain as Promise<Evaluator>), files, fills),
      name,
    );
  }
  await (await (restored as Promise<Evaluator>)).close();
  await (await (plain as Promise<Evaluator>)).close();
});

test("a restored instance grows its memory as far as an evaluation needs", async () => {
  const evaluator = await createEvaluator({ wasm: built, follow: ["#up"] });
  const files = [{ name: "a.cue", text: `import "list"\na: [for i in list.Range(0, 20000, 1) {x: "v\\(i)", y: i * 2}]` }];
  const packages = [{ importPath: "_", name: "", own: true, version: "", files, imports: {} }];
  const { root } = await evaluator.load({ dir, packages });
  assert.equal(root.fields.get("a")?.value.items[19_999]?.value.fields.get("y")?.value.scalar, 39_998);
  await evaluator.close();
});

test("without a snapshot, with a broken one and with one of another module every instance is initialised", async () => {
  const whole = readFileSync(snapshotOf(built));
  const foreign = Buffer.from(whole);
  foreign.write("z", whole.indexOf('"of":"') + 6);
  const broken: Record<string, Uint8Array | undefined> = {
    missing: undefined,
    empty: Buffer.alloc(0),
    "a cut head": whole.subarray(0, 100),
    "cut code": whole.subarray(0, HEAD + 1000),
    "cut memory": whole.subarray(0, -1),
    noise: Buffer.alloc(200_000, "noise"),
    "another module": foreign,
  };
  for (const [name, bytes] of Object.entries(broken)) {
    rmSync(snapshotOf(wasm), { force: true });
    if (bytes) writeFileSync(snapshotOf(wasm), bytes);
    const program = new Program({ wasm });
    const text = program.start().call({ call: "module", files: [{ name: "a.cue", text: 'module: "a.b/c"' }] });
    assert.match(text, /"module":"a\.b\/c@v0"/, name);
    assert.equal(program.restores, false, name);
    program.close();
  }
});

test("a module without a stamp has no snapshot", () => {
  copyFileSync(snapshotOf(built), snapshotOf(path.join(dir, "bare.wasm")));
  writeFileSync(path.join(dir, "bare.wasm"), readFileSync(built).subarray(0, -48));
  assert.equal(readStamp(path.join(dir, "bare.wasm")), undefined);
});

test("the stamp tells modules apart and leaves them valid", () => {
  const tiny = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
  new WebAssembly.Module(stamp(tiny));
  writeFileSync(path.join(dir, "a"), stamp(tiny));
  writeFileSync(path.join(dir, "b"), stamp(stamp(tiny)));
  assert.match(readStamp(path.join(dir, "a")) ?? "", /^[0-9a-f]{64}$/);
  assert.notEqual(readStamp(path.join(dir, "a")), readStamp(path.join(dir, "b")));
});

test("the same module and recipe give the same snapshot", () => {
  const text = 'package x\n\nimport "strings"\n\na: strings.ToUpper("a")\n';
  const packages = [{ importPath: "example.test/x", name: "x", own: false, version: "", files: [{ name: "x.cue", text }], imports: {} }];
  const make = () =>
    makeSnapshot(readFileSync(built), {
      of: "",
      packages,
      follow: ["#up"],
      exercises: [packages],
      runs: [[{ call: "load", packages, fills: [], follow: ["#up"] }]],
    });
  assert.ok(Buffer.from(make()).equals(make()));
});

test("what the core lacks is taken from the rest, in the middle of an evaluation", async () => {
  const small = path.join(dir, "small.wasm");
  copyFileSync(built, small);
  const load = (text: string) => ({
    call: "load" as const,
    packages: [{ importPath: "_", name: "", own: true, version: "", files: [{ name: "a.cue", text }], imports: {} }],
    fills: [],
    follow: ["#up"],
  });
  const known = load("a: 1");
  writeFileSync(
    snapshotOf(small),
    makeSnapshot(readFileSync(built), { of: readStamp(small) ?? "", packages: [], follow: ["#up"], exercises: [], runs: [[known]] }),
  );
  const program = new Program({ wasm: small });
  const plain = new Program({ wasm: built, snapshot: false });
  const instance = program.start();
  instance.call(known);
  assert.equal(program.whole, false);
  const texts = Object.values(configs).map((files) => files["a.cue"] ?? "");
  for (const text of [...texts, `import "list"\na: [for i in list.Range(0, 30000, 1) {x: "v\\(i)"}]`]) {
    assert.equal(program.startAgain(instance).call(load(text)), plain.start().call(load(text)), text);
  }
  assert.equal(program.whole, true);
  program.close();
});

test("configs as people write them need only the core", async () => {
  const program = new Program({ wasm: built });
  const evaluator = await createEvaluator({ wasm: built, follow: ["#up"] });
  for (const name of ["our library", "builtin packages"]) {
    await inDirectory(configs[name] ?? {}, async (cwd) => {
      const { packages } = await readSource(evaluator, ".", { cwd, library });
      const text = program.start().call({ call: "load", packages, fills: [], follow: ["#up"] });
      assert.match(text, /"nodes"/, name);
    });
  }
  assert.equal(program.whole, false);
  await evaluator.close();
  program.close();
});

test("a library that does not evaluate is refused when the snapshot is made", () => {
  const packages = [
    { importPath: "x.test/x", name: "x", own: false, version: "", files: [{ name: "x.cue", text: "package x\na: 1 & 2" }], imports: {} },
  ];
  assert.throws(() => makeSnapshot(readFileSync(built), { of: "", packages, follow: [], exercises: [], runs: [] }), /Two different values/);
});

test("a module whose memory grows in no known way is refused", () => {
  assert.throws(() => makeObservable(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)), /has no section/);
});

test("the clock of a restored instance goes on where the snapshot stopped", () => {
  const { elapsed } = worldAfter({ memory: 0, parts: [], globals: {}, elapsed: "5000000000000000" });
  const first = elapsed();
  assert.ok(first >= 5_000_000_000_000_000n);
  assert.ok(elapsed() >= first);
});
