// One running instance of CUE: passes requests in and answers out.
import type { Request } from "./protocol.ts";
import { type Guest, realWorld, type World, wasiImports } from "./wasi.ts";

/** Garbage collection of the Go side: evaluations are short, so memory is spent before time is, up to a limit. */
const ENVIRONMENT = ["GOGC=400", "GOMEMLIMIT=1024MiB"];

/** What the WebAssembly module exports. */
export interface Exports {
  readonly memory: WebAssembly.Memory;
  _initialize(): void;
  buffer(length: number): number;
  call(): number;
  answered(): number;
}

export class Instance {
  readonly #exports: Exports;

  /** `bring` brings the instance into the state in which it answers; without it, it initialises itself (some 100 ms). */
  constructor(module: WebAssembly.Module, world: World = realWorld, bring: (exports: Exports) => void = (own) => own._initialize()) {
    const guest: Guest = { memory: new WebAssembly.Memory({ initial: 0 }), crash: "" };
    const names = WebAssembly.Module.imports(module).map((i) => i.name);
    const instance = new WebAssembly.Instance(module, { wasi_snapshot_preview1: wasiImports(guest, ENVIRONMENT, names, world) });
    this.#exports = instance.exports as unknown as Exports;
    guest.memory = this.#exports.memory;
    bring(this.#exports);
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
