// CUE, compiled and ready to start: from the snapshot of an initialised instance where there is one, else from cue.wasm.
import { closeSync, openSync, readFileSync } from "node:fs";
import { totalmem } from "node:os";
import { setFlagsFromString } from "node:v8";
import { type Exports, Instance } from "./instance.ts";
import { compiledOf, readCompiled } from "./snapshot/compiled.ts";
import { HEAD, type Head, readHead, readStamp } from "./snapshot/file.ts";
import { readFully, restoreImage, worldAfter } from "./snapshot/image.ts";

export interface ProgramOptions {
  /** Path of cue.wasm; its snapshot lies beside it. */
  readonly wasm: string;
  /** False: initialise every instance anew. */
  readonly snapshot?: boolean;
  /** False: compile anew, instead of using the machine code that the build kept. */
  readonly compiled?: boolean;
  /** V8's budget for a function before it is optimized; by default it never is, which is best for a single evaluation. */
  readonly optimizeAfter?: number;
  /** Bytes that the memory of an instance may grow to; by default 2 GiB, or half of what the machine has. */
  readonly memoryLimit?: number;
}

const MEMORY_LIMIT = 2 ** 31;
/** Bytes. An instance that has grown larger is not used again: zeroing its memory would take longer than a new one. */
const REUSED = 2 ** 28;

/** V8 optimizes a function that has used up this budget. */
const NEVER = 1_000_000_000;

/** Starts instances of CUE. */
export class Program {
  readonly #options: ProgramOptions;
  #restorable: Restorable | undefined;
  #plain: WebAssembly.Module | undefined;

  /** Compiles. Throws when there is no cue.wasm. */
  constructor(options: ProgramOptions) {
    this.#options = options;
    setRunFlags(options.optimizeAfter);
    if (options.snapshot !== false) this.#restorable = openSnapshot(options);
    if (!this.#restorable) this.#compilePlain();
  }

  start(): Instance {
    return this.#limited(this.#restored(undefined) ?? new Instance(this.#plain ?? this.#compilePlain()));
  }

  /**
   * An instance that knows nothing of what `used` has evaluated. It is the same one, with its memory, where that can be: what V8
   * gives back of an instance that is dropped, and when, is up to its garbage collection.
   */
  startAgain(used: Instance): Instance {
    return used.memory > REUSED ? this.start() : this.#limited(this.#restored(used) ?? new Instance(this.module));
  }

  #limited(instance: Instance): Instance {
    instance.memoryLimit = this.#options.memoryLimit ?? Math.min(MEMORY_LIMIT, totalmem() / 2);
    return instance;
  }

  #restored(used: Instance | undefined): Instance | undefined {
    if (!this.#restorable) return undefined;
    const { file, head, module } = this.#restorable;
    const bring = (exports: Exports) => restoreImage(exports, head.image, file, HEAD + head.code, used !== undefined);
    try {
      if (!used) return new Instance(module, worldAfter(head.image), bring);
      used.renew(bring);
      return used;
    } catch {
      // Cut short, or not what its head says: as good as no snapshot.
      this.close();
      return undefined;
    }
  }

  /** The module that instances are made of. */
  get module(): WebAssembly.Module {
    return this.#restorable?.module ?? this.#plain ?? this.#compilePlain();
  }

  /** True while instances start from the snapshot. */
  get restores(): boolean {
    return this.#restorable !== undefined;
  }

  close(): void {
    if (this.#restorable) closeSync(this.#restorable.file);
    this.#restorable = undefined;
  }

  #compilePlain(): WebAssembly.Module {
    this.#plain = new WebAssembly.Module(readFileSync(this.#options.wasm));
    return this.#plain;
  }
}

/** Where the snapshot of a module lies. */
export function snapshotOf(wasm: string): string {
  return wasm.replace(/(\.wasm)?$/, ".snapshot");
}

/** Digest of the module that a snapshot beside a cue.wasm holds. Throws when there is none. */
export function moduleDigest(wasm: string): string {
  const file = openSync(snapshotOf(wasm), "r");
  try {
    return readHead(file).digest;
  } finally {
    closeSync(file);
  }
}

/** An open snapshot; the file stays the same one also when a build puts another in its place. */
interface Restorable {
  readonly file: number;
  readonly head: Head;
  readonly module: WebAssembly.Module;
}

/** Undefined when there is no snapshot, or one of another module. */
function openSnapshot({ wasm, compiled }: ProgramOptions): Restorable | undefined {
  let file: number;
  try {
    file = openSync(snapshotOf(wasm), "r");
  } catch {
    return undefined;
  }
  try {
    const head = readHead(file);
    if (head.of !== readStamp(wasm)) throw new Error("the snapshot is of another module");
    const code = new Uint8Array(new ArrayBuffer(head.code));
    readFully(file, code, HEAD);
    const ready = compiled === false ? undefined : readCompiled(compiledOf(wasm), { module: head.digest }, code);
    return { file, head, module: ready ?? new WebAssembly.Module(code) };
  } catch {
    closeSync(file);
    return undefined;
  }
}

/** They count while code is compiled: without them most of the start goes to checking and optimizing code. */
export function setRunFlags(optimizeAfter: number = NEVER): void {
  setFlagsFromString("--wasm-lazy-validation");
  setFlagsFromString(`--wasm-tiering-budget=${optimizeAfter}`);
}
