// A snapshot: the memory and the globals of an instance that has initialised itself, in one file with the code that they belong to.
import { read, readSync } from "node:fs";
import type { Exports } from "../instance.ts";
import { realWorld, type World } from "../wasi.ts";
import { GLOBAL } from "./rewrite.ts";

/** Memory is kept in units of this many bytes; those that hold only zeros are left out. */
const UNIT = 4096;
/** Fewer, larger reads: gaps of up to so many units are kept although they hold only zeros. */
const GAP = 16;

/** What an instance is beside its code. */
export interface Image {
  /** Bytes of memory. */
  readonly memory: number;
  /** Parts of memory: where, and how many bytes; everything else is zero. */
  readonly parts: readonly (readonly [at: number, length: number])[];
  /** Mutable globals by exported name; text stands for 64 bits. */
  readonly globals: Readonly<Record<string, number | string>>;
  /** Nanoseconds that its clock showed: it must not go back. */
  readonly elapsed: string;
}

/** How many bytes the parts of an image have together. */
export function imageLength(image: Image): number {
  return image.parts.reduce((sum, [, length]) => sum + length, 0);
}

/** The state of an instance of an observable module, and the bytes of the parts. */
export function takeImage(exports: Exports, elapsed: bigint): { image: Image; bytes: Buffer } {
  const parts: [number, number][] = [];
  const memory = exports.memory.buffer;
  const words = new BigUint64Array(memory);
  for (let at = 0; at < memory.byteLength; at += UNIT) {
    if (isZero(words, at)) continue;
    const last = parts.at(-1);
    if (last && at - (last[0] + last[1]) <= GAP * UNIT) last[1] = at + UNIT - last[0];
    else parts.push([at, UNIT]);
  }
  const globals = Object.entries(exports)
    .filter(([name]) => name.startsWith(GLOBAL))
    .map(([name, global]) => [name, encode((global as WebAssembly.Global).value)] as const);
  return {
    image: { memory: memory.byteLength, parts, globals: Object.fromEntries(globals), elapsed: String(elapsed) },
    bytes: Buffer.concat(parts.map(([at, length]) => new Uint8Array(memory, at, length))),
  };
}

function isZero(words: BigUint64Array, at: number): boolean {
  for (let i = at / 8; i < (at + UNIT) / 8; i++) if (words[i] !== 0n) return false;
  return true;
}

function encode(value: number | bigint): number | string {
  return typeof value === "bigint" ? String(value) : value;
}

/** Bytes that one thread reads at a time. */
const SHARE = 2 << 20;

/** Fills a new memory with the parts of an image, in threads beside this one. Rejects when the file is too short. */
export async function readImage({ buffer }: WebAssembly.Memory, image: Image, file: number, offset: number): Promise<void> {
  const reads: Promise<void>[] = [];
  let from = offset;
  for (const [at, length] of image.parts) {
    for (let done = 0; done < length; done += SHARE) {
      reads.push(readBeside(file, new Uint8Array(buffer, at + done, Math.min(SHARE, length - done)), from + done));
    }
    from += length;
  }
  // All of them: the file must stay open until the last has ended.
  const failed = (await Promise.allSettled(reads)).find((result) => result.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

/** As readFully, in another thread. */
export function readBeside(file: number, bytes: Uint8Array, from: number): Promise<void> {
  return new Promise((resolve, reject) => {
    read(file, bytes, 0, bytes.length, from, (error, count) => {
      if (error !== null) reject(error);
      else if (count === 0) reject(new Error("the snapshot ends too early"));
      else if (count < bytes.length) resolve(readBeside(file, bytes.subarray(count), from + count));
      else resolve();
    });
  });
}

/**
 * Brings an instance into the state of an image, whose parts are read from a file straight into memory. One that was `used` may have
 * more memory, which is zeroed. Throws when the file is too short.
 */
export function restoreImage(exports: Exports, image: Image, file: number, offset: number, used: boolean): void {
  const memory = new Uint8Array(exports.memory.buffer);
  if (used ? memory.length < image.memory : memory.length !== image.memory) throw new Error("the snapshot belongs to another module");
  let from = offset;
  let end = 0;
  for (const [at, length] of image.parts) {
    if (used) memory.fill(0, end, at);
    end = at + length;
    readFully(file, memory.subarray(at, end), from);
    from += length;
  }
  if (used) memory.fill(0, end);
  restoreGlobals(exports, image);
}

/** Brings an instance, used or not, into the state of an image whose parts are in memory. */
export function putImage(exports: Exports, image: Image, bytes: Uint8Array): void {
  const memory = new Uint8Array(exports.memory.buffer);
  memory.fill(0);
  let from = 0;
  for (const [at, length] of image.parts) {
    memory.set(bytes.subarray(from, from + length), at);
    from += length;
  }
  restoreGlobals(exports, image);
}

/** What is left to do once memory is that of the image. */
export function restoreGlobals(exports: Exports, image: Image): void {
  for (const [name, value] of Object.entries(image.globals)) {
    const global = (exports as unknown as Record<string, WebAssembly.Global>)[name];
    if (!global) throw new Error("the snapshot belongs to another module");
    global.value = typeof value === "string" ? BigInt(value) : value;
  }
}

/** The real world, with a clock that goes on where that of the image stopped. */
export function worldAfter(image: Image): World {
  const start = process.hrtime.bigint() - BigInt(image.elapsed);
  return { ...realWorld, elapsed: () => process.hrtime.bigint() - start };
}

/** Fills `bytes` from a place of a file. Throws when the file ends before. */
export function readFully(file: number, bytes: Uint8Array, from: number): void {
  for (let done = 0; done < bytes.length; ) {
    const read = readSync(file, bytes, done, bytes.length - done, from + done);
    if (read === 0) throw new Error("the snapshot ends too early");
    done += read;
  }
}
