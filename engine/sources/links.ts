// Relations between versions that nobody computed, `.dagger/links.json`: said by hand, and part of provenance.
import { join } from "node:path";
import type { DatumEdge, NewDatum, Store } from "../store/index.ts";
import type { Workspace } from "../workspace/find.ts";
import { formatJson, isObject, readJsonFile, writeWhole } from "../workspace/json-file.ts";
import { changing } from "../workspace/lock.ts";
import { type Data, withData } from "./open.ts";
import { findSource, type Source } from "./source.ts";
import { findVersion, readVersionName, type SourceRequest, versionKey, versionOf } from "./versions.ts";

/** `to` was made from `from`; both are `NAME:ID` with the whole id. */
export interface Link {
  readonly from: string;
  readonly to: string;
}

/** Throws UserError (2) `bad-version-name`, `unknown-source`, `unknown-version`. */
export function linkVersions(request: SourceRequest, from: string, to: string): Promise<Link> {
  return withData(request, async ({ workspace, store }) => {
    const whole = async (text: string): Promise<string> => {
      const { source, id } = readVersionName(text);
      await findSource(workspace, source, request.cwd);
      return `${source}:${(await findVersion(store, source, id)).id}`;
    };
    const link = { from: await whole(from), to: await whole(to) };
    await changing(workspace, async () => {
      const others = (await readLinks(workspace, request.cwd)).filter((one) => one.from !== link.from || one.to !== link.to);
      const links = [...others, link].sort((a, b) => (`${a.to} ${a.from}` < `${b.to} ${b.from}` ? -1 : 1));
      await writeWhole(linksFile(workspace), formatJson({ links }));
    });
    await store.lineages.record([], [edgeOf(link)]);
    return link;
  });
}

/** Brings the links of the workspace into the store: they may have come with a clone. */
export async function keepLinks({ workspace, sources, store }: Data, cwd: string): Promise<void> {
  const links = await readLinks(workspace, cwd);
  const missing: NewDatum[] = [];
  for (const text of new Set(links.flatMap(({ from, to }) => [from, to]))) {
    const datum = await unknownVersion(text, sources, store);
    if (datum !== undefined) missing.push(datum);
  }
  if (links.length > 0) await store.lineages.record(missing, links.map(edgeOf));
}

async function unknownVersion(text: string, sources: readonly Source[], store: Store): Promise<NewDatum | undefined> {
  const { source, id } = readVersionName(text);
  if ((await store.lineages.get(versionKey(source, id))) !== undefined) return undefined;
  const known = sources.find(({ name }) => name === source);
  const seen = { id, detail: {} };
  return known === undefined ? { ...versionKey(source, id), state: "", detail: {} } : versionOf(known, seen);
}

function edgeOf({ from, to }: Link): DatumEdge {
  const [parent, child] = [readVersionName(from), readVersionName(to)];
  return { child: versionKey(child.source, child.id), parent: versionKey(parent.source, parent.id), kind: "link" };
}

function linksFile({ dir }: Pick<Workspace, "dir">): string {
  return join(dir, "links.json");
}

/** Throws UserError (2) `bad-workspace-file`. */
export async function readLinks(workspace: Pick<Workspace, "dir">, cwd: string): Promise<readonly Link[]> {
  const file = await readJsonFile(linksFile(workspace), cwd);
  if (file === undefined) return [];
  const { links } = file.data;
  if (!Array.isArray(links)) return file.fail(["links"], `${file.name} has no list of links`);
  for (const one of links as readonly unknown[]) {
    const texts = isObject(one) ? [one["from"], one["to"]] : [];
    if (texts.length !== 2 || !texts.every((text) => typeof text === "string" && /^[^:]+:[a-z0-9]+:[0-9a-f]+$/.test(text)))
      await file.fail(["links"], `${file.name} has a link without from and to, as NAME:ALGORITHM:ID`);
  }
  return links as readonly Link[];
}
