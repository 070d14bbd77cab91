// The snapshot's file: a line of JSON, padded, then the core of the code, then the memory, then the rest of the code (see split.ts). And how a snapshot knows its WebAssembly module.
import { createHash } from "node:crypto";
import { closeSync, fstatSync, openSync } from "node:fs";
import { name as encodeName, unsigned } from "./binary.ts";
import { type Image, imageLength, readFully } from "./image.ts";

/** Length of the head of a snapshot. */
export const HEAD = 65536;
/** A custom section at the end of cue.wasm has this name and the digest of everything before it. */
const STAMP = "dagger.digest";
const DIGEST = 32;

export interface Head {
  readonly format: 2;
  /** Digest of the cue.wasm that the snapshot was made of, hexadecimal. */
  readonly of: string;
  /** Bytes of the core. */
  readonly code: number;
  /** Digest of the core, hexadecimal. */
  readonly digest: string;
  /** Bytes of the rest. */
  readonly rest: number;
  readonly image: Image;
}

/** Appends to a module the digest of itself: reading some bytes at the end then tells which module a file holds. */
export function stamp(wasm: Uint8Array): Uint8Array {
  const name = encodeName(STAMP);
  return Buffer.concat([wasm, Uint8Array.of(0), unsigned(name.length + DIGEST), name, createHash("sha256").update(wasm).digest()]);
}

/** The digest of a stamped module, hexadecimal; undefined for any other file. Throws when there is no such file. */
export function readStamp(path: string): string | undefined {
  const name = encodeName(STAMP);
  const file = openSync(path, "r");
  try {
    const size = fstatSync(file).size;
    const end = Buffer.alloc(name.length + DIGEST);
    if (size < end.length) return undefined;
    readFully(file, end, size - end.length);
    return end.subarray(0, name.length).equals(name) ? end.subarray(name.length).toString("hex") : undefined;
  } finally {
    closeSync(file);
  }
}

export function encodeSnapshot(of: string, code: { core: Uint8Array; rest: Uint8Array }, image: Image, memory: Uint8Array): Uint8Array {
  const { core, rest } = code;
  const digest = createHash("sha256").update(core).digest("hex");
  const head: Head = { format: 2, of, code: core.length, digest, rest: rest.length, image };
  const line = Buffer.from(`${JSON.stringify(head)}\n`);
  if (line.length > HEAD) throw new Error(`the head of the snapshot needs ${line.length} bytes, more than ${HEAD}`);
  return Buffer.concat([line, Buffer.alloc(HEAD - line.length), core, memory, rest]);
}

/** Where the rest of the code begins. */
export function restAt({ code, image }: Head): number {
  return HEAD + code + imageLength(image);
}

/** Reads the head of an open snapshot. Throws when it is none, or cut short. */
export function readHead(file: number): Head {
  const bytes = Buffer.alloc(HEAD);
  readFully(file, bytes, 0);
  const head = JSON.parse(bytes.toString("utf8", 0, bytes.indexOf("\n"))) as Head;
  if (head.format !== 2) throw new Error("unknown format of the snapshot");
  if (fstatSync(file).size !== restAt(head) + head.rest) throw new Error("the snapshot ends too early");
  return head;
}
