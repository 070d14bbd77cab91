// Framing: messages survive every way of cutting the stream.
import assert from "node:assert/strict";
import { test } from "node:test";
import { FrameReader, fieldHeader, frame, varintSize, writeVarint } from "./frame.ts";
import { Code, encodeMessage, readStatus } from "./status.ts";

test("messages come out whole, wherever the stream is cut", () => {
  const messages = [Buffer.alloc(0), Buffer.from("a"), Buffer.alloc(300, 7), Buffer.from("last")];
  const stream = Buffer.concat(messages.map((m) => frame(m)));
  for (let step = 1; step <= stream.length; step++) {
    const got: Buffer[] = [];
    const reader = new FrameReader((message) => got.push(Buffer.from(message)));
    for (let at = 0; at < stream.length; at += step) reader.push(stream.subarray(at, at + step));
    assert.deepEqual(got, messages);
  }
});

test("a compressed message and one of absurd size are refused", () => {
  const reader = (): FrameReader => new FrameReader(() => {});
  assert.throws(() => reader().push(Buffer.from([1, 0, 0, 0, 1, 0])), RangeError);
  assert.throws(() => reader().push(Buffer.from([0, 255, 255, 255, 255])), RangeError);
});

test("varints are as long as they say, up to 2^53", () => {
  for (const value of [0, 1, 127, 128, 16383, 16384, 2 ** 31, 2 ** 32 + 5, 2 ** 53 - 1]) {
    const out = Buffer.alloc(12);
    assert.equal(writeVarint(out, 0, value), varintSize(value));
  }
  assert.deepEqual([...fieldHeader(2, 300)], [18, 0xac, 2]);
});

test("a status message keeps characters that HTTP headers cannot hold", () => {
  const text = "50% of ünïcode\nfailed";
  const encoded = encodeMessage(text);
  assert.match(encoded, /^[\x20-\x7e]*$/);
  const status = readStatus({ "grpc-status": "5", "grpc-message": encoded });
  assert.equal(status?.error?.message, text);
  assert.equal(status?.code, Code.notFound);
  assert.equal(readStatus({ "grpc-status": "0" })?.error, undefined);
  assert.equal(readStatus({}), undefined);
  assert.equal(readStatus({ "grpc-status": "2", "grpc-message": "%zz" })?.error?.message, "%zz");
});
