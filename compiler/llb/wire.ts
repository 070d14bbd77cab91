// Canonical bytes of one op: what Go's deterministic protobuf encoder writes, since the digest of a vertex is taken over them.
import { hash } from "node:crypto";
import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { BuildOp, Op, SourceOp } from "../../proto/gen/github.com/moby/buildkit/solver/pb/ops.ts";

const OP_SOURCE_TAG = tag(3);
const OP_BUILD_TAG = tag(5);
const SOURCE_ATTRS_FIELD = 2;
const BUILD_ATTRS_FIELD = 4;

/**
 * Encodes an op as Go does. The generated code differs in two ways, so that its parts are called one by one:
 * - Go writes the members of a oneof after all other fields, whatever their number: here the op itself, after platform and constraints;
 * - Go sorts maps by key and writes their empty values too, the generated code does neither. Only source and build ops have maps (of
 *   more than one entry or with empty values), each as the last field of its message.
 * The writer is empty before and after; handing in the same one again saves growing its buffer for every op.
 */
export function encodeOp({ op, ...envelope }: Op, writer: BinaryWriter = new BinaryWriter()): Buffer {
  Op.encode({ ...envelope, op: undefined }, writer);
  if (op?.$case === "source") {
    SourceOp.encode({ ...op.value, attrs: {} }, writer.uint32(OP_SOURCE_TAG).fork());
    writeStringMap(writer, SOURCE_ATTRS_FIELD, op.value.attrs);
    writer.join();
  } else if (op?.$case === "build") {
    BuildOp.encode({ ...op.value, attrs: {} }, writer.uint32(OP_BUILD_TAG).fork());
    writeStringMap(writer, BUILD_ATTRS_FIELD, op.value.attrs);
    writer.join();
  } else {
    Op.encode({ inputs: [], op, platform: undefined, constraints: undefined }, writer);
  }
  return toBuffer(writer.finish());
}

/** `sha256:<hex>` of an op's bytes: the digest that names its vertex everywhere. */
export function digestOf(bytes: Uint8Array): string {
  return `sha256:${hash("sha256", bytes)}`;
}

/** Orders strings by their UTF-8 bytes, as Go does; JavaScript's own order differs for characters beyond U+FFFF. */
export function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

/** Entries of a map in canonical order. */
export function sortedEntries<T>(map: Readonly<Record<string, T>>): [string, T][] {
  return Object.entries(map).sort(([a], [b]) => compareUtf8(a, b));
}

/** The same bytes as a Buffer, without a copy: generated messages ask for one. */
export function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function writeStringMap(writer: BinaryWriter, field: number, map: Readonly<Record<string, string>>): void {
  for (const [key, value] of sortedEntries(map)) {
    writer.uint32(tag(field)).fork().uint32(tag(1)).string(key).uint32(tag(2)).string(value).join();
  }
}

/** Key of a length-delimited field. */
function tag(field: number): number {
  return (field << 3) | 2;
}

/** Surrogates stand for characters above all others of UTF-16. */
function rank(unit: number): number {
  if (unit >= 0xe000) return unit - 0x800;
  return unit >= 0xd800 ? unit + 0x2000 : unit;
}
