// Sources as they are shown: which there are, what they have, and what they had.
import { pushesOf } from "../pushing/records.ts";
import { withData } from "./open.ts";
import { type Source, unknownSource } from "./source.ts";
import { detailOf, type SourceRequest } from "./versions.ts";

/** One line of the list. */
export interface ListedSource extends Source {
  /** The version that counts: the pinned one, else the newest that is known; not there when none is. */
  readonly latest?: string;
  /** How many commits of nodes its remote does not have; not there when it has all. */
  readonly open?: { readonly waiting: number; readonly conflicts: number };
}

/** A version that is known. */
export interface SourceVersion {
  readonly id: string;
  /** When it was seen first; milliseconds since 1970. */
  readonly time: number;
  /** The run that made it. */
  readonly run?: string;
  readonly detail: Readonly<Record<string, string>>;
}

/** By name; nobody is asked. */
export function listSources(request: SourceRequest): Promise<readonly ListedSource[]> {
  return withData(request, async ({ sources, store }) => {
    const names = sources.map(({ name }) => name);
    const newest = new Map((await store.lineages.newest("version", names)).map(({ name, id }) => [name, id]));
    const open = new Map<string, ListedSource["open"]>();
    for (const { name, kind } of sources) {
      const pushes = kind === "git" ? await pushesOf(store, name, ["waiting", "conflict"]) : [];
      const waiting = pushes.filter(({ state }) => state === "waiting").length;
      if (pushes.length > 0) open.set(name, { waiting, conflicts: pushes.length - waiting });
    }
    return sources.map((source): ListedSource => {
      const latest = source.pin ?? newest.get(source.name);
      const unpushed = open.get(source.name);
      return { ...source, ...(latest === undefined ? {} : { latest }), ...(unpushed === undefined ? {} : { open: unpushed }) };
    });
  });
}

/** Newest first. Throws UserError (2) `unknown-source`. */
export function logSource(
  request: SourceRequest,
  name: string,
  limit: number,
): Promise<{ readonly source: Source; readonly versions: readonly SourceVersion[] }> {
  return withData(request, async ({ sources, store }) => {
    const source = sources.find((one) => one.name === name);
    if (source === undefined)
      throw unknownSource(
        name,
        sources.map((one) => one.name),
      );
    const found = await store.lineages.list({ kind: "version", name }, { limit });
    const versions = found.map((datum) => ({
      id: datum.id,
      time: datum.time,
      ...(datum.run === undefined ? {} : { run: datum.run }),
      detail: detailOf(datum),
    }));
    return { source, versions };
  });
}
