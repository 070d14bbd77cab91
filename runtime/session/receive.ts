// Receives the result of a job: the receiver of fsutil's protocol, behind the `local` exporter. Values go into memory, directories into staging.
import { type Position, UserError } from "../../compiler/diagnostic.ts";
import { Code, RpcError } from "../grpc/status.ts";
import type { Call } from "./call.ts";
import { encodePacket, Mode, PacketType, type Stat } from "./packet.ts";
import { saveError } from "./save-error.ts";
import { type DirTarget, type SavedDir, Staging } from "./staging.ts";
import { type Route, Transfer } from "./transfer.ts";
import { TreeError } from "./tree.ts";

export interface ReceiverOptions {
  /** Paths of the result whose files are kept in memory, e.g. `values`. */
  readonly memory: readonly string[];
  readonly dirs: readonly DirTarget[];
  /** Bytes that all files in memory may have together; default 32 MiB. */
  readonly memoryLimit?: number;
}

/** The receiving end of one job. After the solve: `commit()` puts the directories in place; on any other end: `rollback()`. */
export interface Receiver {
  /** Files below the `memory` prefixes by their path in the result; complete once the solve has ended well. */
  readonly values: ReadonlyMap<string, Buffer>;
  /** Serves FileSend.DiffCopy. */
  receive(call: Call): Promise<void>;
  /** Throws UserError (exit 3) `disk-full` or `save-failed`; what was staged is removed then. */
  commit(): Promise<SavedDir[]>;
  /** Forgets and removes all that was received. Synchronous, so that it can run while the process ends. */
  rollback(): void;
}

export function createReceiver(options: ReceiverOptions): Receiver {
  return new TreeReceiver(options);
}

class TreeReceiver implements Receiver {
  readonly values = new Map<string, Buffer>();
  readonly #memory: readonly string[];
  readonly #limit: number;
  readonly #stagings: readonly Staging[];
  #used = false;

  constructor(options: ReceiverOptions) {
    this.#memory = options.memory;
    this.#limit = options.memoryLimit ?? 32 << 20;
    this.#stagings = options.dirs.map((target) => new Staging(target));
  }

  async receive(call: Call): Promise<void> {
    if (this.#used) throw new RpcError(Code.alreadyExists, "the result of this job was received before");
    this.#used = true;
    const transfer = new Transfer(call, (stat) => this.#route(stat), this.values, this.#limit);
    try {
      await transfer.run();
    } catch (error) {
      transfer.abandon();
      this.rollback();
      const shown = explain(error, transfer.current);
      const text = shown instanceof Error ? shown.message : String(shown);
      void call.send(encodePacket(PacketType.error, 0, text));
      throw shown;
    }
  }

  async commit(): Promise<SavedDir[]> {
    const saved: SavedDir[] = [];
    for (const staging of this.#stagings) {
      try {
        saved.push(await staging.commit());
      } catch (error) {
        this.rollback();
        throw explain(error, staging);
      }
    }
    return saved;
  }

  rollback(): void {
    this.values.clear();
    for (const staging of this.#stagings) staging.rollback();
  }

  /** Undefined for the directories above the prefixes. Throws TreeError for what nobody asked for. */
  #route(stat: Stat): Route | undefined {
    for (const staging of this.#stagings) {
      const relative = below(stat.path, staging.target.prefix);
      if (relative !== undefined) return { staging, relative };
    }
    for (const prefix of this.#memory) {
      const relative = below(stat.path, prefix);
      if (relative !== undefined) return { staging: undefined, relative };
    }
    const prefixes = [...this.#memory, ...this.#stagings.map((s) => s.target.prefix)];
    if ((stat.mode & Mode.dir) !== 0 && prefixes.some((prefix) => below(prefix, stat.path) !== undefined)) return undefined;
    throw new TreeError(`it holds ${JSON.stringify(stat.path)}, which nothing asked for`);
  }
}

/** The part of `path` below `prefix`; undefined when it is elsewhere. */
function below(path: string, prefix: string): string | undefined {
  if (path === prefix) return "";
  return path.startsWith(`${prefix}/`) ? path.slice(prefix.length + 1) : undefined;
}

function explain(error: unknown, staging: Staging | undefined): unknown {
  if (error instanceof UserError || error instanceof RpcError) return error;
  const at: readonly Position[] = staging?.target.at ?? [];
  if (error instanceof TreeError || error instanceof RangeError) {
    const message = `The result that the daemon sent is refused: ${error.message}`;
    return new UserError(3, [{ code: "bad-result", message, at, hint: "Nothing was saved; check that the daemon can be trusted" }], {
      cause: error,
    });
  }
  return saveError(error, staging?.target ?? { dest: "" });
}
