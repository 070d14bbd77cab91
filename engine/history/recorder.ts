// Writes one run into the store: its row before anything runs, what it tells in batches, its end.
import type { Json, Lease, NewRun, Run, RunKey, Store } from "../store/index.ts";
import type { Ending, Entries } from "./messages.ts";

export interface RecorderParts {
  readonly store: Store;
  readonly run: NewRun;
  readonly lease?: { readonly key: string; readonly supersede: boolean };
  /** Aborting leaves the queue. */
  readonly signal: AbortSignal;
  readonly onWait: (before: Parameters<NonNullable<Parameters<Store["leases"]["acquire"]>[0]["onWait"]>>[0]) => void;
  /** Somebody else wants the run to end, or it is no longer this process's. */
  readonly onCancel: (reason: unknown) => void;
}

export class Recorder {
  readonly #parts: RecorderParts;
  #key: RunKey = { id: "", token: 0 };
  #lease: Lease | undefined;
  #config: string | undefined;
  #events = 0;
  #logs = 0;

  constructor(parts: RecorderParts) {
    this.#parts = parts;
  }

  /** Resolves when the row is durable and the run may go on. Rejects with what the store or the queue says; the run is over then. */
  async begin(): Promise<Run> {
    const { store, run, lease, signal, onCancel, onWait } = this.#parts;
    const { run: created } = await store.runs.create(run);
    this.#key = created;
    const cancelled = store.runs.signal(created.id);
    cancelled.addEventListener("abort", () => onCancel(cancelled.reason), { once: true });
    if (lease !== undefined) {
      const patience = AbortSignal.any([signal, cancelled]);
      const taken = await store.leases.acquire({ ...lease, run: created.id, signal: patience, onWait }).catch(async (error: unknown) => {
        const state = "cancelled";
        await store.runs.finish(created, { state, reason: cancelled.aborted ? "superseded" : "interrupted" }).catch(() => undefined);
        throw error;
      });
      this.#lease = taken;
      taken.signal.addEventListener("abort", () => onCancel(taken.signal.reason), { once: true });
    }
    const started = await store.runs.start(created, this.#lease);
    this.#key = started;
    return started;
  }

  /** The exact config, as JSON text. */
  async config(text: string): Promise<void> {
    const { store } = this.#parts;
    this.#config = await store.blobs.put(this.#key, Buffer.from(text));
    await store.runs.update(this.#key, { config: this.#config });
  }

  /** The daemon that runs the job: its version instead of the one that dagger brings along. */
  async daemon(name: string): Promise<void> {
    const { store, run } = this.#parts;
    const buildkit = /\bv\d\S*$/.exec(name)?.[0] ?? name;
    await store.runs.update(this.#key, { versions: { ...run.versions, buildkit } });
  }

  async take({ events, logs, components }: Entries): Promise<void> {
    const { store } = this.#parts;
    if (events.length > 0) this.#events = await store.events.append(this.#key, this.#events, events);
    if (logs.length > 0) this.#logs = await store.logs.append(this.#key, this.#logs, logs);
    if (components.length > 0) await store.components.put(this.#key, components);
  }

  async end({ end, outputs, provenance, ...entries }: Ending): Promise<void> {
    const { store } = this.#parts;
    try {
      await this.take(entries);
      const made: Json = { ...(this.#config === undefined ? {} : { config: this.#config }), ...provenance };
      if (outputs.length > 0) {
        await store.outputs.put(
          this.#key,
          outputs.map((output) => ({ ...output, provenance: made })),
        );
      }
      await store.runs.finish(this.#key, end);
    } finally {
      await this.#lease?.release();
    }
  }
}
