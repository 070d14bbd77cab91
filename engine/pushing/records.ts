// Pushes as the store keeps them: one row for each commit that was made of what a node gave, until its source has it, and after.
import { hostname } from "node:os";
import type { ConflictPolicy } from "../sources/conflict.ts";
import { versionKey } from "../sources/versions.ts";
import type { Datum, DatumKey, Json, NewDatum, Store } from "../store/index.ts";

/** `waiting`: it is pushed when its time has come. `conflict`: a person has to say what is meant. */
export type PushState = "waiting" | "conflict" | "pushed" | "dropped";

/** A commit that was made of what a computation gave. */
export interface Push {
  readonly source: string;
  /** Hash of the commit. */
  readonly commit: string;
  readonly state: PushState;
  /** The version that it is of its source: of a path the hash of its tree. */
  readonly version: string;
  /** The newest commit of the source that it has in it. */
  readonly base: string;
  readonly node: string;
  readonly run?: string;
  /** What was asked for with the run; the source's own without it. */
  readonly policy?: ConflictPolicy;
  /** The machine that has the commit until it is pushed. */
  readonly machine: string;
  /** Milliseconds since 1970. */
  readonly time: number;
  /** How often it could not be pushed, when it is tried again (milliseconds since 1970), and why. */
  readonly attempts: number;
  readonly next: number;
  readonly why?: string;
  /** Files that changed on both sides. */
  readonly paths: readonly string[];
  /** The commit that brings it into its source, as far as one was made. */
  readonly landing?: string;
  /** The branch that it was pushed to, where that is one of its own. */
  readonly branch?: string;
}

/** Only one at a time makes or pushes commits of a source. */
export function pushLease(source: string): string {
  return `push:${source}`;
}

export function algorithmOf(hash: string): string {
  return `${hash.length === 64 ? "sha256" : "sha1"}:${hash}`;
}

export function newPush(
  of: Pick<Push, "source" | "commit" | "version" | "base" | "node" | "run" | "policy" | "state" | "paths" | "why">,
): Push {
  return { ...of, machine: hostname(), time: 0, attempts: 0, next: 0 };
}

export function datumOf({ source, commit, state, run, time: _, ...detail }: Push): NewDatum {
  const json: Json = JSON.parse(JSON.stringify(detail)) as Json;
  return { ...keyOf(source, commit), state, detail: json, ...(run === undefined ? {} : { run }) };
}

/** The oldest first. */
export async function pushesOf(store: Store, source: string, states: readonly PushState[]): Promise<readonly Push[]> {
  const found = await store.lineages.list({ kind: "push", name: source }, { states });
  return found.map(pushOf).reverse();
}

export async function findPush(store: Store, source: string, commit: string): Promise<Push | undefined> {
  const datum = await store.lineages.get(keyOf(source, commit));
  return datum === undefined ? undefined : pushOf(datum);
}

/** What counts as the newest version of a source while its remote does not have it yet; undefined where nothing waits. */
export async function heldVersion(store: Store, source: string): Promise<Datum | undefined> {
  const [newest] = await store.lineages.list({ kind: "push", name: source }, { states: ["waiting"], limit: 1 });
  return newest === undefined ? undefined : store.lineages.get(versionKey(source, pushOf(newest).version));
}

function keyOf(source: string, commit: string): DatumKey {
  return { kind: "push", name: source, id: algorithmOf(commit) };
}

function pushOf({ name, id, state, run, time, detail }: Datum): Push {
  const kept = detail as unknown as Omit<Push, "source" | "commit" | "state" | "time" | "run">;
  const commit = id.slice(id.indexOf(":") + 1);
  return { ...kept, source: name, commit, state: state as PushState, time, ...(run === undefined ? {} : { run }) };
}
