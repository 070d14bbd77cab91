// The packets of fsutil's file transfer, encoded and decoded by hand: they are the hot path of every upload and export.
// Types: runtime peer is github.com/tonistiigi/fsutil; the messages are fsutil.types.Packet and Stat.
import { varintSize, writeVarint } from "../grpc/frame.ts";

export const PacketType = { stat: 0, request: 1, data: 2, finish: 3, error: 4 } as const;

/** Go's os.FileMode bits, which travel in Stat.mode. */
export const Mode = {
  dir: 0x80000000,
  symlink: 0x08000000,
  device: 0x04000000,
  fifo: 0x02000000,
  socket: 0x01000000,
  setuid: 0x00800000,
  setgid: 0x00400000,
  charDevice: 0x00200000,
  sticky: 0x00100000,
  irregular: 0x00080000,
  /** Any of these: not a regular file. */
  type: 0x8f280000,
} as const;

/** One file as a STAT packet tells it. `mode` is Go's FileMode, `mtime` nanoseconds since 1970. */
export interface Stat {
  readonly path: string;
  readonly mode: number;
  readonly size: number;
  readonly mtime: bigint;
  /** Target of a symlink; of a regular file, the path it is a hard link of. */
  readonly linkname: string;
  /** Numbers of a device that is sent; received ones are of no use here. */
  readonly device?: { readonly major: number; readonly minor: number };
}

/** A decoded packet. `data` is a view into what was decoded. */
export interface Packet {
  readonly type: number;
  readonly id: number;
  readonly stat: Stat | undefined;
  readonly data: Buffer;
}

const nothing: Buffer = Buffer.alloc(0);

/** Throws RangeError when the bytes are no packet. Unknown fields are skipped, as protobuf asks for. */
export function decodePacket(bytes: Buffer): Packet {
  let type = 0;
  let id = 0;
  let stat: Stat | undefined;
  let data = nothing;
  const cursor = new Cursor(bytes);
  while (!cursor.done) {
    const tag = cursor.varint();
    if (tag === 8) type = cursor.varint();
    else if (tag === 18) stat = decodeStat(cursor.bytes());
    else if (tag === 24) id = cursor.varint() >>> 0;
    else if (tag === 34) data = cursor.bytes();
    else cursor.skip(tag);
  }
  return { type, id, stat, data };
}

function decodeStat(bytes: Buffer): Stat {
  let path = "";
  let mode = 0;
  let size = 0;
  let mtime = 0n;
  let linkname = "";
  const cursor = new Cursor(bytes);
  while (!cursor.done) {
    const tag = cursor.varint();
    if (tag === 10) path = cursor.text();
    else if (tag === 16) mode = cursor.varint() >>> 0;
    else if (tag === 40) size = Number(cursor.bigint());
    else if (tag === 48) mtime = cursor.bigint();
    else if (tag === 58) linkname = cursor.text();
    else cursor.skip(tag);
  }
  return { path, mode, size, mtime, linkname };
}

/** Reads protobuf fields off a buffer, never past its end. */
class Cursor {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** Exact up to 2^53; more is rounded, which no field of ours can tell. */
  varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 10; i++) {
      const byte = this.#byte();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
    throw new RangeError("a number in a packet is too long");
  }

  bigint(): bigint {
    let low = 0;
    let high = 0;
    for (let i = 0; i < 10; i++) {
      const byte = this.#byte();
      if (i < 4) low += (byte & 127) * 2 ** (7 * i);
      else high += (byte & 127) * 2 ** (7 * (i - 4));
      if (byte < 128) return BigInt.asIntN(64, BigInt(low) + (BigInt(high) << 28n));
    }
    throw new RangeError("a number in a packet is too long");
  }

  bytes(): Buffer {
    const length = this.varint();
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new RangeError("a packet is cut short");
    const view = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return view;
  }

  /** Names are bytes on Linux; one that is not UTF-8 would become another name here. */
  text(): string {
    const bytes = this.bytes();
    const text = bytes.toString("utf8");
    if (text.includes("\ufffd") && !Buffer.from(text).equals(bytes)) throw new RangeError(`the name ${JSON.stringify(text)} is not UTF-8`);
    return text;
  }

  skip(tag: number): void {
    const wire = tag & 7;
    if (wire === 0) this.varint();
    else if (wire === 2) this.bytes();
    else if (wire === 1 || wire === 5) {
      this.#at += wire === 1 ? 8 : 4;
      if (this.#at > this.#bytes.length) throw new RangeError("a packet is cut short");
    } else throw new RangeError("a packet has an unknown kind of field");
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw new RangeError("a packet is cut short");
    return byte;
  }
}

/**
 * Framed STAT packets, one behind the other: thousands of small buffers would take longer than what is written into them. uid and gid are left
 * at 0, as every BuildKit client does for build contexts.
 */
export class StatFrames {
  readonly #size: number;
  #out: Buffer;
  #at = 0;

  /** Room for `size` bytes at once; for one packet that is larger, more is made. */
  constructor(size: number) {
    this.#size = size;
    this.#out = Buffer.allocUnsafeSlow(size);
  }

  /** How many bytes there are. */
  get length(): number {
    return this.#at;
  }

  add({ path, linkname, mode, size, mtime: time, device }: Stat): void {
    const pathLength = Buffer.byteLength(path);
    const linkLength = linkname === "" ? 0 : Buffer.byteLength(linkname);
    const mtime = split(time);
    let length = 1 + varintSize(pathLength) + pathLength;
    if (mode !== 0) length += 1 + varintSize(mode);
    if (size !== 0) length += 1 + varintSize(size);
    if (time !== 0n) length += 1 + splitVarintSize(mtime);
    if (linkLength !== 0) length += 1 + varintSize(linkLength) + linkLength;
    const { major, minor } = device ?? noDevice;
    if (major !== 0) length += 1 + varintSize(major);
    if (minor !== 0) length += 1 + varintSize(minor);
    const packetLength = 1 + varintSize(length) + length;
    const out = this.#room(5 + packetLength);
    let at = writeFrameHeader(out, this.#at, packetLength);
    out[at++] = 18; // Packet.stat
    at = writeVarint(out, at, length);
    out[at++] = 10;
    at = writeText(out, at, path, pathLength);
    if (mode !== 0) {
      out[at++] = 16;
      at = writeVarint(out, at, mode);
    }
    if (size !== 0) {
      out[at++] = 40;
      at = writeVarint(out, at, size);
    }
    if (time !== 0n) {
      out[at++] = 48;
      at = writeSplitVarint(out, at, mtime);
    }
    if (linkLength !== 0) {
      out[at++] = 58;
      at = writeText(out, at, linkname, linkLength);
    }
    if (major !== 0) {
      out[at++] = 64;
      at = writeVarint(out, at, major);
    }
    if (minor !== 0) {
      out[at++] = 72;
      at = writeVarint(out, at, minor);
    }
    this.#at = at;
  }

  /** All of them; what is added later is apart. */
  take(): Buffer {
    const taken = this.#out.subarray(0, this.#at);
    this.#out = Buffer.allocUnsafeSlow(this.#size);
    this.#at = 0;
    return taken;
  }

  #room(size: number): Buffer {
    if (this.#at + size > this.#out.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(2 * this.#out.length, this.#at + size));
      this.#out.copy(grown, 0, 0, this.#at);
      this.#out = grown;
    }
    return this.#out;
  }
}

const noDevice = { major: 0, minor: 0 };

/** Frame header, packet header and field header of a DATA packet whose `length` bytes follow; length 0 ends the file. */
export function dataHeaderSize(id: number, length: number): number {
  return 5 + 2 + (id === 0 ? 0 : 1 + varintSize(id)) + (length === 0 ? 0 : 1 + varintSize(length));
}

/** Writes the header described by `dataHeaderSize`; returns the position after it. */
export function writeDataHeader(out: Buffer, start: number, id: number, length: number): number {
  let at = writeFrameHeader(out, start, dataHeaderSize(id, length) - 5 + length);
  out[at++] = 8;
  out[at++] = PacketType.data;
  if (id !== 0) {
    out[at++] = 24;
    at = writeVarint(out, at, id);
  }
  if (length !== 0) {
    out[at++] = 34;
    at = writeVarint(out, at, length);
  }
  return at;
}

/** A packet without frame: REQ with an id, FIN, or ERR with a text. */
export function encodePacket(type: number, id = 0, text = ""): Buffer {
  const data = Buffer.from(text);
  const out = Buffer.allocUnsafe(
    2 + (id === 0 ? 0 : 1 + varintSize(id)) + (data.length === 0 ? 0 : 1 + varintSize(data.length) + data.length),
  );
  let at = 0;
  out[at++] = 8;
  out[at++] = type;
  if (id !== 0) {
    out[at++] = 24;
    at = writeVarint(out, at, id);
  }
  if (data.length !== 0) {
    out[at++] = 34;
    data.copy(out, writeVarint(out, at, data.length));
  }
  return out;
}

function writeFrameHeader(out: Buffer, at: number, length: number): number {
  out[at] = 0;
  out.writeUInt32BE(length, at + 1);
  return at + 5;
}

function writeText(out: Buffer, at: number, text: string, length: number): number {
  const start = writeVarint(out, at, length);
  return start + out.write(text, start);
}

/** A 64-bit number as its lower 28 bits, which are four groups of a varint, and the 36 above: arithmetic with bigints takes many times as long. */
interface Split {
  readonly low: number;
  readonly high: number;
}

function split(value: bigint): Split {
  return { low: Number(BigInt.asUintN(28, value)), high: Number(BigInt.asUintN(64, value) >> 28n) };
}

function splitVarintSize({ low, high }: Split): number {
  return high === 0 ? varintSize(low) : 4 + varintSize(high);
}

function writeSplitVarint(out: Buffer, at: number, { low, high }: Split): number {
  if (high === 0) return writeVarint(out, at, low);
  out[at] = (low & 127) | 128;
  out[at + 1] = ((low >> 7) & 127) | 128;
  out[at + 2] = ((low >> 14) & 127) | 128;
  out[at + 3] = (low >> 21) | 128;
  return writeVarint(out, at + 4, high);
}
