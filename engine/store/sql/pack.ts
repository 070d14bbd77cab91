// How journals and blobs lie in the tables: packed, since logs repeat themselves.
import { deflateRawSync, inflateRawSync } from "node:zlib";
import type { NewEvent, NewLog } from "../records.ts";

/** The first byte says how the others are to be read. */
const asIs = 0;
const deflated = 1;

/** Fewer bytes are not packed: a short run need not load zlib for its few events. */
const worthPacking = 8192;

export function pack(bytes: Uint8Array): Uint8Array {
  const smaller = bytes.length > worthPacking ? deflateRawSync(bytes, { level: 1 }) : bytes;
  const form = smaller.length < bytes.length ? deflated : asIs;
  const packed = new Uint8Array(1 + (form === deflated ? smaller : bytes).length);
  packed[0] = form;
  packed.set(form === deflated ? smaller : bytes, 1);
  return packed;
}

export function unpack(packed: Uint8Array): Uint8Array {
  const rest = packed.subarray(1);
  return packed[0] === deflated ? inflateRawSync(rest) : rest;
}

/** How entries of a journal become bytes. `size` is what counts for the limit of a run. */
export interface Codec<Entry> {
  /** Of the journal's rows. */
  readonly kind: 1 | 2;
  encode(entries: readonly Entry[]): Uint8Array;
  decode(bytes: Uint8Array): Entry[];
  size(entry: Entry): number;
  lines(entry: Entry): number;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** An entry's size is asked for before it is written. */
const texts = new WeakMap<NewEvent, string>();

function textOf(entry: NewEvent): string {
  const text = texts.get(entry) ?? JSON.stringify(entry);
  texts.set(entry, text);
  return text;
}

export const events: Codec<NewEvent> = {
  kind: 1,
  encode: (entries) => encoder.encode(`[${entries.map(textOf).join(",")}]`),
  decode: (bytes) => JSON.parse(decoder.decode(bytes)) as NewEvent[],
  size: (entry) => textOf(entry).length,
  lines: () => 0,
};

type Head = [time: number, component: string, step: string, stream: 1 | 2, length: number];

/** A list of heads as JSON, its length before it in four bytes, and all that was written behind it. */
export const logs: Codec<NewLog> = {
  kind: 2,
  encode: (entries) => {
    const heads: Head[] = entries.map((log) => [log.time, log.component, log.step, log.stream, log.data.length]);
    const text = Buffer.from(JSON.stringify(heads));
    const length = Buffer.alloc(4);
    length.writeUInt32LE(text.length);
    return Buffer.concat([length, text, ...entries.map(({ data }) => data)]);
  },
  decode: (bytes) => {
    const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    let at = 4 + all.readUInt32LE(0);
    const heads = JSON.parse(all.toString("utf8", 4, at)) as Head[];
    return heads.map(([time, component, step, stream, length]) => {
      at += length;
      return { time, component, step, stream, data: new Uint8Array(all.subarray(at - length, at)) };
    });
  },
  // The head counts, too: a process that writes single bytes must not fill the disk with heads.
  size: (entry) => entry.data.length + 32,
  lines: ({ data }) => {
    let lines = 0;
    for (let at = data.indexOf(10); at !== -1; at = data.indexOf(10, at + 1)) lines++;
    return lines;
  },
};
