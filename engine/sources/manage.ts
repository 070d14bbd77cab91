// Sources as a person manages them: added, pinned, pointed elsewhere, paused, removed, looked at.
import { rm } from "node:fs/promises";
import { inputError } from "../../compiler/index.ts";
import { readNodes } from "../nodes/node.ts";
import { pushWaiting } from "../pushing/waiting.ts";
import { notWritten } from "../workspace/json-file.ts";
import { changing } from "../workspace/lock.ts";
import { withDaemon } from "./ask/daemon.ts";
import { askCommit, askHead } from "./ask/git.ts";
import { checkPushSettings, type PushSettings } from "./conflict.ts";
import { imageName } from "./image.ts";
import { type Data, withData } from "./open.ts";
import { failureOf, partEdges, type Refreshed, refreshSources, wholeAt } from "./refresh.ts";
import { checkName, findSource, type Source, sourceFile, unknownSource, writeSource } from "./source.ts";
import { type AskScope, findVersion, type Seen, type SourceRequest, versionOf, versionsLike } from "./versions.ts";
import { type NewSource, readWish, said } from "./wish.ts";

/** What can be said of a source at any time. */
export type SourceSettings = PushSettings & Pick<Source, "poll">;

/** A source with the version that it has. */
export interface AddedSource {
  readonly source: Source;
  readonly version: string;
}

/** Looks at it once, so that only what is there becomes a source. Throws UserError: 2 `source-exists`, those of `readWish` and of asking. */
export function addSource(request: SourceRequest, wish: NewSource): Promise<AddedSource> {
  checkName(wish.name);
  return withData(request, async (data) => {
    if (data.sources.some(({ name }) => name === wish.name)) {
      const hint = `Point it elsewhere with \`dagger source pin ${wish.name} LOCATION\`, or choose another name`;
      throw inputError({ code: "source-exists", message: `There is a source ${wish.name} already`, at: [], hint });
    }
    return put(request, data, readWish(wish, data.workspace, request.cwd, data.sources));
  });
}

/** Changes where a source is; what is known of it stays. Throws as `addSource`, and `unknown-source`. */
export function moveSource(request: SourceRequest, wish: NewSource): Promise<AddedSource> {
  return withData(request, async (data) => {
    const before = await findSource(data.workspace, wish.name, request.cwd);
    const others = data.sources.filter(({ name }) => name !== wish.name);
    const moved = readWish(wish, data.workspace, request.cwd, others);
    const { poll = before.poll } = moved;
    const { tag = moved.kind === before.kind ? before.tag : undefined, path = before.path } = moved;
    const isThere = moved.kind === before.kind && moved.location === before.location;
    const { parent = isThere ? before.parent : undefined } = moved;
    const kept = {
      ...(parent === undefined ? {} : { parent }),
      ...(tag === undefined ? {} : { tag }),
      ...(path === undefined ? {} : { path }),
      ...(poll === undefined ? {} : { poll }),
      ...(moved.kind === before.kind ? { ...said(before), ...said(moved) } : {}),
    };
    return put(request, data, { ...moved, ...kept });
  });
}

async function put(request: SourceRequest, data: Data, wanted: Source): Promise<AddedSource> {
  const { workspace, sources } = data;
  const source = await withTag(wanted, request, data);
  const others = [...sources.filter(({ name }) => name !== source.name), source];
  const done = await refreshSources([source], others, { ...data, request });
  const failure = failureOf(done);
  if (failure !== undefined) throw failure;
  await changing(workspace, () => writeSource(workspace, source));
  return { source, version: source.pin ?? done[0]?.id ?? "" };
}

/** A repository's own default branch, where nobody named another. */
async function withTag(source: Source, request: SourceRequest, { workspace }: Data): Promise<Source> {
  if (source.kind !== "git" || source.tag !== undefined) return source;
  const tag = await withDaemon(request, (askDaemon) => askHead(source, { ...request, workspace, askDaemon }));
  return tag === undefined ? source : { ...source, tag };
}

/** Whether a text is, or may be, a version of a source rather than a location. */
export function looksLikeVersion(text: string): boolean {
  return /^(sha1|sha256|md5):[0-9a-fA-F]{4,}$/.test(text) || /^[0-9a-fA-F]{6,64}$/.test(text);
}

/** Makes one version count. Throws UserError (2) `unknown-source`, `unknown-version`, `ambiguous-version`. */
export function pinSource(request: SourceRequest, name: string, wanted: string): Promise<Source> {
  return withData(request, async (data) => {
    const { workspace, store } = data;
    const source = await findSource(workspace, name, request.cwd);
    const known = await versionsLike(store, name, wanted);
    if (known.length === 0) {
      const seen = await withDaemon(request, (askDaemon) => askVersion(source, wanted, { ...request, workspace, askDaemon }));
      if (seen !== undefined) {
        const whole = wholeAt(source, seen, data.sources);
        await store.lineages.record([...whole, versionOf(source, seen)], partEdges(source, seen, whole));
      }
      return change(request, data, name, { pin: seen?.id ?? (await findVersion(store, name, wanted)).id });
    }
    return change(request, data, name, { pin: (await findVersion(store, name, wanted)).id });
  });
}

/** A version that was never the newest while anybody looked. */
async function askVersion(source: Source, wanted: string, scope: AskScope): Promise<Seen | undefined> {
  const hex = wanted.slice(wanted.indexOf(":") + 1).toLowerCase();
  if (source.kind === "git" && /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(hex)) return askCommit(source, hex, scope);
  if (source.kind !== "docker" || !/^[0-9a-f]{64}$/.test(hex)) return undefined;
  const digest = `sha256:${hex}`;
  const ref = `${imageName(source).replace(/:[^:/]*$/, "")}@${digest}`;
  const found = await scope.askDaemon.image(ref).catch(() => undefined);
  return found === undefined ? undefined : { id: digest, detail: { url: `docker-image://${ref}`, digest } };
}

/** Its newest version counts again. */
export function unpinSource(request: SourceRequest, name: string): Promise<Source> {
  return withData(request, (data) => change(request, data, name, { pin: undefined }));
}

/** One that is paused is not looked at unless it is named. */
export function pauseSource(request: SourceRequest, name: string, paused: boolean): Promise<Source> {
  return withData(request, (data) => change(request, data, name, { paused }));
}

/** How a source is followed, and how what nodes give to it is pushed. Throws UserError (2) `unknown-source`, `bad-policy`, `bad-source`. */
export function setSource(request: SourceRequest, name: string, what: SourceSettings): Promise<Source> {
  return withData(request, async (data) => {
    checkPushSettings(what, await findSource(data.workspace, name, request.cwd));
    return change(request, data, name, what);
  });
}

async function change(
  { cwd }: SourceRequest,
  { workspace }: Data,
  name: string,
  what: SourceSettings & Pick<Source, "paused"> & { readonly pin?: string | undefined },
): Promise<Source> {
  return changing(workspace, async () => {
    const { pin, ...rest } = { ...(await findSource(workspace, name, cwd)), ...what };
    const changed = { ...rest, ...(pin === undefined ? {} : { pin }) };
    await writeSource(workspace, changed);
    return changed;
  });
}

/** What is known of its versions stays. Throws UserError (2) `unknown-source`, `source-used`. */
export function removeSource(request: SourceRequest, name: string): Promise<Source> {
  return withData(request, ({ workspace, sources }) =>
    changing(workspace, async () => {
      const source = await findSource(workspace, name, request.cwd);
      const users = (await readNodes(workspace, request.cwd)).filter(({ inputs, outputs }) => [...inputs, ...outputs].includes(name));
      const parts = sources.filter(({ parent }) => parent === name);
      const [used] = [...users.map(({ id }) => `the node ${id.slice(0, 8)}`), ...parts.map((part) => `the source ${part.name}`)];
      if (used !== undefined) {
        const hint = users.length > 0 ? "Remove the node first: dagger node remove ID" : "Remove that source first";
        throw inputError({ code: "source-used", message: `Cannot remove the source ${name}: ${used} needs it`, at: [], hint });
      }
      await rm(sourceFile(workspace, name)).catch((cause: unknown) => {
        throw notWritten(sourceFile(workspace, name), cause);
      });
      return source;
    }),
  );
}

/** Looks at sources, and pushes what waits for them: at those that are named, else at all that are not paused. What cannot be asked has an error among the results. */
export function lookAtSources(request: SourceRequest, names: readonly string[]): Promise<readonly Refreshed[]> {
  return withData(request, async (data) => {
    const { sources } = data;
    const known = sources.map(({ name }) => name);
    for (const name of names) if (!known.includes(name)) throw unknownSource(name, known);
    const wanted = sources.filter(({ name, paused }) => (names.length === 0 ? paused !== true : names.includes(name)));
    for (const source of wanted) {
      const scope = { ...request, workspace: data.workspace };
      for (const { error } of await pushWaiting(source, { scope, store: data.store }, Date.now()))
        if (error !== undefined) request.onNotice?.(error.message);
    }
    return refreshSources(wanted, sources, { ...data, request });
  });
}
