// CUE, compiled and ready to start: from the snapshot of an initialised instance where there is one, else from cue.wasm.
import { closeSync, openSync, readFileSync } from "node:fs";
import { totalmem } from "node:os";
import { setFlagsFromString } from "node:v8";
import { type Exports, Instance } from "./instance.ts";
import { compiledOf, readCompiled, readCompiledBeside, takeCompiled } from "./snapshot/compiled.ts";
import { HEAD, type Head, readHead, readStamp, restAt } from "./snapshot/file.ts";
import { readFully, readImage, restoreGlobals, restoreImage, worldAfter } from "./snapshot/image.ts";
import { WASM_PAGE } from "./snapshot/rewrite.ts";

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
  #rest: WebAssembly.Module | undefined;
  #plain: WebAssembly.Module | undefined;
  /** Memory of the first instance, as the snapshot has it. */
  #filled: WebAssembly.Memory | undefined;

  /** Compiles. Throws when there is no cue.wasm. `open` does the same sooner, with other threads' help. */
  constructor(options: ProgramOptions, given?: Restorable) {
    this.#options = options;
    setRunFlags(options.optimizeAfter);
    this.#restorable = given ?? compile(options);
    if (!this.#restorable) this.#compilePlain();
  }

  /** As the constructor; other threads read the kept machine code, and the memory of the first instance while this one compiles. */
  static async open(options: ProgramOptions): Promise<Program> {
    const snapshot = openSnapshot(options);
    if (snapshot === undefined) return new Program(options);
    setRunFlags(options.optimizeAfter);
    const { file, head } = snapshot;
    const keeping = options.compiled === false ? undefined : readCompiledBeside(compiledOf(options.wasm), { module: head.digest });
    const memory = newMemory(head);
    const filling = readImage(memory, head.image, file, HEAD + head.code);
    try {
      const core = readCore(snapshot);
      const kept = await keeping;
      const module = (kept && takeCompiled(kept, core)) ?? new WebAssembly.Module(core);
      await filling;
      const program = new Program(options, { ...snapshot, module });
      program.#filled = memory;
      return program;
    } catch {
      // Not what its head says: as good as no snapshot. The file stays open until nobody reads it any more.
      await Promise.allSettled([filling, keeping]);
      closeSync(file);
      return new Program({ ...options, snapshot: false });
    }
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
    const restorable = this.#restorable;
    const { file, head, module } = restorable;
    const bring = (exports: Exports) => restoreImage(exports, head.image, file, HEAD + head.code, used !== undefined);
    try {
      if (!used) {
        const filled = this.#filled;
        this.#filled = undefined;
        const options = { world: worldAfter(head.image), rest: () => (this.#rest ??= readRest(restorable)) };
        if (filled === undefined) return new Instance(module, { ...options, bring, memory: newMemory(head) });
        return new Instance(module, { ...options, bring: (exports) => restoreGlobals(exports, head.image), memory: filled });
      }
      used.renew(bring);
      return used;
    } catch {
      // Cut short, or not what its head says: as good as no snapshot.
      this.close();
      return undefined;
    }
  }

  /** The module that instances are made of; with a snapshot, only its core. */
  get module(): WebAssembly.Module {
    return this.#restorable?.module ?? this.#plain ?? this.#compilePlain();
  }

  /** True once something was called that the core of the module lacks. */
  get whole(): boolean {
    return this.#rest !== undefined;
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
interface Snapshot {
  readonly file: number;
  readonly head: Head;
}

interface Restorable extends Snapshot {
  readonly module: WebAssembly.Module;
}

function newMemory({ image }: Head): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: image.memory / WASM_PAGE });
}

/** Undefined when there is no snapshot, or one of another module, or none is wanted. */
function openSnapshot({ wasm, snapshot }: ProgramOptions): Snapshot | undefined {
  if (snapshot === false) return undefined;
  let file: number;
  try {
    file = openSync(snapshotOf(wasm), "r");
  } catch {
    return undefined;
  }
  try {
    const head = readHead(file);
    if (head.of !== readStamp(wasm)) throw new Error("the snapshot is of another module");
    return { file, head };
  } catch {
    closeSync(file);
    return undefined;
  }
}

/** Undefined without a snapshot, and when it is damaged. */
function compile(options: ProgramOptions): Restorable | undefined {
  const snapshot = openSnapshot(options);
  if (snapshot === undefined) return undefined;
  try {
    const core = readCore(snapshot);
    const ready = options.compiled === false ? undefined : readCompiled(compiledOf(options.wasm), { module: snapshot.head.digest }, core);
    return { ...snapshot, module: ready ?? new WebAssembly.Module(core) };
  } catch {
    closeSync(snapshot.file);
    return undefined;
  }
}

function readCore({ file, head }: Snapshot): Uint8Array<ArrayBuffer> {
  const core = new Uint8Array(new ArrayBuffer(head.code));
  readFully(file, core, HEAD);
  return core;
}

/** The file is open as long as instances that may need it are made. */
function readRest({ file, head }: Snapshot): WebAssembly.Module {
  const code = new Uint8Array(new ArrayBuffer(head.rest));
  readFully(file, code, restAt(head));
  return new WebAssembly.Module(code);
}

/** They count while code is compiled: without them most of the start goes to checking and optimizing code. */
export function setRunFlags(optimizeAfter: number = NEVER): void {
  setFlagsFromString("--wasm-lazy-validation");
  setFlagsFromString(`--wasm-tiering-budget=${optimizeAfter}`);
}
