// Follows the status of one build: what comes in quick succession is read together, and all of it before a failure is told.
import { setTimeout as sleep } from "node:timers/promises";
import { StatusRequest, StatusResponse } from "../../proto/gen/github.com/moby/buildkit/api/services/control/control.ts";
import { Gather } from "../grpc/gather.ts";
import { StatusReader, type StatusUpdate } from "./status.ts";
import type { Codec, Connection, Method } from "./transport.ts";

/** Read when there is time for it. */
const undecoded: Codec<Uint8Array> = { encode: (bytes) => ({ finish: () => bytes }), decode: (bytes) => bytes };

const method: Method<StatusRequest, Uint8Array> = {
  path: "/moby.buildkit.v1.Control/Status",
  request: StatusRequest,
  response: undecoded,
};

/** Milliseconds. Progress is told as often at most, however often a daemon with hundreds of busy steps tells of it. */
const pause = 50;
/** Milliseconds that the status may come after the answer that a step has failed. */
const behind = 500;

export class StatusFollower {
  /** When the daemon last said something; milliseconds since 1970. */
  heard = 0;
  readonly #ref: string;
  readonly #onUpdate: (update: StatusUpdate) => void;
  readonly #reader = new StatusReader();
  readonly #gather = new Gather<Uint8Array>(pause, (messages) => this.#read(messages));
  /** Digests of vertices that failed. */
  readonly #failed = new Set<string>();
  #broken = false;
  #open = false;

  constructor(ref: string, onUpdate: (update: StatusUpdate) => void) {
    this.#ref = ref;
    this.#onUpdate = onUpdate;
  }

  /** Until the daemon ends the stream. Status is only shown: whatever is wrong with it, the solve tells. */
  async follow(connection: Connection, signal: AbortSignal): Promise<void> {
    const onMessage = (message: Uint8Array): void => {
      this.heard = Date.now();
      this.#gather.push(message);
    };
    this.#open = true;
    await connection
      .serverStream(method, { Ref: this.#ref }, onMessage, {
        signal,
        onHeaders: (headers) => this.#reader.onHeaders(headers, Date.now()),
      })
      .catch(() => undefined);
    this.#open = false;
    this.flush();
  }

  /** Tells what there is now. */
  flush(): void {
    this.#gather.flush();
  }

  /** Until it was told that a vertex has failed, with all that it wrote before; not for long. */
  async untilFailed(digest: string): Promise<void> {
    for (const begin = Date.now(); ; await sleep(10)) {
      this.flush();
      if (this.#failed.has(digest) || !this.#open || Date.now() - begin > behind) return;
    }
  }

  #read(messages: readonly Uint8Array[]): void {
    if (this.#broken) return;
    try {
      for (const message of messages) {
        const update = this.#reader.read(StatusResponse.decode(message));
        for (const { digest, error } of update.vertexes) if (error !== "") this.#failed.add(digest);
        this.#onUpdate(update);
      }
    } catch {
      this.#broken = true;
    }
  }
}
