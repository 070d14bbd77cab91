// Machine code that the build kept: the same answers, and nothing at all happens when its file is not what it should be.
import assert from "node:assert/strict";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { moduleDigest, Program, setRunFlags, snapshotOf } from "../program.ts";
import type { Request } from "../protocol.ts";
import { repository } from "../testing.ts";
import { compiledOf, encodeCompiled, readCompiled } from "./compiled.ts";
import { HEAD, readHead } from "./file.ts";

const built = path.join(repository, "dist/cue.wasm");
/** Bytes before the machine code. */
const HEAD_OF_CODE = 4096;
let dir: string;
before(() => {
  dir = mkdtempSync(path.join(tmpdir(), "compiled-"));
  setRunFlags();
});
after(() => rmSync(dir, { recursive: true }));

/** The module's bytes, as the snapshot holds them. */
function moduleBytes(): Uint8Array {
  const file = openSync(snapshotOf(built), "r");
  const { code } = readHead(file);
  closeSync(file);
  return new Uint8Array(readFileSync(snapshotOf(built)).subarray(HEAD, HEAD + code));
}

function load(text: string): Request {
  const packages = [{ importPath: "_", name: "", own: true, version: "", files: [{ name: "a.cue", text }], imports: {} }];
  return { call: "load", packages, fills: [], follow: ["#up"] };
}

function answer(wasm: string, compiled: boolean, text: string): string {
  const program = new Program({ wasm, compiled });
  try {
    return program.start().call(load(text));
  } finally {
    program.close();
  }
}

test("the build keeps machine code that this Node takes", () => {
  const of = { module: moduleDigest(built) };
  assert.ok(readCompiled(compiledOf(built), of, moduleBytes()) instanceof WebAssembly.Module);
});

test("evaluations are the same with and without it", () => {
  const texts = [
    'import "strings"\na: strings.ToUpper("x"), #D: {b: int, c?: string}\nd: [for i in [1, 2, 3] {#D & {b: i}}]',
    "a: 1 & 2",
    "a: [",
  ];
  for (const text of texts) assert.equal(answer(built, true, text), answer(built, false, text), text);
});

test("a file that is missing, cut, changed, or of something else is not used", () => {
  const whole = readFileSync(compiledOf(built));
  const bytes = moduleBytes();
  const of = { module: moduleDigest(built) };
  const code = whole.subarray(HEAD_OF_CODE);
  const file = path.join(dir, "x.code");
  const wrong: Record<string, Uint8Array> = {
    nothing: Buffer.alloc(0),
    "half a head": whole.subarray(0, 32),
    "no code": whole.subarray(0, HEAD_OF_CODE),
    "half of it": whole.subarray(0, whole.length >> 1),
    "all but the last byte": whole.subarray(0, -1),
    "a byte more": Buffer.concat([whole, Buffer.alloc(1)]),
    "the code of another module": encodeCompiled(code, { module: "0".repeat(64) }),
    "the code of another Node": Buffer.from(
      whole.toString("latin1").replace(process.version, "v0".padEnd(process.version.length, "0")),
      "latin1",
    ),
    "a code that V8 does not know": encodeCompiled(Buffer.alloc(1000, 1), of),
    "no code at all": encodeCompiled(Buffer.alloc(0), of),
  };
  for (const at of [0, 31, 40, HEAD_OF_CODE + 10, whole.length >> 1, whole.length - 1]) {
    const changed = Buffer.from(whole);
    changed[at] = (changed[at] as number) ^ 4;
    wrong[`byte ${at} changed`] = changed;
  }
  assert.equal(readCompiled(path.join(dir, "none"), of, bytes), undefined);
  for (const [name, contents] of Object.entries(wrong)) {
    writeFileSync(file, contents);
    assert.equal(readCompiled(file, of, bytes), undefined, name);
  }
});

test("a program whose machine code is damaged compiles anew", () => {
  const wasm = path.join(dir, "cue.wasm");
  symlinkSync(built, wasm);
  symlinkSync(snapshotOf(built), snapshotOf(wasm));
  writeFileSync(compiledOf(wasm), readFileSync(compiledOf(built)).subarray(0, 100_000));
  assert.equal(answer(wasm, true, "a: 1 + 1"), answer(built, false, "a: 1 + 1"));
});
