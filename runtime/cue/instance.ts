// One running instance of CUE: passes requests in and answers out.
import type { Request } from "./protocol.ts";
import { CORE, openDoor } from "./snapshot/rest.ts";
import { LIMIT, MEMORY, WASM_PAGE } from "./snapshot/rewrite.ts";
import { type Guest, realWorld, type World, wasiImports } from "./wasi.ts";

/**
 * Garbage collection of the Go side: evaluations are short, so memory is spent before time is, up to a limit. After the first collection,
 * the shim goes on with 400.
 */
const ENVIRONMENT = ["GOGC=1000", "GOMEMLIMIT=1024MiB"];
/** Bytes. What CUE answers is some hundred bytes for each operation; decoded, it takes some ten times as much memory. */
const LONGEST_ANSWER = 128 << 20;

/** What the WebAssembly module exports. */
export interface Exports {
  readonly memory: WebAssembly.Memory;
  /** Pages that memory may grow to; only in a module that was made for snapshots. */
  readonly [LIMIT]?: WebAssembly.Global;
  _initialize(): void;
  buffer(length: number): number;
  call(): number;
  answered(): number;
}

/** The caller wanted no more of an evaluation. */
export class GaveUp extends Error {}

/** The evaluation, or its answer, needs more memory than there may be. */
export class OutOfMemory extends Error {}

export interface InstanceOptions {
  readonly world?: World;
  /** Brings the instance into the state in which it answers; without it, it initialises itself (some 100 ms). */
  readonly bring?: (exports: Exports) => void;
  /** For modules that were made for snapshots. */
  readonly memory?: WebAssembly.Memory;
  /** The rest of a module that is the core of one. */
  readonly rest?: () => WebAssembly.Module;
}

export class Instance {
  readonly #exports: Exports;
  readonly #guest: Guest = { memory: new WebAssembly.Memory({ initial: 0 }), crash: "" };
  #giveUp: () => boolean = () => false;

  constructor(module: WebAssembly.Module, options: InstanceOptions = {}) {
    const { world = realWorld, bring = (own) => own._initialize(), memory, rest } = options;
    const names = WebAssembly.Module.imports(module).flatMap(({ name, kind }) => (kind === "function" ? [name] : []));
    // CUE looks at the clock every few milliseconds while it evaluates.
    const elapsed = (): bigint => {
      if (this.#giveUp()) throw new GaveUp();
      return world.elapsed();
    };
    const system = { wasi_snapshot_preview1: wasiImports(this.#guest, ENVIRONMENT, names, { ...world, elapsed }) };
    const imports = memory === undefined ? system : { ...system, [MEMORY.module]: { [MEMORY.name]: memory } };
    const instance = new WebAssembly.Instance(module, imports);
    if (rest !== undefined) openDoor(instance.exports, () => new WebAssembly.Instance(rest(), { ...imports, [CORE]: instance.exports }));
    this.#exports = instance.exports as unknown as Exports;
    this.#guest.memory = this.#exports.memory;
    bring(this.#exports);
  }

  /** Brings the instance, in whatever state it is, into another one. */
  renew(bring: (exports: Exports) => void): void {
    this.#guest.crash = "";
    bring(this.#exports);
  }

  /** Bytes of memory that it has. */
  get memory(): number {
    return this.#exports.memory.buffer.byteLength;
  }

  /** Bytes that the memory of CUE may grow to. */
  set memoryLimit(bytes: number) {
    const limit = this.#exports[LIMIT];
    if (limit) limit.value = Math.floor(bytes / WASM_PAGE);
  }

  /**
   * Answers one request, as JSON text; `giveUp` is asked often whether to stop. Throws GaveUp, OutOfMemory, and RangeError when the
   * evaluation needs more stack; the instance is unusable then.
   */
  call(request: Request, giveUp: () => boolean = () => false): string {
    return this.callRaw(Buffer.from(JSON.stringify(request)), giveUp);
  }

  /** As `call`, for a request that is bytes already, whatever they are. */
  callRaw(bytes: Uint8Array, giveUp: () => boolean = () => false): string {
    this.#giveUp = giveUp;
    try {
      const at = this.#exports.buffer(bytes.length) >>> 0;
      new Uint8Array(this.#exports.memory.buffer).set(bytes, at);
      const length = this.#exports.call() >>> 0;
      if (length > LONGEST_ANSWER) throw new OutOfMemory();
      return Buffer.from(this.#exports.memory.buffer, this.#exports.answered() >>> 0, length).toString("utf8");
    } catch (error) {
      // Go does not look everywhere whether it got the memory that it asked for: the error may be any.
      if (this.#exports[LIMIT]?.value === 0 || /out of memory|cannot allocate memory/.test(this.#guest.crash)) throw new OutOfMemory();
      throw error;
    } finally {
      this.#giveUp = () => false;
    }
  }
}
