// The snapshot's file: a line of JSON, padded, then the code, then the memory. And how a snapshot knows its WebAssembly module.
import { createHash } from "node:crypto";
import { closeSync, fstatSync, openSync } from "node:fs";
import { name as encodeName, unsigned } from "./binary.ts";
import { type Image, readFully } from "./image.ts";

/** Length of the head of a snapshot. */
export const HEAD = 65536;
/** A custom section at the end of cue.wasm has this name and the digest of everything before it. */
const STAMP = "dagger.digest";
const DIGEST = 32;

export interface Head {
  readonly format: 1;
  /** Digest of the cue.wasm that the snapshot was made of, hexadecimal. */
  readonly of: string;
  /** Bytes of code. */
  readonly code: number;
  /** Digest of the code, hexadecimal. */
  readonly digest: string;
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

export function encodeSnapshot(of: string, code: Uint8Array, image: Image, memory: Uint8Array): Uint8Array {
  const digest = createHash("sha256").update(code).digest("hex");
  const head: Head = { format: 1, of, code: code.length, digest, image };
  const line = Buffer.from(`${JSON.stringify(head)}\n`);
  if (line.length > HEAD) throw new Error(`the head of the snapshot needs ${line.length} bytes, more than ${HEAD}`);
  return Buffer.concat([line, Buffer.alloc(HEAD - line.length), code, memory]);
}

/** Reads the head of an open snapshot. Throws when it is none. */
export function readHead(file: number): Head {
  const bytes = Buffer.alloc(HEAD);
  readFully(file, bytes, 0);
  const head = JSON.parse(bytes.toString("utf8", 0, bytes.indexOf("\n"))) as Head;
  if (head.format !== 1) throw new Error("unknown format of the snapshot");
  return head;
}
