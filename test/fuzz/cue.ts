// What is fuzzed of CUE: the border to the shim, configs, and directory trees. Whatever comes, the answer is a value or findings for a person.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { UserError } from "../../compiler/diagnostic.ts";
import { withOpMistakes } from "../../compiler/index.ts";
import { createEvaluator, type Evaluator, WrongValues } from "../../runtime/cue/evaluate.ts";
import { Program } from "../../runtime/cue/program.ts";
import type { Answer, Request } from "../../runtime/cue/protocol.ts";
import { readSource } from "../../runtime/cue/source.ts";
import { parseTxtar } from "../support/txtar.ts";
import type { Random } from "./random.ts";

export type AsyncTarget = (random: Random) => Promise<void>;

const repository = fileURLToPath(new URL("../..", import.meta.url));
const wasm = join(repository, "dist/cue.wasm");

/** Every CUE file of the repository, those inside of archives too. */
function corpus(): string[] {
  const listed = execFileSync("git", ["ls-files", "-z", "*.cue", "*.txtar"], { cwd: repository, encoding: "utf8" });
  const names = listed.split("\0").filter((name) => name !== "");
  return names.flatMap((name) => {
    const text = readFileSync(join(repository, name), "utf8");
    if (name.endsWith(".cue")) return [text];
    return [...parseTxtar(text).files].filter(([file]) => file.endsWith(".cue")).map(([, content]) => content);
  });
}

const texts = corpus();

/** What a person may be told: never a bug's own words, always something to read. */
function tellable(error: unknown): void {
  if (!(error instanceof UserError)) throw error;
  for (const { code, message, at } of error.diagnostics) {
    assert.match(code, /^[a-z][a-z-]+$/);
    assert.notEqual(code, "cue-crash", String((error.cause as Error | undefined)?.message));
    assert.ok(message.length > 0);
    assert.doesNotMatch(message, /goroutine|runtime error|%!/);
    for (const place of at) assert.ok(place.line >= 0 && place.column >= 0);
  }
  if (error instanceof WrongValues) withOpMistakes(error.root, error.diagnostics, error.guessed);
}

let evaluator: Promise<Evaluator> | undefined;

async function evaluate(files: Readonly<Record<string, string | Buffer>>): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), "cue-fuzz-"));
  try {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(dir, name), content);
    await read(dir, ".");
  } finally {
    rmSync(dir, { recursive: true });
  }
}

async function read(cwd: string, target: string): Promise<void> {
  evaluator ??= createEvaluator({ wasm, follow: ["#up"] });
  try {
    const ready = await evaluator;
    await ready.load(await readSource(ready, target, { cwd, library: join(repository, "packages") }));
  } catch (error) {
    tellable(error);
  }
}

const hostile: readonly ((random: Random) => string)[] = [
  (random) => `a: ${"[".repeat(random.below(6000))}`,
  (random) => `a: ${"{b: ".repeat(random.below(3000))}1${"}".repeat(random.below(3000))}`,
  (random) => `a: ${"(".repeat(random.below(3000))}1`,
  (random) => `a: ${"9".repeat(1 + random.below(5000))}${random.pick(["", "e99999", "K", ".5e-99999", "Ti"])}`,
  (random) => `a: "${"x".repeat(random.below(200_000))}"`,
  (random) =>
    `a: 1 @${random.pick(["if", "tag", "embed", "x", "go", "ignore", "extern"])}(${random.pick(["", "a,b=c", '"', "((", "file=*", "\\"])})`,
  (random) =>
    `@${random.pick(["if", "ignore", "extern", "experiment"])}(${random.pick(["", "a&&", "!", "x||(y", "1", '"a"', "aliasv2", "try"])})\npackage a\nb: 1`,
  () => "\ufeffpackage a\r\na: 1\r\n",
  () => "a: 1\0b: 2",
  () => 'a: "\ud800"',
  (random) => Array.from({ length: random.below(1500) }, (_, i) => `x${i}: x${i + 1}`).join("\n"),
  (random) => `#A: {${random.pick(["a", "[string]", "..."])}: #A | *null}\nx: #A & {a: {a: {}}}`,
  (random) =>
    `a: ${random.pick(["a", "b", "a & b", "[a]", "{x: a}", "a | 1", "!a", "-a", "a[0]", "a.b", "len(a)"])}\nb: ${random.pick(["a", "1", "[b]", "{b}", "a & 5", "a.c"])}`,
  (random) => `import "list"\na: list.Repeat([1], ${random.below(3000)})\nb: list.Range(0, ${random.below(2000)}, 1)`,
  (random) => `import "strings"\na: strings.Repeat("x", ${random.pick(["-1", "0", "5", "1.5", "null", "1000000"])})`,
  (random) =>
    `import "${random.pick(["", "a b", "..", "/", "a//b", "cuellb.dev/op", "cuellb.dev/../op", "x.y/z@v0:a", "\\u0000", "strings:x", "x.y/:"])}"\na: 1`,
  (random) => `package ${random.pick(["_", "a.b", "1", "", "é", "x\npackage y"])}\na: 1`,
  (random) => `let x = ${random.pick(["x", "y", "1", "{x}"])}\na: x\nlet y = x`,
  (random) =>
    `for k, v in ${random.pick(["a", "{b: 1}", "[1]", "5", "null", "a.b"])} {"\\(k)": v}\na: ${random.pick(["b: 1", "1", "[a]"])}`,
  (random) =>
    `a: ${random.pick(['"\\(', "'\\xff'", '#"\\#(b)"#', '"""\n', "1.2.3", "0x", "1__0", "_|_", "div(1,0)", "1/0", "quo(1, 0.0)", "__x"])}`,
  (random) =>
    `app: #up: [${Array.from({ length: random.below(5) }, () => random.pick(['{do: "scratch"}', "app", "null", "{do: app}", '{do: "load", from: app}', "...", "5", "{}", "[[]]", '{do: "exec", args: x}', "x.y"])).join(", ")}]\nx: ${random.pick(["1", "x", "nowhere", "{y: app}"])}`,
];

const oddRequests = (random: Random): unknown =>
  random.pick<unknown>([
    null,
    [],
    5,
    {},
    { call: "scan" },
    { call: "data" },
    { call: "data", files: [] },
    { call: "load" },
    { call: "fill", fills: [{ path: "a" }] },
    { call: "load", packages: [{ imports: { "a.b/c": 7 }, files: [{ name: "a.cue", text: 'import "a.b/c"\nx: c.y' }] }] },
    { call: "load", packages: [{ imports: { "a.b/c": -1 }, files: [{ name: "a.cue", text: 'import "a.b/c"\nx: c.y' }] }] },
    { call: "load", packages: [{ files: [{ name: "", text: "a: 1" }] }], fills: [{ path: "a", text: "1", json: "{" }] },
    {
      call: "load",
      packages: [{ files: [{ name: "a.cue", text: "a: _" }] }],
      fills: [
        {
          path: random.pick(["", "a", "a.b", '"', "a[0]", "a?", "#x", "_y", "a..b"]),
          json: random.pick(["", "{", "1", "1e9999", "[[[[", '{"a":{}}']),
        },
      ],
    },
    { call: "scan", files: [{ name: "a", text: "a" }], version: random.pick(["x", "v99", "v0.0.0", "v0.4.3", "-1"]) },
    { call: "load", version: 5, packages: "x" },
  ]);

let program: Program | undefined;

export const cueTargets: Readonly<Record<string, AsyncTarget>> = {
  "requests to the shim that are no requests": async (random) => {
    program ??= new Program({ wasm });
    const instance = program.start();
    for (let i = 0; i < 8; i++) {
      const bytes = Buffer.from(JSON.stringify(oddRequests(random)));
      const sent = random.below(2) === 0 ? bytes : random.broken(bytes);
      const text = instance.callRaw(sent);
      const answer = JSON.parse(text) as Answer;
      assert.doesNotMatch(answer.internal ?? "", /goroutine/, `${sent.toString("latin1")}\n${answer.internal ?? ""}`);
      // The instance still answers what is right.
      const good: Request = { call: "scan", files: [{ name: "a.cue", text: "a: 1" }], tags: [], version: "" };
      assert.equal((JSON.parse(instance.call(good)) as Answer).scanned?.length, 1);
    }
  },

  "configs of this repository, broken": async (random) => {
    const files = Array.from({ length: 1 + random.below(2) }, (_, i) => [`${i}.cue`, random.broken(Buffer.from(random.pick(texts)))]);
    await evaluate(Object.fromEntries(files) as Record<string, Buffer>);
  },

  "configs of this repository, cut into lines and mixed": async (random) => {
    const lines = Array.from({ length: 3 }, () => random.pick(texts).split("\n")).flat();
    const kept = lines.filter(() => random.below(4) > 0);
    await evaluate({ "a.cue": kept.join("\n") });
  },

  "configs that mean harm": async (random) => {
    const parts = Array.from({ length: 1 + random.below(2) }, () => random.pick(hostile)(random));
    await evaluate({ "a.cue": parts.join("\n") });
  },

  "trees of directories": async (random) => {
    const root = mkdtempSync(join(tmpdir(), "cue-fuzz-"));
    try {
      plant(random, root, 0);
      await read(root, random.pick([".", "a", "a/b", "x.cue", "a/x.cue", "cue.mod", "nowhere", "a\0b"]));
    } finally {
      execFileSync("chmod", ["-R", "u+rwx", root]);
      rmSync(root, { recursive: true });
    }
  },
};

/** Fills a directory with what nobody would put there. */
function plant(random: Random, dir: string, depth: number): void {
  const entries: readonly ((path: string) => void)[] = [
    (path) => writeFileSync(path, random.pick(texts)),
    (path) => writeFileSync(path, random.bytes(random.below(200))),
    (path) =>
      writeFileSync(
        path,
        `package ${random.pick(["a", "b"])}\nimport "example.test/m/${random.pick(["a", "a/b", "x"])}"\ny: ${random.pick(["a", "b", "x"])}.y`,
      ),
    (path) => symlinkSync(random.pick([".", "..", path, "x.cue", "/dev/null", "/dev/zero", "nowhere"]), path),
    (path) => execFileSync("mkfifo", [path]),
    (path) => {
      writeFileSync(path, "a: 1");
      chmodSync(path, 0);
    },
    (path) => {
      mkdirSync(path);
      if (depth < 3) plant(random, path, depth + 1);
    },
  ];
  for (const name of ["x.cue", "y.cue", "a", "b", "cue.mod"]) if (random.below(2) === 0) random.pick(entries)(join(dir, name));
  if (depth > 0 || random.below(2) === 0) return;
  rmSync(join(dir, "cue.mod"), { recursive: true, force: true });
  mkdirSync(join(dir, "cue.mod"));
  const odd = [
    'module: "example.test/m"',
    "module: 5",
    "module: [",
    'module: "a b"',
    "",
    "deps: 5",
    'module: "x.y/z@v0"\nlanguage: version: "v99.0.0"',
    'language: version: "x"',
    "module: module",
  ];
  random.pick([
    () => writeFileSync(join(dir, "cue.mod/module.cue"), random.pick(odd)),
    () => mkdirSync(join(dir, "cue.mod/module.cue")),
    () => plant(random, join(dir, "cue.mod"), 2),
  ])();
}

/** Ends what the targets hold on to. */
export async function closeCue(): Promise<void> {
  await (await evaluator)?.close();
  program?.close();
  evaluator = undefined;
  program = undefined;
}
