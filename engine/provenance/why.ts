// dagger why: what has changed since a component last succeeded, up to now or up to a run.
import { join } from "node:path";
import { inputError, nearest } from "../../compiler/index.ts";
import type { CompileOnlyRequest } from "../config/compile-only.ts";
import type { RecordedConfig } from "../history/config.ts";
import { findRun, withStore } from "../history/open.ts";
import { placeOf } from "../history/place.ts";
import type { Run, RunComponent, Store } from "../store/index.ts";
import { type ComponentChanges, compare, type Snapshot } from "./compare.ts";
import type { ComponentFacts } from "./facts.ts";
import { FileDigests, type FileList } from "./files.ts";
import { lookNow } from "./now.ts";

export interface WhyRequest extends CompileOnlyRequest {
  /** Explains this run (an id, the beginning of one, or `latest`) in place of what a run would do now. */
  readonly run?: string;
  /** Told of runs that were found interrupted. */
  readonly onNotice?: (text: string) => void;
}

/**
 * `changed`: it is not made from what it was. `cached`: nothing has changed. `new`: it never succeeded before. `failed`: nothing has changed,
 * and it failed when it last ran. `lost`: nothing had changed, and yet it ran: the daemon had it no longer, or was told to run everything.
 * `waits`: it cannot be known before a run gives the values in `waits`.
 */
export type Verdict = "changed" | "cached" | "new" | "failed" | "lost" | "waits";

export interface Why {
  readonly component: string;
  readonly verdict: Verdict;
  /** The run that is explained; not there for what would run now. */
  readonly run?: { readonly id: string; readonly state: RunComponent["state"]; readonly noCache: boolean };
  /** The run in which it last succeeded before, and when that was (milliseconds since 1970). */
  readonly since?: { readonly run: string; readonly time: number };
  /** The component first, then those that it uses and that run, too. */
  readonly changes: readonly ComponentChanges[];
  /** Inputs and settings that have other values; not all of them need be what the component is made from. */
  readonly inputs: readonly { readonly path: string; readonly before?: unknown; readonly after?: unknown }[];
  readonly waits: readonly string[];
}

/** Throws UserError (2) `no-workspace`, `unknown-run`, `unknown-component`, `no-facts`, and those of `plan`. */
export async function why(request: WhyRequest, component: string): Promise<Why> {
  const place = placeOf(request);
  const history = { ...request, cwd: place?.root ?? request.cwd };
  return withStore(history, async (store, workspace) => {
    if (request.run !== undefined) return ofRun(store, await findRun(store, request.run), component);
    const { root, stack, env: name } = place ?? { root: workspace.root, stack: "", env: "" };
    const outputs = (await store?.outputs.list(stack, name)) ?? [];
    const digests = new FileDigests(join(root, ".dagger", "state", "files"), Date.now);
    const now = await lookNow({ request, root, outputs, digests });
    const waits = now.waiting.get(component);
    const known = now.components.map(({ path }) => path);
    if (waits === undefined) checkKnown(component, known, "The config");
    const before = store === undefined ? undefined : await lastBefore(store, { stack, env: name }, component);
    if (waits !== undefined) return { ...about(component, before), verdict: "waits", changes: [], inputs: [], waits };
    const told = await explained(component, before, now, now.fills);
    const verdict = told.verdict === "cached" && before?.failed === true ? "failed" : told.verdict;
    return { ...told, verdict };
  });
}

async function ofRun(store: Store | undefined, run: Run, component: string): Promise<Why> {
  if (store === undefined) throw noFacts(run);
  const after = await snapshotOf(store, run);
  if (after === undefined) throw noFacts(run);
  const components = await store.components.list(run.id);
  checkKnown(
    component,
    after.components.map(({ path }) => path),
    `The run ${run.id}`,
  );
  const { state = "skipped" } = components.find(({ path }) => path === component) ?? {};
  const before = await lastBefore(store, run, component, run);
  const { noCache = false } = run.request as { readonly noCache?: boolean };
  const told = await explained(component, before, after, (await configOf(store, run))?.source?.fills ?? []);
  const verdict = told.verdict === "cached" && (state === "done" || noCache) ? "lost" : told.verdict;
  return { ...told, verdict, run: { id: run.id, state, noCache } };
}

interface Before {
  readonly run: Run;
  readonly snapshot: Snapshot;
  readonly fills: readonly unknown[];
  /** It failed in a later run. */
  readonly failed: boolean;
}

function about(component: string, before: Before | undefined): Pick<Why, "component" | "since"> {
  return { component, ...(before === undefined ? {} : { since: { run: before.run.id, time: before.run.created } }) };
}

async function explained(component: string, before: Before | undefined, after: Snapshot, fills: readonly unknown[]): Promise<Why> {
  const common = { ...about(component, before), waits: [] };
  if (before === undefined) return { ...common, verdict: "new", changes: [], inputs: [] };
  const changes = await compare(component, before.snapshot, after);
  return {
    ...common,
    verdict: changes.length === 0 ? "cached" : "changed",
    changes,
    inputs: changes.length === 0 ? [] : inputChanges(before.fills, fills),
  };
}

/** The last run of an environment, before another one if that is given, in which a component succeeded. */
async function lastBefore(
  store: Store,
  { stack, env }: Pick<Run, "stack" | "env">,
  component: string,
  limit?: Run,
): Promise<Before | undefined> {
  let failed = false;
  let cursor = limit === undefined ? undefined : String(limit.seq);
  do {
    const page = await store.runs.list({ stack, env, ...(cursor === undefined ? {} : { cursor }) });
    for (const run of page.runs) {
      if (factsDigest(run) === undefined) continue;
      const found = (await store.components.list(run.id)).find(({ path }) => path === component);
      if (found?.state === "failed") failed = true;
      if (found?.state !== "done" && found?.state !== "cached") continue;
      const snapshot = await snapshotOf(store, run);
      if (snapshot !== undefined) return { run, snapshot, fills: (await configOf(store, run))?.source?.fills ?? [], failed };
    }
    cursor = page.next;
  } while (cursor !== undefined);
  return undefined;
}

function factsDigest({ summary }: Run): string | undefined {
  return (summary as { readonly facts?: string } | undefined)?.facts;
}

async function snapshotOf(store: Store, run: Run): Promise<Snapshot | undefined> {
  const digest = factsDigest(run);
  const components = digest === undefined ? undefined : await readBlob<readonly ComponentFacts[]>(store, digest);
  return components && { components, files: (wanted) => readBlob<FileList>(store, wanted) };
}

async function configOf(store: Store, { config }: Run): Promise<RecordedConfig | undefined> {
  return config === undefined ? undefined : readBlob<RecordedConfig>(store, config);
}

async function readBlob<T>(store: Store, digest: string): Promise<T | undefined> {
  const bytes = await store.blobs.get(digest);
  return bytes && (JSON.parse(Buffer.from(bytes).toString("utf8")) as T);
}

interface KnownFill {
  readonly path: string;
  readonly text?: string;
  readonly json?: string;
}

function inputChanges(before: readonly unknown[], after: readonly unknown[]): Why["inputs"] {
  const given = ({ text, json = "null" }: KnownFill): unknown => (text === undefined ? (JSON.parse(json) as unknown) : text);
  const byPath = (fills: readonly unknown[]) => new Map((fills as readonly KnownFill[]).map((fill) => [fill.path, given(fill)]));
  const [then, now] = [byPath(before), byPath(after)];
  return [...new Set([...then.keys(), ...now.keys()])].flatMap((path) => {
    const [a, b] = [then.get(path), now.get(path)];
    if (JSON.stringify(a) === JSON.stringify(b)) return [];
    return [{ path, ...(a === undefined ? {} : { before: a }), ...(b === undefined ? {} : { after: b }) }];
  });
}

function checkKnown(component: string, known: readonly string[], where: string): void {
  if (known.includes(component)) return;
  const [near] = nearest(component, known);
  throw inputError({
    code: "unknown-component",
    message: `${where} has no component ${JSON.stringify(component)}`,
    at: [],
    hint: near === undefined ? "See which there are: dagger plan" : `Did you mean ${near}?`,
  });
}

function noFacts({ id, state }: Run): Error {
  return inputError({
    code: "no-facts",
    message: `What the run ${id} (${state}) was made from was not kept`,
    at: [],
    hint: "It came to no graph, did not end by itself, or is of an older dagger; choose another run: dagger history list",
  });
}
