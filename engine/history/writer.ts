// The store of a run that is remembered: opened when the run begins, written in the order in which things are told, closed at its end.
import { UserError } from "../../compiler/index.ts";
import type { Store, StoreLocation } from "../store/index.ts";
import { openShared } from "../store/shared.ts";
import { Recorder, type RecorderParts } from "./recorder.ts";

export interface WriterParts extends Omit<RecorderParts, "store"> {
  readonly location: StoreLocation;
  readonly tenant: string;
  /** Told when the store mended something on the way. */
  readonly onNotice: (text: string) => void;
  /** Once, with the first thing that goes wrong; nothing is written after it. */
  readonly onFail: (error: UserError) => void;
}

export class Writer {
  readonly #parts: WriterParts;
  readonly #recorder: Promise<Recorder>;
  #store: Store | undefined;
  /** Also when it could not begin. */
  #begun: Recorder | undefined;
  #open: () => void = () => undefined;
  /** What was asked for, each after the one before; rejected from the first failure on. */
  #line: Promise<void>;

  constructor(parts: WriterParts) {
    this.#parts = parts;
    const opened = new Promise<void>((resolve) => {
      this.#open = resolve;
    });
    this.#recorder = opened.then(() => this.#begin());
    this.#line = this.#recorder.then(() => undefined);
    this.#line.catch((error: unknown) => parts.onFail(toUserError(error)));
  }

  /** Opens the store; resolves when the run's row is durable, and its turn has come. */
  async begin(): Promise<void> {
    this.#open();
    await this.#recorder.catch((error: unknown) => {
      throw toUserError(error);
    });
  }

  /** Does it after all that was asked for before, if nothing of that failed. */
  write(work: (recorder: Recorder) => Promise<void>): void {
    const before = this.#line;
    const done = before.then(async () => {
      // Between two pieces of work the run itself goes on: the daemon may be waiting for an answer.
      await new Promise((resolve) => setImmediate(resolve));
      await work(await this.#recorder);
    });
    this.#line = done;
    // A failure is told where it happened, not once more for all that comes after it.
    before.then(
      () => done.catch((error: unknown) => this.#parts.onFail(toUserError(error))),
      () => done.catch(() => undefined),
    );
  }

  /** Resolves when all is written, or cannot be, and the store is closed. */
  async close(): Promise<void> {
    this.#open();
    const failed = await this.#line.then(
      () => false,
      () => true,
    );
    if (failed) await this.#begun?.abandon();
    await this.#store?.close().catch((error: unknown) => {
      if (!failed) this.#parts.onFail(toUserError(error));
    });
  }

  async #begin(): Promise<Recorder> {
    const { location, tenant, onNotice, onFail: _, ...parts } = this.#parts;
    this.#store = await openShared({ location, tenant, now: Date.now, onNotice });
    this.#begun = new Recorder({ ...parts, store: this.#store });
    await this.#begun.begin();
    return this.#begun;
  }
}

function toUserError(error: unknown): UserError {
  if (error instanceof UserError) return error;
  const message = `The run is not recorded: ${error instanceof Error ? error.message : String(error)}`;
  const hint = "This is a bug in dagger; run again with --debug to see where";
  return new UserError(3, [{ code: "history-failed", message, at: [], hint }], { cause: error });
}
