// Runs that are done again: a rerun is made from exactly what a run was made from, a resumed run also finds what that one had finished.
import { join, resolve } from "node:path";
import { inputError } from "../../compiler/index.ts";
import type { Fill, Source } from "../../runtime/cue/index.ts";
import type { UpResult } from "../events.ts";
import { compareFiles } from "../provenance/compare.ts";
import type { ComponentFacts } from "../provenance/facts.ts";
import { FileDigests, type FileList } from "../provenance/files.ts";
import { lookNow } from "../provenance/now.ts";
import type { Repeat, StackRun, UpRequest } from "../request.ts";
import type { Setting } from "../settings/setting.ts";
import type { Output, Run, Store } from "../store/index.ts";
import { up } from "../up.ts";
import type { RecordedConfig, RecordedSource } from "./config.ts";
import { findRun, type HistoryRequest, withStore } from "./open.ts";

/** How a run is done again: which daemon and caches, and what may be given anew. */
export interface AgainRequest
  extends HistoryRequest,
    Pick<
      UpRequest,
      "buildkit" | "tls" | "signal" | "onEvent" | "allowHost" | "secretCalls" | "cacheFrom" | "cacheTo" | "supersede" | "admission"
    > {
  /** As of a run, in place of those that the run had by the same ids. */
  readonly secrets?: readonly string[];
  readonly ssh?: readonly string[];
}

/** What is kept of a run, as far as doing it again takes it. */
interface Kept {
  readonly run: Run;
  readonly config: RecordedConfig;
  readonly source: RecordedSource;
  /** Not there for a run that did not end by itself. */
  readonly components?: readonly ComponentFacts[];
  readonly files: ReadonlyMap<string, FileList>;
  readonly outputs: readonly Output[];
  /** Of the workspace. */
  readonly root: string;
}

/** What a run was asked for, as `requestData` writes it. */
interface Asked {
  readonly dir: string;
  readonly targets: readonly string[];
  readonly keepGoing: boolean;
  readonly noCache: boolean;
  readonly name?: string;
  readonly gradual?: boolean;
  readonly attest?: readonly string[];
}

/**
 * Runs what a run was made from once more: its files, inputs, settings, images and commits. What cannot be the same is told as a warning.
 * Throws as `up`, and UserError (2) `unknown-run`, `run-goes-on`, `run-not-kept`.
 */
export async function rerun(request: AgainRequest, wanted: string): Promise<UpResult> {
  const kept = await readKept(request, wanted);
  const { noCache } = kept.run.request as unknown as Asked;
  return again(request, kept, { noCache });
}

/**
 * Goes on with a run that failed, was cancelled or interrupted: under its name, so that the daemon still has what it finished, also of steps
 * that always run. Throws as `rerun`, and `nothing-to-resume` for a run that is done.
 */
export async function resume(request: AgainRequest, wanted: string): Promise<UpResult> {
  const kept = await readKept(request, wanted);
  const { id, state } = kept.run;
  if (state === "done") {
    throw inputError({
      code: "nothing-to-resume",
      message: `The run ${id} is done: nothing of it is left`,
      at: [],
      hint: `Run it once more: dagger history rerun ${id}`,
    });
  }
  const { name } = kept.run.request as unknown as Asked;
  return again(request, kept, { noCache: false, ...(name === undefined ? {} : { name }) });
}

async function again(request: AgainRequest, kept: Kept, how: Pick<UpRequest, "noCache" | "name">): Promise<UpResult> {
  const { run, source, config, root } = kept;
  const { dir, targets, keepGoing, gradual, attest } = run.request as unknown as Asked;
  const stack = stackOf(kept);
  const { secrets = [], ssh = [], onNotice: _, ...rest } = request;
  const whole: UpRequest = {
    ...rest,
    dir: resolve(root, dir),
    inputs: [],
    targets,
    keepGoing,
    ...(gradual === undefined ? {} : { gradual }),
    ...(attest === undefined ? {} : { attest }),
    secrets: over(secrets, source.secrets),
    ssh: over(ssh, source.ssh),
    ...(stack === undefined ? {} : { stack }),
    repeat: repeatOf(kept, config),
    ...how,
  };
  for (const message of await differences(whole, kept))
    request.onEvent({ type: "warning", message: message[0], detail: message[1], at: [] });
  return up(whole);
}

async function readKept(request: AgainRequest, wanted: string): Promise<Kept> {
  const kept = await withStore(request, async (store, { root }) => {
    const run = await findRun(store, wanted);
    if (run.state === "queued" || run.state === "running") {
      throw inputError({
        code: "run-goes-on",
        message: `The run ${run.id} is not over`,
        at: [],
        hint: `See how it goes on: dagger history logs ${run.id} --follow`,
      });
    }
    const config = run.config === undefined ? undefined : await readBlob<RecordedConfig>(store, run.config);
    const components = await readBlob<readonly ComponentFacts[]>(store, (run.summary as { readonly facts?: string } | undefined)?.facts);
    const files = new Map<string, FileList>();
    for (const [name, digest] of (components ?? []).flatMap((one) => Object.entries(one.sources))) {
      const list = name.startsWith("directory ") ? await readBlob<FileList>(store, digest) : undefined;
      if (list !== undefined) files.set(name, list);
    }
    const outputs = (await store?.outputs.list(run.stack, run.env)) ?? [];
    return { run, config, files, outputs, root, ...(components === undefined ? {} : { components }) };
  });
  const { config } = kept;
  const source = config?.source;
  if (config === undefined || source === undefined) {
    throw notKept(kept.run, "it came to no graph, or is of an older dagger", "Correct the config and run it: dagger up");
  }
  if (source.hidden) throw notKept(kept.run, "a secret stood in its config, and is not kept", "Run the config itself: dagger up");
  return { ...kept, config, source };
}

async function readBlob<T>(store: Store | undefined, digest: string | undefined): Promise<T | undefined> {
  const bytes = digest === undefined || digest === "" ? undefined : await store?.blobs.get(digest);
  return bytes && (JSON.parse(Buffer.from(bytes).toString("utf8")) as T);
}

function notKept({ id }: Run, why: string, hint: string): Error {
  return inputError({ code: "run-not-kept", message: `What the run ${id} was made from was not kept: ${why}`, at: [], hint });
}

function stackOf({ run, config, source, root }: Kept): StackRun | undefined {
  if (run.stack === "") return undefined;
  const settings = new Map(Object.entries(config.settings ?? {}) as unknown as [string, Setting][]);
  return { stack: run.stack, environment: run.env, root, cached: source.cached, settings };
}

function repeatOf({ run, source, root, components = [] }: Kept, { files, inputs, tags }: RecordedConfig): Repeat {
  const { dir, moduleRoot, packages, tags: sourceTags, fills, granted, images } = source;
  const withTexts = packages.map((one) => {
    const { files: named, ...rest } = one as { readonly files: readonly { readonly name: string }[] };
    return { ...rest, files: named.map((file) => ({ ...file, text: files[file.name] ?? "" })) };
  });
  const sources = components.flatMap((one) => Object.entries(one.sources)).filter(([, value]) => value !== "");
  const named = (kind: string): Record<string, string> =>
    Object.fromEntries(
      sources.filter(([name]) => name.startsWith(`${kind} `)).map(([name, value]) => [name.slice(kind.length + 1), value]),
    );
  return {
    run: run.id,
    source: {
      dir: resolve(root, dir),
      ...(moduleRoot === undefined ? {} : { moduleRoot: resolve(root, moduleRoot) }),
      packages: withTexts as unknown as Source["packages"],
      ...(sourceTags === undefined ? {} : { tags: sourceTags as unknown as NonNullable<Source["tags"]> }),
    },
    // As their credentials, connectors are those of today.
    fills: (fills as unknown as readonly Fill[]).filter(({ origin }) => !origin.startsWith("connector ")),
    granted,
    inputs,
    tags,
    lock: { images, git: named("git"), http: named("http") },
  };
}

/** What the run cannot have as it was then, in words. */
async function differences(request: UpRequest, kept: Kept): Promise<[message: string, detail: string[]][]> {
  const { run, root, files, components, outputs } = kept;
  const told: [string, string[]][] = [];
  const { secrets = [], ssh = [] } = request;
  if (secrets.length > 0)
    told.push(["The values of secrets are those of today", secrets.map((text) => text.replace(/=(cmd):.*$/s, "=$1:…"))]);
  if (ssh.length > 0) told.push(["Agents and sockets are those of today", [...ssh]]);
  if (components === undefined) {
    told.push([`Which files the run ${run.id} had is not known: local directories are those of today`, []]);
    return told;
  }
  if (!components.some((one) => Object.keys(one.sources).some((name) => name.startsWith("directory ")))) return told;
  const digests = new FileDigests(join(root, ".dagger", "state", "files"), Date.now);
  const now = await lookNow({ request, root, outputs, digests });
  for (const one of now.components) {
    for (const [name, digest] of Object.entries(one.sources)) {
      const then = files.get(name);
      const list = await now.files(digest);
      if (then === undefined || list === undefined) continue;
      const { added, removed, changed } = compareFiles(then, list);
      const marked = [...changed.map((path) => `~ ${path}`), ...added.map((path) => `+ ${path}`), ...removed.map((path) => `- ${path}`)];
      if (marked.length > 0) told.push([`The ${name} is not as it was`, some(marked)]);
    }
  }
  return [...new Map(told.map((one) => [one[0], one])).values()];
}

function some(lines: readonly string[]): string[] {
  return lines.length <= 20 ? [...lines] : [...lines.slice(0, 20), `and ${lines.length - 20} more`];
}

/** What is given now counts more than what the run had. */
function over(given: readonly string[], kept: readonly string[]): readonly string[] {
  const idOf = (text: string): string => text.split("=")[0] ?? "";
  const ids = new Set(given.map(idOf));
  return [...kept.filter((one) => !ids.has(idOf(one))), ...given];
}
