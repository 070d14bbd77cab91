// Machine code of a snapshot's module, kept by V8 itself: the build lets it optimize what evaluations use, so that a run need not compile.
// V8 checks its version, its flags and the CPU, but not the bytes, and wrong bytes would end the process: hence the digests.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";

const DIGEST = 32;

/** What machine code belongs to. */
export interface CompiledFor {
  /** Digest of the module's bytes, hexadecimal. */
  readonly module: string;
}

/** Where the machine code for a module lies. */
export function compiledOf(wasm: string): string {
  return wasm.replace(/(\.wasm)?$/, ".code");
}

/** A file's contents: a digest of all that follows, a line that says what it belongs to, the machine code. */
export function encodeCompiled(code: Uint8Array, of: CompiledFor): Uint8Array {
  const rest = Buffer.concat([Buffer.from(line(of)), code]);
  return Buffer.concat([createHash("sha256").update(rest).digest(), rest]);
}

/** The compiled module; undefined when the file is missing, damaged, or of another module, version of Node, set of flags or CPU. */
export function readCompiled(file: string, of: CompiledFor, module: Uint8Array): WebAssembly.Module | undefined {
  try {
    const bytes = readFileSync(file);
    const rest = bytes.subarray(DIGEST);
    const expected = Buffer.from(line(of));
    if (!rest.subarray(0, expected.length).equals(expected)) return undefined;
    if (!createHash("sha256").update(rest).digest().equals(bytes.subarray(0, DIGEST))) return undefined;
    return deserialize(rest.subarray(expected.length), module);
  } catch {
    return undefined;
  }
}

/** The machine code that V8 has made for a module so far. */
export function serialize(module: WebAssembly.Module): Uint8Array {
  return withNatives("module", "return %SerializeWasmModule(module)", (run) => new Uint8Array(run(module) as ArrayBuffer));
}

function deserialize(code: Uint8Array, module: Uint8Array): WebAssembly.Module | undefined {
  // V8 wants an ArrayBuffer that is nothing else's.
  const own = new Uint8Array(code).buffer;
  return withNatives("code, module", "return %DeserializeWasmModule(code, module)", (run) => {
    const found = run(own, module);
    return found instanceof WebAssembly.Module ? found : undefined;
  });
}

function line(of: CompiledFor): string {
  return `${JSON.stringify({ ...of, node: process.version, v8: process.versions.v8, arch: process.arch })}\n`;
}

/** V8 offers this only to code that is parsed while the flag is set. */
function withNatives<T>(parameters: string, body: string, use: (run: (...args: unknown[]) => unknown) => T): T {
  setFlagsFromString("--allow-natives-syntax");
  try {
    return use(new Function(parameters, body) as (...args: unknown[]) => unknown);
  } finally {
    setFlagsFromString("--no-allow-natives-syntax");
  }
}
