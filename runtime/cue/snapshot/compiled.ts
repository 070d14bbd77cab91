// Machine code of a snapshot's module, kept by V8 itself: the build lets it optimize what evaluations use, so that a run need not compile.
// V8 checks its version, its flags and the CPU, but not the bytes, and wrong bytes would end the process: hence the checksum.
import { closeSync, fstatSync, openSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { crc32 } from "node:zlib";
import { readBeside, readFully } from "./image.ts";

/** Bytes before the machine code: a line of JSON, padded. */
const HEAD = 4096;

/** What machine code belongs to. */
export interface CompiledFor {
  /** Digest of the module's bytes, hexadecimal. */
  readonly module: string;
}

/** Where the machine code for a module lies. */
export function compiledOf(wasm: string): string {
  return wasm.replace(/(\.wasm)?$/, ".code");
}

/** A file's contents: a head that says what it belongs to and what it must be, the machine code. */
export function encodeCompiled(code: Uint8Array, of: CompiledFor): Uint8Array {
  const line = Buffer.from(`${JSON.stringify({ ...identity(of), bytes: code.length, crc: crc32(code) } satisfies Head)}\n`);
  return Buffer.concat([line, Buffer.alloc(HEAD - line.length), code]);
}

/** The compiled module; undefined when the file is missing, damaged, or of another module, version of Node, set of flags or CPU. */
export function readCompiled(path: string, of: CompiledFor, module: Uint8Array): WebAssembly.Module | undefined {
  const kept = openCompiled(path, of);
  if (kept === undefined) return undefined;
  try {
    readFully(kept.file, kept.code, HEAD);
    return takeCompiled(kept, module);
  } catch {
    return undefined;
  } finally {
    closeSync(kept.file);
  }
}

/** As `readCompiled`, in another thread while the module itself is still to be read. */
export async function readCompiledBeside(path: string, of: CompiledFor): Promise<Kept | undefined> {
  const kept = openCompiled(path, of);
  if (kept === undefined) return undefined;
  try {
    await readBeside(kept.file, kept.code, HEAD);
    return kept;
  } catch {
    return undefined;
  } finally {
    closeSync(kept.file);
  }
}

/** The compiled module of machine code that was read; undefined when that is damaged, or V8 does not take it. */
export function takeCompiled({ head, code }: Kept, module: Uint8Array): WebAssembly.Module | undefined {
  if (crc32(code) !== head.crc) return undefined;
  return withNatives("code, module", "return %DeserializeWasmModule(code, module)", (run) => {
    const found = run(code.buffer, module);
    return found instanceof WebAssembly.Module ? found : undefined;
  });
}

/** Machine code in a buffer of its own, as V8 wants it. */
export interface Kept {
  readonly file: number;
  readonly head: Head;
  readonly code: Uint8Array;
}

interface Head extends CompiledFor {
  readonly node: string;
  readonly v8: string;
  readonly arch: string;
  /** How many bytes of machine code, and their CRC-32. */
  readonly bytes: number;
  readonly crc: number;
}

/** Undefined when there is no file, or it is of something else, or not of the length that it says. */
function openCompiled(path: string, of: CompiledFor): Kept | undefined {
  let file: number | undefined;
  try {
    file = openSync(path, "r");
    const line = Buffer.alloc(HEAD);
    readFully(file, line, 0);
    const head = JSON.parse(line.toString("utf8", 0, line.indexOf("\n"))) as Head;
    const { node, v8, arch } = identity(of);
    const ours = head.module === of.module && head.node === node && head.v8 === v8 && head.arch === arch;
    if (ours && fstatSync(file).size === HEAD + head.bytes) return { file, head, code: new Uint8Array(new ArrayBuffer(head.bytes)) };
  } catch {
    // As good as none.
  }
  if (file !== undefined) closeSync(file);
  return undefined;
}

/** The machine code that V8 has made for a module so far. */
export function serialize(module: WebAssembly.Module): Uint8Array {
  return withNatives("module", "return %SerializeWasmModule(module)", (run) => new Uint8Array(run(module) as ArrayBuffer));
}

function identity(of: CompiledFor): Pick<Head, "module" | "node" | "v8" | "arch"> {
  return { ...of, node: process.version, v8: process.versions.v8, arch: process.arch };
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
