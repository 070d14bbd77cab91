// dagger source: places that have data, as tables on stdout.
import type { AddedSource, ConflictPolicy, ListedSource, NewSource, Source, SourceRequest, SourceSettings } from "../../engine/index.ts";
import { confirm } from "../ask.ts";
import type { Context, DaemonFlags, OutputFormat } from "../context.ts";
import { daemonOf, surroundings } from "../context.ts";
import { UsageError } from "../failure.ts";
import { clean } from "../output/lines.ts";
import { formatJson, formatTable } from "../output/table.ts";
import { duration, plural } from "../output/units.ts";

export interface SourceFlags extends DaemonFlags {
  readonly onConflict?: ConflictPolicy;
  readonly author?: string;
  readonly message?: string;
  readonly kind?: string;
  readonly path?: string;
  readonly tag?: string;
  readonly connector?: string;
  readonly build?: string;
  /** Milliseconds. */
  readonly poll?: number;
  readonly allowHost?: boolean;
  readonly limit?: string;
  readonly yes?: boolean;
  readonly output: OutputFormat;
}

const engine = async () => (await import("../../engine/index.ts")).loadSources();

export async function addSourceCommand(context: Context, name: string, location: string | undefined, flags: SourceFlags): Promise<void> {
  const { addSource } = await engine();
  tell(
    context,
    flags,
    await addSource(requestOf(context, flags), { name, ...wishOf(flags), ...(location === undefined ? {} : { location }) }),
  );
}

export async function listSourcesCommand(context: Context, flags: SourceFlags): Promise<void> {
  const { listSources } = await engine();
  const all = await listSources(requestOf(context, flags));
  if (flags.output === "json") return context.io.stdout.write(formatJson(all));
  const rows = all.map(({ name, pin, paused, latest = "-", open }) => [
    `${clean(name)}${pin === undefined ? "" : "*"}`,
    latest,
    ...(paused === true ? ["paused"] : []),
    ...openText(open),
  ]);
  context.io.stdout.write(formatTable([["NAME", "LATEST"], ...rows]));
}

export async function logSourceCommand(context: Context, name: string, flags: SourceFlags): Promise<void> {
  const { logSource, shortId } = await engine();
  const { source, versions } = await logSource(requestOf(context, flags), name, limitOf(flags));
  if (flags.output === "json") return context.io.stdout.write(formatJson(versions));
  const builds = source.kind === "release";
  const rows = versions.map(({ id, detail }) => [shortId(id), ...(builds ? [clean(detail["build"] ?? "-")] : []), id]);
  context.io.stdout.write(formatTable([["ID", ...(builds ? ["BUILD"] : []), "FULL"], ...rows]));
}

export async function pinSourceCommand(context: Context, name: string, target: string, flags: SourceFlags): Promise<void> {
  const { looksLikeVersion, moveSource, pinSource } = await engine();
  const request = requestOf(context, flags);
  const where = wishOf(flags);
  if (Object.keys(where).length === 0 && looksLikeVersion(target)) {
    const source = await pinSource(request, name, target);
    return tell(context, flags, { source, version: source.pin ?? "" });
  }
  tell(context, flags, await moveSource(request, { name, location: target, ...where }));
}

export async function unpinSourceCommand(context: Context, name: string, flags: SourceFlags): Promise<void> {
  const { unpinSource } = await engine();
  tell(context, flags, { source: await unpinSource(requestOf(context, flags), name) });
}

export async function pauseSourceCommand(context: Context, name: string, paused: boolean, flags: SourceFlags): Promise<void> {
  const { pauseSource } = await engine();
  tell(context, flags, { source: await pauseSource(requestOf(context, flags), name, paused) });
}

export async function setSourceCommand(context: Context, name: string, flags: SourceFlags): Promise<void> {
  const settings = settingsOf(flags);
  if (Object.keys(settings).length === 0) {
    const hint = `Write for example: dagger source set ${clean(name)} --poll 10s`;
    throw new UsageError({ code: "bad-flag-value", message: "Nothing says what to set", at: [], hint });
  }
  const { setSource } = await engine();
  tell(context, flags, { source: await setSource(requestOf(context, flags), name, settings) });
}

export async function linkCommand(context: Context, from: string, to: string, flags: SourceFlags): Promise<void> {
  const { linkVersions } = await engine();
  const link = await linkVersions(requestOf(context, flags), from, to);
  context.io.stdout.write(flags.output === "json" ? formatJson(link) : `${clean(link.to)} comes from ${clean(link.from)}\n`);
}

/** Tells of all, then fails with what could not be asked. */
export async function refreshSourcesCommand(context: Context, names: readonly string[], flags: SourceFlags): Promise<void> {
  const { failureOf, lookAtSources } = await engine();
  const done = await lookAtSources(requestOf(context, flags), names);
  const good = done.filter(({ error }) => error === undefined);
  const failure = failureOf(done);
  // An error is a document of its own.
  if (flags.output === "json" && failure === undefined) context.io.stdout.write(formatJson(good));
  if (flags.output !== "json") {
    const rows = good.map(({ name, id, fresh }) => [clean(name), id, fresh === 0 ? "" : `${fresh} new`]);
    context.io.stdout.write(formatTable([["NAME", "LATEST", "NEW"], ...rows]));
  }
  if (failure !== undefined) throw failure;
}

export async function removeSourceCommand(context: Context, name: string, flags: SourceFlags): Promise<void> {
  const { removeSource } = await engine();
  await confirm(context, `Remove the source ${name}?`, flags.yes);
  const removed = await removeSource(requestOf(context, flags), name);
  context.io.stdout.write(flags.output === "json" ? formatJson(removed) : `Removed ${clean(name)}\n`);
}

export function requestOf(context: Context, flags: SourceFlags): SourceRequest {
  const onNotice = (text: string): void => context.io.stderr.write(`${text}\n`);
  return { ...surroundings(context), ...daemonOf(flags), allowHost: flags.allowHost === true, signal: context.signal, onNotice };
}

/** As the engine takes what flags say of where a source is, and how it is followed and pushed to. */
function wishOf(flags: SourceFlags): Omit<NewSource, "name" | "location"> {
  const { kind, path, tag, connector, build } = flags;
  return {
    ...(kind === undefined ? {} : { kind }),
    ...(path === undefined ? {} : { path }),
    ...(tag === undefined ? {} : { tag }),
    ...(connector === undefined ? {} : { connector }),
    ...(build === undefined ? {} : { build }),
    ...settingsOf(flags),
  };
}

function settingsOf({ poll, onConflict, author, message }: SourceFlags): SourceSettings {
  return {
    ...(poll === undefined ? {} : { poll }),
    ...(onConflict === undefined ? {} : { onConflict }),
    ...(author === undefined ? {} : { author }),
    ...(message === undefined ? {} : { message }),
  };
}

function limitOf({ limit = "50" }: SourceFlags): number {
  if (/^[1-9]\d{0,5}$/.test(limit)) return Number(limit);
  const message = `Cannot read --limit ${JSON.stringify(limit)}: expected a number`;
  throw new UsageError({ code: "bad-flag-value", message, at: [], hint: "Write for example --limit 100" });
}

function tell({ io }: Context, { output }: SourceFlags, { source, version }: Partial<AddedSource> & { readonly source: Source }): void {
  if (output === "json") {
    io.stdout.write(formatJson({ ...source, ...(version === undefined ? {} : { version }) }));
    return;
  }
  const { name, kind, location, tag = "-", path = "-", pin, paused, poll, onConflict } = source;
  const mark = pin === undefined ? "" : "*";
  const more = [
    ...(paused === true ? ["paused"] : []),
    ...pollText(poll),
    ...(onConflict === undefined ? [] : [`on conflict ${onConflict}`]),
  ];
  const row = [`${name}${mark}`, kind, location, tag, path, ...more].map((cell) => clean(cell));
  io.stdout.write(formatTable([["NAME", "KIND", "LOCATION", "TAG", "PATH"], row]));
}

/** What of it is not pushed. */
function openText(open: ListedSource["open"]): readonly string[] {
  if (open === undefined) return [];
  return [...(open.waiting > 0 ? [`${open.waiting} to push`] : []), ...(open.conflicts > 0 ? [plural(open.conflicts, "conflict")] : [])];
}

/** How often a watch asks, where the source says so itself. */
function pollText(poll: number | undefined): readonly string[] {
  if (poll === undefined) return [];
  return [poll === 0 ? "never asked" : `asked each ${duration(poll)}`];
}
