// Compares what compiler/llb and client/llb make of the same graph.
import assert from "node:assert/strict";
import { inspect } from "node:util";
import type { Definition } from "../../compiler/job.ts";
import { decodeDefinition, marshal } from "../../compiler/llb/index.ts";
import { Op } from "../../proto/gen/github.com/moby/buildkit/solver/pb/ops.ts";
import type { Case } from "./graph.ts";
import type { Answer } from "./oracle.ts";

/** Throws an AssertionError that shows the first op that differs, decoded. */
export function compare({ title, terminal, options }: Case, answer: Answer): void {
  compareDefinition(title, marshal(terminal, options), answer);
}

/** The same for a Definition that is made already. */
export function compareDefinition(title: string, ours: Definition, answer: Answer): void {
  assert.equal(answer.error, undefined, `${title}: the oracle refuses the graph`);
  const theirs = answer.ops ?? [];
  for (const [i, bytes] of ours.ops.entries()) {
    const their = theirs[i];
    if (their?.bytes === Buffer.from(bytes).toString("hex") && their.digest === ours.nodes[i]?.digest) continue;
    const expected = their === undefined ? undefined : Op.decode(Buffer.from(their.bytes, "hex"));
    assert.deepEqual(Op.decode(bytes), expected, `${title}: op ${i} differs`);
    assert.fail(
      `${title}: op ${i} has other bytes, but the same fields\nours   ${Buffer.from(bytes).toString("hex")}\ntheirs ${their?.bytes}`,
    );
  }
  assert.equal(ours.ops.length, theirs.length, `${title}: number of ops; the first missing one is ${inspect(theirs[ours.ops.length])}`);
  const decoded = decodeDefinition(ours.encoded);
  for (const [i, { metadata }] of decoded.ops.entries()) {
    assert.deepEqual(withoutZeros(metadata), withoutZeros(theirs[i]?.metadata), `${title}: metadata of op ${i}`);
  }
  assert.deepEqual(withoutZeros(decoded.source ?? null), withoutZeros(answer.source), `${title}: source map`);
}

/** Go's JSON leaves zero values out, but not empty messages; maps are no messages. */
function withoutZeros(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (Array.isArray(value)) return value.map(withoutZeros);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([key, field]: [string, unknown]) => !isZero(field) && !(isMap(key) && isEmpty(field)));
  return Object.fromEntries(entries.map(([key, field]: [string, unknown]) => [key, isMap(key) ? field : withoutZeros(field)]));
}

function isEmpty(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}

function isMap(key: string): boolean {
  return key === "description" || key === "caps";
}

function isZero(value: unknown): boolean {
  if (Array.isArray(value) || value instanceof Uint8Array) return value.length === 0;
  return value === undefined || value === null || value === "" || value === false || value === 0 || value === 0n;
}
