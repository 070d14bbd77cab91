// The hand-written packet code against the generated one, and against noise.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Packet as WirePacket } from "../../proto/gen/github.com/tonistiigi/fsutil/types/wire.ts";
import { encodeStat } from "../../test/support/packets.ts";
import { frame } from "../grpc/frame.ts";
import { dataHeaderSize, decodePacket, encodePacket, Mode, PacketType, StatFrames, writeDataHeader } from "./packet.ts";
import { PayloadReader } from "./tunnel.ts";

const stats = [
  { path: "a", mode: 0o644, size: 0, mtime: 0n, linkname: "" },
  { path: "dir/日本語 🎉", mode: (Mode.dir | 0o755) >>> 0, size: 0, mtime: 1_700_000_000_123_456_789n, linkname: "" },
  { path: "big", mode: (Mode.setuid | 0o4755) >>> 0, size: 2 ** 40 + 3, mtime: -5n, linkname: "" },
  { path: "link", mode: (Mode.symlink | 0o777) >>> 0, size: 4, mtime: 1n, linkname: "../ü" },
];

test("a STAT packet is what the generated code reads, and what we read back", () => {
  for (const stat of stats) {
    const bytes = encodeStat(stat).subarray(5);
    const wire = WirePacket.decode(bytes);
    assert.equal(wire.type, PacketType.stat);
    assert.deepEqual(
      { path: wire.stat?.path, mode: wire.stat?.mode, size: wire.stat?.size, mtime: wire.stat?.modTime, linkname: wire.stat?.linkname },
      { ...stat, size: BigInt(stat.size) },
    );
    assert.deepEqual(decodePacket(bytes).stat, stat);
    assert.deepEqual(decodePacket(Buffer.from(WirePacket.encode(wire).finish())).stat, stat);
  }
});

test("packets of one buffer are those of many, also where one is larger than the buffer, and times keep every nanosecond", () => {
  const times = [0n, 1n, 127n, 128n, 2n ** 28n - 1n, 2n ** 28n, 2n ** 35n, 1_700_000_000_123_456_789n, 2n ** 63n - 1n, -1n, -(2n ** 63n)];
  const all = [...stats, ...times.map((mtime) => ({ path: "ü".repeat(70), mode: 0o600, size: 1, mtime, linkname: "" }))];
  const frames = new StatFrames(16);
  for (const stat of all) frames.add(stat);
  const taken = frames.take();
  assert.deepEqual(taken, Buffer.concat(all.map((stat) => encodeStat(stat))));
  assert.equal(frames.length, 0);
  frames.add(all[0] as (typeof all)[0]);
  assert.deepEqual(frames.take(), encodeStat(all[0] as (typeof all)[0]));
  // What was taken stays as it was.
  assert.deepEqual(taken, Buffer.concat(all.map((stat) => encodeStat(stat))));
  for (const mtime of times) {
    const [stat] = all.filter((one) => one.mtime === mtime);
    assert.equal(WirePacket.decode(encodeStat(stat as (typeof all)[0]).subarray(5)).stat?.modTime, mtime);
  }
});

test("DATA, REQ, FIN and ERR packets are what the generated code reads", () => {
  for (const id of [0, 1, 127, 128, 100_000]) {
    for (const length of [0, 1, 127, 70_000]) {
      const out = Buffer.alloc(dataHeaderSize(id, length) + length, 5);
      assert.equal(writeDataHeader(out, 0, id, length), dataHeaderSize(id, length));
      assert.equal(out.readUInt32BE(1), out.length - 5);
      const wire = WirePacket.decode(out.subarray(5));
      assert.deepEqual([wire.type, wire.ID, wire.data.length], [PacketType.data, id, length]);
      assert.deepEqual([decodePacket(out.subarray(5)).id, decodePacket(out.subarray(5)).data.length], [id, length]);
    }
    assert.equal(WirePacket.decode(encodePacket(PacketType.request, id)).ID, id);
  }
  assert.equal(WirePacket.decode(encodePacket(PacketType.error, 0, "no")).data.toString(), "no");
  assert.equal(WirePacket.decode(encodePacket(PacketType.finish)).type, PacketType.finish);
});

test("a name that is not UTF-8 is refused, not changed", () => {
  assert.throws(() => decodePacket(Buffer.from([18, 4, 10, 2, 0x61, 0xff])), /not UTF-8/);
  assert.equal(decodePacket(Buffer.from([18, 5, 10, 3, 0xef, 0xbf, 0xbd])).stat?.path, "\ufffd");
});

test("noise never makes the packet parser do anything but return or throw RangeError", () => {
  const random = generator(42);
  const seeds = [
    ...stats.map((s) => encodeStat(s).subarray(5)),
    encodePacket(PacketType.request, 300),
    encodePacket(PacketType.error, 0, "x".repeat(50)),
  ];
  for (let i = 0; i < 200_000; i++) {
    const seed = seeds[random() % seeds.length] as Buffer;
    const bytes = i % 3 === 0 ? Buffer.from(Array.from({ length: random() % 40 }, () => random() & 255)) : Buffer.from(seed);
    for (let n = random() % 4; n > 0 && bytes.length > 0; n--) bytes[random() % bytes.length] = random() & 255;
    const cut = bytes.subarray(0, random() % (bytes.length + 1));
    try {
      decodePacket(cut);
    } catch (error) {
      assert.ok(error instanceof RangeError, String(error));
    }
  }
});

test("the payload of the session's messages is the same however they are cut, and noise is a RangeError", () => {
  const payload = Buffer.from(Array.from({ length: 1000 }, (_, i) => i & 255));
  const message = (data: Buffer): Buffer => frame(Buffer.from([10, (data.length & 127) | 128, data.length >> 7]), data);
  const stream = Buffer.concat([message(payload), frame(), message(payload.subarray(0, 200))]);
  for (const step of [1, 2, 3, 7, 64, 999, stream.length]) {
    const got: Buffer[] = [];
    const reader = new PayloadReader((bytes) => got.push(bytes));
    for (let at = 0; at < stream.length; at += step) reader.push(stream.subarray(at, at + step));
    assert.deepEqual(Buffer.concat(got), Buffer.concat([payload, payload.subarray(0, 200)]));
  }
  const random = generator(7);
  for (let i = 0; i < 20_000; i++) {
    const reader = new PayloadReader(() => {});
    try {
      reader.push(Buffer.from(Array.from({ length: 30 }, () => (random() % 3 === 0 ? random() & 255 : random() % 12))));
    } catch (error) {
      assert.ok(error instanceof RangeError, String(error));
    }
  }
});

/** A small seeded generator: the test is the same in every run. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 8;
  };
}
