// The few WASI functions that Go's runtime needs: a clock, randomness, and standard error for a crash. No files, no network.
import { randomFillSync } from "node:crypto";

const OK = 0;
const BADF = 8;
const NOSYS = 52;
/** poll_oneoff: sizes of a subscription and offsets in it. */
const SUBSCRIPTION = { size: 48, tag: 8, timeout: 24, flags: 40 } as const;

/** What the imports look at: the module's memory, known only after it was instantiated. */
export interface Guest {
  memory: WebAssembly.Memory;
  /** What Go wrote to standard error: it does so only when it crashes. */
  crash: string;
}

/** What the imports get from outside. */
export interface World {
  /** Nanoseconds since 1970. */
  readonly time: () => bigint;
  /** Nanoseconds since any moment; never goes back. */
  readonly elapsed: () => bigint;
  readonly fillRandom: (bytes: Uint8Array) => void;
}

export const realWorld: World = {
  time: () => BigInt(Date.now()) * 1_000_000n,
  elapsed: () => process.hrtime.bigint(),
  fillRandom: (bytes) => void randomFillSync(bytes),
};

/** Imports of module `wasi_snapshot_preview1`. Functions that are not needed answer "not supported". */
export function wasiImports(
  guest: Guest,
  environment: readonly string[],
  names: readonly string[],
  world: World,
): WebAssembly.ModuleImports {
  const view = (): DataView => new DataView(guest.memory.buffer);
  const bytes = (at: number, length: number): Uint8Array => new Uint8Array(guest.memory.buffer, at, length);
  const strings = (list: readonly string[]) => new StringList(list, view, bytes);
  const args = strings(["cue"]);
  const env = strings(environment);
  const supported: Record<string, (...args: never[]) => number> = {
    sched_yield: () => OK,
    proc_exit: (code: number) => {
      throw new Error(`CUE ended with code ${code}: ${guest.crash}`);
    },
    args_sizes_get: (count: number, size: number) => args.sizes(count, size),
    args_get: (pointers: number, buffer: number) => args.write(pointers, buffer),
    environ_sizes_get: (count: number, size: number) => env.sizes(count, size),
    environ_get: (pointers: number, buffer: number) => env.write(pointers, buffer),
    clock_time_get: (id: number, _precision: bigint, out: number) => {
      view().setBigUint64(out, id === 0 ? world.time() : world.elapsed(), true);
      return OK;
    },
    random_get: (at: number, length: number) => {
      world.fillRandom(bytes(at, length));
      return OK;
    },
    fd_write: (_fd: number, vectors: number, count: number, written: number) => {
      let total = 0;
      for (let i = 0; i < count; i++) {
        const part = bytes(view().getUint32(vectors + 8 * i, true), view().getUint32(vectors + 8 * i + 4, true));
        guest.crash += Buffer.from(part).toString("utf8");
        total += part.length;
      }
      view().setUint32(written, total, true);
      return OK;
    },
    poll_oneoff: (subscriptions: number, events: number, count: number, happened: number) =>
      sleep(world, view(), subscriptions, events, count, happened),
    fd_fdstat_get: () => BADF,
    fd_prestat_get: () => BADF,
  };
  const imports: WebAssembly.ModuleImports = {};
  for (const name of names) imports[name] = supported[name] ?? (() => NOSYS);
  return imports;
}

/** Waits for the earliest clock of the subscriptions; Go asks for nothing else. */
function sleep(world: World, view: DataView, subscriptions: number, events: number, count: number, happened: number): number {
  let first: { wait: bigint; at: number } | undefined;
  for (let i = 0; i < count; i++) {
    const at = subscriptions + SUBSCRIPTION.size * i;
    if (view.getUint8(at + SUBSCRIPTION.tag) !== 0) continue;
    let wait = view.getBigUint64(at + SUBSCRIPTION.timeout, true);
    const absolute = (view.getUint16(at + SUBSCRIPTION.flags, true) & 1) === 1;
    if (absolute) wait -= world.elapsed();
    if (!first || wait < first.wait) first = { wait, at };
  }
  if (!first) return NOSYS;
  if (first.wait > 0n) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(first.wait) / 1e6);
  view.setBigUint64(events, view.getBigUint64(first.at, true), true);
  view.setUint16(events + 8, 0, true);
  view.setUint8(events + 10, 0);
  view.setUint32(happened, 1, true);
  return OK;
}

/** Arguments or environment, as WASI hands them over: pointers and zero-terminated strings. */
class StringList {
  readonly #list: readonly Uint8Array[];
  readonly #view: () => DataView;
  readonly #bytes: (at: number, length: number) => Uint8Array;

  constructor(list: readonly string[], view: () => DataView, bytes: (at: number, length: number) => Uint8Array) {
    this.#list = list.map((s) => new TextEncoder().encode(`${s}\0`));
    this.#view = view;
    this.#bytes = bytes;
  }

  sizes(count: number, size: number): number {
    this.#view().setUint32(count, this.#list.length, true);
    this.#view().setUint32(
      size,
      this.#list.reduce((sum, s) => sum + s.length, 0),
      true,
    );
    return OK;
  }

  write(pointers: number, buffer: number): number {
    let at = buffer;
    this.#list.forEach((s, i) => {
      this.#view().setUint32(pointers + 4 * i, at, true);
      this.#bytes(at, s.length).set(s);
      at += s.length;
    });
    return OK;
  }
}
