// Writes one run into the store: its row before anything runs, what it tells in batches, its end.
import type { ComponentFacts, OpenFacts } from "../provenance/facts.ts";
import type { FileDigests, FileList, Listed } from "../provenance/files.ts";
import { allSources, fingerprintsOf, opsDigests } from "../provenance/fingerprints.ts";
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
  RunWrites,
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
  #written: Written = { config: undefined, events: 0, logs: 0 };
  #facts: OpenFacts | undefined;
  #ops: ReadonlyMap<string, string> = new Map();
  /** What was made of facts that no directory is part of: written while the daemon works, not at the end. */
  #early: { readonly facts: OpenFacts; readonly made: Made } | undefined;
  /** By key; looked at as soon as they come, beside the run. */
  readonly #files = new Map<string, Promise<FileList | undefined>>();

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
    this.#ops = opsDigests(facts.components);
  }

  /** Files that were sent: the last time counts. */
  listed(key: string, files: Listed): void {
    const list = this.#parts.digests?.list(files).catch(() => undefined);
    if (list !== undefined) this.#files.set(key, list);
  }

  async take(entries: Entries): Promise<void> {
    const facts = this.#facts;
    const isKnown = facts !== undefined && facts !== this.#early?.facts && Object.keys(facts.directories).length === 0;
    const { made, ...written } = await this.#parts.store.together(async (writes) => {
      const { change, ...written } = await this.#write(writes, entries);
      if (Object.keys(change).length > 0) await writes.runs.update(this.#key, change);
      return { ...written, ...(isKnown ? { made: await this.#made(writes, new Map()) } : {}) };
    });
    this.#written = written;
    if (facts !== undefined && made !== undefined) this.#early = { facts, made };
  }

  /** Also gives what belongs into the run's own row. */
  async #write(
    writes: RunWrites,
    { events, logs, components, config, daemon }: Entries,
  ): Promise<Written & { readonly change: RunChange }> {
    const before = this.#written;
    const written = {
      config: config === undefined ? before.config : await writes.blobs.put(this.#key, Buffer.from(config)),
      events: events.length === 0 ? before.events : await writes.events.append(this.#key, before.events, events),
      logs: logs.length === 0 ? before.logs : await writes.logs.append(this.#key, before.logs, logs),
    };
    if (components.length > 0) await writes.components.put(this.#key, components);
    const { versions } = this.#parts.run;
    const change = {
      ...(config === undefined || written.config === undefined ? {} : { config: written.config }),
      ...(daemon === undefined ? {} : { versions: { ...versions, buildkit: /\bv\d\S*$/.exec(daemon)?.[0] ?? daemon } }),
    };
    return { ...written, change };
  }

  async end(ending: Ending): Promise<void> {
    const { store } = this.#parts;
    try {
      const files = await this.#listings();
      const rest = await store.together((writes) => this.#writeEnd(writes, ending, files));
      await store.runs.finish(this.#key, { ...ending.end, ...rest });
    } finally {
      await this.#lease?.release();
    }
  }

  /** All but the word that it is over, which is the last. */
  async #writeEnd(writes: RunWrites, ending: Ending, files: ReadonlyMap<string, FileList>): Promise<RunChange> {
    const { end, outputs, provenance, components, ...entries } = ending;
    const made = this.#early !== undefined && this.#early.facts === this.#facts ? this.#early.made : await this.#made(writes, files);
    const printed = components.map((one) => ({ ...one, ...made.fingerprints(one.path) }));
    const { config, change } = await this.#write(writes, { ...entries, components: printed });
    const common: Json = { ...(config === undefined ? {} : { config }), ...provenance };
    if (outputs.length > 0) {
      const withSources = outputs.map((one) => ({ ...one, provenance: { ...common, ...made.sources(one.component) } }));
      await writes.outputs.put(this.#key, withSources);
    }
    const summary = made.facts === undefined ? end.summary : { ...(end.summary as object | undefined), facts: made.facts };
    return { ...change, ...(summary === undefined ? {} : { summary }) };
  }

  /** Of the directories that components are made from, by name, now that all files were looked at. */
  async #listings(): Promise<ReadonlyMap<string, FileList>> {
    const lists = new Map<string, FileList>();
    for (const [name, key] of Object.entries(this.#facts?.directories ?? {})) {
      const list = await this.#files.get(key);
      if (list !== undefined) lists.set(name, list);
    }
    return lists;
  }

  /** What the components are made from; kept, so that `why` can compare. */
  async #made(writes: RunWrites, files: ReadonlyMap<string, FileList>): Promise<Made> {
    if (this.#facts === undefined) return { fingerprints: () => ({}), sources: () => ({}) };
    const { components: open } = this.#facts;
    const digests = new Map<string, string>();
    for (const [name, list] of files) digests.set(name, await writes.blobs.put(this.#key, Buffer.from(JSON.stringify(list))));
    const withDigests = (one: ComponentFacts): ComponentFacts => ({
      ...one,
      sources: Object.fromEntries(Object.entries(one.sources).map(([name, value]) => [name, digests.get(name) ?? value])),
    });
    const components = digests.size === 0 ? open : open.map(withDigests);
    const prints = fingerprintsOf(components, this.#ops);
    const byPath = new Map(components.map((one) => [one.path, one]));
    return {
      facts: await writes.blobs.put(this.#key, Buffer.from(JSON.stringify(components))),
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

/** What is in the store already. */
interface Written {
  /** Digest of the config. */
  readonly config: string | undefined;
  /** Numbers of the last. */
  readonly events: number;
  readonly logs: number;
}

interface Made {
  /** Digest of the blob that has them. */
  readonly facts?: string;
  readonly fingerprints: (path: string) => Pick<RunComponent, "fingerprints">;
  readonly sources: (path: string) => { readonly sources?: Readonly<Record<string, string>> };
}
