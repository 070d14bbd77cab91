// Canonical bytes, where they differ from what the generated code writes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Op, SourceOp } from "../../proto/gen/github.com/moby/buildkit/solver/pb/ops.ts";
import { compareUtf8, digestOf, encodeOp } from "./wire.ts";

test("strings are ordered by their UTF-8 bytes", () => {
  const words = ["", "a", "ab", "b", "Z", "é", "\u{10000}", "\uFFFD", "\uE000", "\uD7FF", "😀", "a😀", "a\uFFFD", "10", "9"];
  const byBytes = words.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  assert.deepEqual(words.toSorted(compareUtf8), byBytes);
});

test("maps are sorted by key, and empty values are written", () => {
  const attrs = { b: "", "\u{10000}": "1", "\uFFFD": "2", "10": "x", "9": "y" };
  const bytes = encodeOp({
    inputs: [],
    op: { $case: "source", value: { identifier: "i", attrs } },
    platform: undefined,
    constraints: undefined,
  });
  const keys = ["10", "9", "b", "\uFFFD", "\u{10000}"].map((key) => bytes.indexOf(Buffer.from(key)));
  assert.deepEqual(
    keys,
    keys.toSorted((a, b) => a - b),
  );
  const { op } = Op.decode(bytes);
  assert.deepEqual(op?.$case === "source" && op.value.attrs, attrs);
  assert.ok(bytes.includes(Buffer.from([0x12, 5, 0x0a, 1, 0x62, 0x12, 0])), "b has a value of no bytes");
});

test("a key that JavaScript gives a meaning is a key like others", () => {
  const attrs = Object.fromEntries([["__proto__", "x"]]);
  const bytes = encodeOp({
    inputs: [],
    op: { $case: "source", value: { identifier: "i", attrs } },
    platform: undefined,
    constraints: undefined,
  });
  assert.ok(bytes.includes("__proto__"));
});

test("the op comes after platform and constraints", () => {
  const source = SourceOp.create({ identifier: "i" });
  const bytes = encodeOp({ inputs: [], op: { $case: "source", value: source }, platform: undefined, constraints: { filter: [] } });
  assert.equal(bytes.toString("hex"), "5a00" + "1a030a0169");
});

test("a digest is the SHA-256 of the bytes", () => {
  assert.equal(digestOf(Buffer.of()), "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
});
