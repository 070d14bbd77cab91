// What is fuzzed: everything that reads what a daemon sends. Whatever comes, the answer is a result or an error of the expected kind.
import assert from "node:assert/strict";
import path from "node:path";
import { StatusResponse } from "../../proto/gen/github.com/moby/buildkit/api/services/control/control.ts";
import { Status } from "../../proto/gen/google/rpc/status.ts";
import { FrameReader, frame } from "../../runtime/grpc/frame.ts";
import { RpcError, readStatus } from "../../runtime/grpc/status.ts";
import { bytesHeader, bytesOf } from "../../runtime/session/bytes-message.ts";
import { decodePacket, encodePacket, Mode, PacketType } from "../../runtime/session/packet.ts";
import { TreeError, TreeGuard } from "../../runtime/session/tree.ts";
import { PayloadReader } from "../../runtime/session/tunnel.ts";
import { readFailure } from "../../runtime/solve/errors.ts";
import { StatusReader } from "../../runtime/solve/status.ts";
import { encodeStat } from "../support/packets.ts";
import type { Random } from "./random.ts";

/** One round; throws when something is wrong. */
export type Target = (random: Random) => void;

const names = ["a", "b/c", "..", "/etc", "a/../b", "ünicode", "\u{1f600}", "a\nb", "", ".", "x".repeat(300)];

function stat(random: Random): Buffer {
  const mode = random.pick([0o644, Mode.dir | 0o755, Mode.symlink | 0o777, Mode.device, Mode.setuid | 0o755]) >>> 0;
  const linkname = random.below(4) === 0 ? random.pick(names) : "";
  return encodeStat({
    path: random.pick(names),
    mode,
    size: random.below(2 ** 31),
    mtime: BigInt(random.below(2 ** 31)) ** 2n,
    linkname,
  }).subarray(5);
}

function packet(random: Random): Buffer {
  const data = (): Buffer => encodePacket(PacketType.data, random.below(1000), random.bytes(random.below(100)).toString("latin1"));
  return random.pick([stat, data, () => encodePacket(PacketType.request, random.below(2 ** 31)), () => encodePacket(PacketType.finish)])(
    random,
  );
}

/** Runs `work`; an error that is none of `kinds` is thrown on. */
function only(kinds: readonly (new (...args: never[]) => Error)[], work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!kinds.some((kind) => error instanceof kind)) throw error;
  }
}

const time = (random: Random): { seconds: bigint; nanos: number } => ({ seconds: BigInt(random.below(2 ** 31)), nanos: random.below(1e9) });

function statusMessage(random: Random): Buffer {
  const vertex = {
    digest: "sha256:a",
    inputs: ["b"],
    name: "n",
    cached: true,
    started: time(random),
    completed: undefined,
    error: "",
    progressGroup: undefined,
  };
  const status = {
    ID: "i",
    vertex: "v",
    name: "n",
    current: 1n,
    total: 2n,
    timestamp: time(random),
    started: undefined,
    completed: time(random),
  };
  const log = { vertex: "v", timestamp: time(random), stream: 1n, msg: random.bytes(random.below(200)) };
  const message = { vertexes: [vertex], statuses: [status], logs: [log], warnings: [] };
  return Buffer.from(StatusResponse.encode(StatusResponse.fromPartial(message as never)).finish());
}

export const targets: Readonly<Record<string, Target>> = {
  "packets of file transfer": (random) => only([RangeError], () => decodePacket(random.broken(packet(random)))),

  "a tree of files stays below its root": (random) => {
    const guard = new TreeGuard();
    only([RangeError, TreeError], () => {
      for (let i = 0; i < 5; i++) {
        const { stat: found } = decodePacket(random.below(2) === 0 ? packet(random) : random.broken(packet(random)));
        if (found === undefined) continue;
        guard.check(found);
        assert.ok(path.join("/root", found.path).startsWith("/root/"), `${JSON.stringify(found.path)} leaves the root`);
      }
    });
  },

  "frames of gRPC, in any pieces": (random) => {
    const messages = Array.from({ length: 3 }, () => random.bytes(random.below(300)));
    const whole = Buffer.concat(messages.map((message) => frame(message)));
    const found: Buffer[] = [];
    const reader = new FrameReader((message) => found.push(message));
    for (const piece of random.pieces(whole)) reader.push(piece);
    assert.deepEqual(found, messages);
    const broken = new FrameReader(() => undefined);
    only([RangeError], () => random.pieces(random.broken(whole)).forEach((piece) => broken.push(piece)));
  },

  "the byte pipe of the session, in any pieces": (random) => {
    const data = random.bytes(1 + random.below(300));
    const whole = frame(bytesHeader(data.length), data);
    const found: Buffer[] = [];
    const reader = new PayloadReader((payload) => found.push(payload));
    for (const piece of random.pieces(whole)) reader.push(piece);
    assert.deepEqual(Buffer.concat(found), data);
    const broken = new PayloadReader(() => undefined);
    only([RangeError], () => random.pieces(random.broken(whole)).forEach((piece) => broken.push(piece)));
    only([RangeError], () => bytesOf(random.broken(whole.subarray(5))));
  },

  "the status stream": (random) => {
    // The decoder is generated; what it throws ends the stream, and the solve goes on.
    let message: StatusResponse;
    try {
      message = StatusResponse.decode(random.broken(statusMessage(random)));
    } catch (error) {
      assert.ok(error instanceof Error);
      return;
    }
    const update = new StatusReader().read(message);
    assert.equal(update.vertexes.length, message.vertexes.length);
    for (const log of update.logs) assert.ok(Number.isFinite(log.time) && (log.stream === 1 || log.stream === 2));
  },

  "the typed details of errors": (random) => {
    const json = random.broken(
      Buffer.from(
        '{"digest":"sha256:a","Code":42,"info":{"filename":"a.cue"},"ranges":[{"start":{"line":1},"end":{"line":2}}],"file":{"index":"3"},"inputIDs":["a"],"mountIDs":["b",""]}',
      ),
    );
    const type = random.pick(["errdefs.Vertex", "errdefs.Source", "errdefs.Solve", "gatewayapi.ExitMessage", "x"]);
    const value =
      random.below(2) === 0
        ? json
        : Buffer.from(JSON.stringify(random.pick([null, 1, [], {}, "x", { ranges: [null, 1] }, { info: 3, ranges: "x" }])));
    const details = Buffer.from(
      Status.encode({ code: 2, message: "m", details: [{ type_url: `github.com/x/${type}+json`, value }] }).finish(),
    );
    const failure = readFailure(new RpcError(2, "m", { details: random.below(2) === 0 ? details : random.broken(details) }));
    assert.equal(failure.reason, "m");
    readStatus({
      "grpc-status": random.bytes(2).toString("latin1"),
      "grpc-message": random.bytes(9).toString("latin1"),
      "grpc-status-details-bin": "%%",
    });
  },
};
