// One running instance of CUE: compiles the WebAssembly module, starts it, and passes requests in and answers out.
import { readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import type { Request } from "./protocol.ts";
import { type Guest, wasiImports } from "./wasi.ts";

/** Garbage collection of the Go side: evaluations are short, so memory is spent before time is, up to a limit. */
const ENVIRONMENT = ["GOGC=400", "GOMEMLIMIT=1024MiB"];

interface Exports {
  readonly memory: WebAssembly.Memory;
  _initialize(): void;
  buffer(length: number): number;
  call(): number;
  answered(): number;
}

/** Compiles dist/cue.wasm. The flags must be set before: without them most of the start goes to checking and optimizing code. */
export function compileModule(path: string): WebAssembly.Module {
  setFlagsFromString("--wasm-lazy-validation");
  setFlagsFromString("--wasm-tiering-budget=1000000000");
  return new WebAssembly.Module(readFileSync(path));
}

export class Instance {
  readonly #exports: Exports;

  constructor(module: WebAssembly.Module) {
    const guest: Guest = { memory: new WebAssembly.Memory({ initial: 0 }), crash: "" };
    const names = WebAssembly.Module.imports(module).map((i) => i.name);
    const instance = new WebAssembly.Instance(module, { wasi_snapshot_preview1: wasiImports(guest, ENVIRONMENT, names) });
    this.#exports = instance.exports as unknown as Exports;
    guest.memory = this.#exports.memory;
    this.#exports._initialize();
  }

  /** Answers one request, as JSON text. Throws RangeError when the evaluation needs more stack; the instance is unusable then. */
  call(request: Request): string {
    const bytes = Buffer.from(JSON.stringify(request));
    const at = this.#exports.buffer(bytes.length) >>> 0;
    new Uint8Array(this.#exports.memory.buffer).set(bytes, at);
    const length = this.#exports.call();
    return Buffer.from(this.#exports.memory.buffer, this.#exports.answered() >>> 0, length).toString("utf8");
  }
}
