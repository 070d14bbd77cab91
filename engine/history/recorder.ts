// Writes one run into the store: its row before anything runs, what it tells in batches, its end.
import type { OpenFacts } from "../provenance/facts.ts";
import type { FileDigests, FileList, Listed } from "../provenance/files.ts";
import { allSources, fingerprintsOf } from "../provenance/fingerprints.ts";
import type {
  Json,
  Lease,
  LeaseEntry,
  NewEvent,
  NewLog,
  NewOutput,
  NewRun,
  RunChange,
  RunComponent,
  RunEnd,
  RunKey,
  Store,
} from "../store/index.ts";
import { componentOf, endOf, runExists, summaryOf } from "./ending.ts";

export interface Entries {
  readonly events: readonly NewEvent[];
  readonly logs: readonly NewLog[];
  readonly components: readonly RunComponent[];
  /** The exact config, as JSON text, once it is known. */
  readonly config?: string;
  /** Name of the daemon that runs the job, once it is known: its version counts instead of the one that dagger brings along. */
  readonly daemon?: string;
}

/** The last word of a run. */
export interface Ending extends Entries {
  readonly end: RunEnd;
  readonly outputs: readonly Pick<NewOutput, "component" | "value">[];
  /** What the outputs were made from, beside the config. */
  readonly provenance: { readonly [key: string]: Json };
}

export interface RecorderParts {
  readonly store: Store;
  readonly run: NewRun;
  /** What only one run may have at a time. */
  readonly lease?: { readonly key: string; readonly supersede: boolean };
  /** Without it files are not looked at. */
  readonly digests?: FileDigests;
  /** Aborting leaves the queue; the reason is why the run is over. */
  readonly signal: AbortSignal;
  /** The row is durable, or was there before with the same idempotency key. */
  readonly onCreated?: (run: string, created: boolean) => void;
  readonly onWait: (before: readonly LeaseEntry[]) => void;
  /** Somebody else wants the run to end, or it is no longer this process's. */
  readonly onCancel: (reason: unknown) => void;
}

export class Recorder {
  readonly #parts: RecorderParts;
  #key: RunKey = { id: "", token: 0 };
  #lease: Lease | undefined;
  #config: string | undefined;
  #facts: OpenFacts | undefined;
  /** By key; looked at as soon as they come, beside the run. */
  readonly #files = new Map<string, Promise<FileList | undefined>>();
  #events = 0;
  #logs = 0;

  constructor(parts: RecorderParts) {
    this.#parts = parts;
  }

  /** Resolves with its id when the row is durable and the run may go on. Rejects with what the store or the queue says; the run is over then. */
  async begin(): Promise<string> {
    const { store, run, lease, signal, onCancel, onCreated, onWait } = this.#parts;
    const { run: created, created: isNew } = await store.runs.create({ ...run, startsAtOnce: lease === undefined });
    onCreated?.(created.id, isNew);
    if (!isNew) throw runExists(created.id);
    this.#key = created;
    const cancelled = store.runs.signal(created.id);
    cancelled.addEventListener("abort", () => onCancel(cancelled.reason), { once: true });
    if (lease !== undefined) {
      const patience = AbortSignal.any([signal, cancelled]);
      const taken = await store.leases.acquire({ ...lease, run: created.id, signal: patience, onWait }).catch(async (error: unknown) => {
        const end = { state: endOf(error), ...summaryOf({ error, result: undefined, facts: undefined }) };
        await store.runs.finish(created, end).catch(() => undefined);
        throw error;
      });
      this.#lease = taken;
      taken.signal.addEventListener("abort", () => onCancel(taken.signal.reason), { once: true });
    }
    if (this.#lease !== undefined) this.#key = await store.runs.start(created, this.#lease);
    return created.id;
  }

  /** Gives back what the run still has, after something went wrong: others may use the same store, and wait for it. */
  async abandon(): Promise<void> {
    const { store } = this.#parts;
    if (this.#key.id === "") return;
    await store.runs.finish(this.#key, { state: "interrupted", reason: "closed" }).catch(() => undefined);
    await this.#lease?.release().catch(() => undefined);
  }

  facts(facts: OpenFacts): void {
    this.#facts = facts;
  }

  /** Files that were sent: the last time counts. */
  listed(key: string, files: Listed): void {
    const list = this.#parts.digests?.list(files).catch(() => undefined);
    if (list !== undefined) this.#files.set(key, list);
  }

  async take(entries: Entries): Promise<void> {
    const change = await this.#write(entries);
    if (Object.keys(change).length > 0) await this.#parts.store.runs.update(this.#key, change);
  }

  /** Gives what belongs into the run's own row. */
  async #write({ events, logs, components, config, daemon }: Entries): Promise<RunChange> {
    const { store, run } = this.#parts;
    if (config !== undefined) this.#config = await store.blobs.put(this.#key, Buffer.from(config));
    if (events.length > 0) this.#events = await store.events.append(this.#key, this.#events, events);
    if (logs.length > 0) this.#logs = await store.logs.append(this.#key, this.#logs, logs);
    if (components.length > 0) await store.components.put(this.#key, components);
    const versions = daemon === undefined ? undefined : { ...run.versions, buildkit: /\bv\d\S*$/.exec(daemon)?.[0] ?? daemon };
    return {
      ...(config === undefined || this.#config === undefined ? {} : { config: this.#config }),
      ...(versions === undefined ? {} : { versions }),
    };
  }

  async end({ end, outputs, provenance, components, ...entries }: Ending): Promise<void> {
    const { store } = this.#parts;
    try {
      const made = await this.#made();
      const change = await this.#write({ ...entries, components: components.map((one) => ({ ...one, ...made.fingerprints(one.path) })) });
      const common: Json = { ...(this.#config === undefined ? {} : { config: this.#config }), ...provenance };
      if (outputs.length > 0) {
        const withSources = outputs.map((one) => ({ ...one, provenance: { ...common, ...made.sources(one.component) } }));
        await store.outputs.put(this.#key, withSources);
      }
      const summary = made.facts === undefined ? end.summary : { ...(end.summary as object | undefined), facts: made.facts };
      await store.runs.finish(this.#key, { ...end, ...change, ...(summary === undefined ? {} : { summary }) });
    } finally {
      await this.#lease?.release();
    }
  }

  /** What the components are made from, now that all files were looked at; kept, so that `why` can compare. */
  async #made(): Promise<Made> {
    if (this.#facts === undefined) return { fingerprints: () => ({}), sources: () => ({}) };
    const { store } = this.#parts;
    const { components: open, directories } = this.#facts;
    const digests = new Map<string, string>();
    for (const [name, key] of Object.entries(directories)) {
      const list = await this.#files.get(key);
      if (list !== undefined) digests.set(name, await store.blobs.put(this.#key, Buffer.from(JSON.stringify(list))));
    }
    const components = open.map((one) => ({
      ...one,
      sources: Object.fromEntries(Object.entries(one.sources).map(([name, value]) => [name, digests.get(name) ?? value])),
    }));
    const prints = fingerprintsOf(components);
    const byPath = new Map(components.map((one) => [one.path, one]));
    return {
      facts: await store.blobs.put(this.#key, Buffer.from(JSON.stringify(components))),
      fingerprints: (path) => {
        const fingerprints = prints.get(path);
        return fingerprints === undefined ? {} : { fingerprints };
      },
      sources: (path) => {
        // The one of the whole config is made from everything.
        const sources = allSources(path === "" ? [...byPath.keys()] : [componentOf(path)], byPath);
        return Object.keys(sources).length === 0 ? {} : { sources };
      },
    };
  }
}

interface Made {
  /** Digest of the blob that has them. */
  readonly facts?: string;
  readonly fingerprints: (path: string) => Pick<RunComponent, "fingerprints">;
  readonly sources: (path: string) => { readonly sources?: Readonly<Record<string, string>> };
}
