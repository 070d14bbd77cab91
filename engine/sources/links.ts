// Relations between versions that nobody computed, `.dagger/links.json`: said by hand, and part of provenance.
import { join } from "node:path";
import type { DatumEdge } from "../store/index.ts";
import type { Workspace } from "../workspace/find.ts";
import { formatJson, isObject, readJsonFile, writeWhole } from "../workspace/json-file.ts";
import { changing } from "../workspace/lock.ts";
import { withData } from "./open.ts";
import { findSource } from "./source.ts";
import { findVersion, readVersionName, type SourceRequest, versionKey } from "./versions.ts";

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

function edgeOf({ from, to }: Link): DatumEdge {
  const [parent, child] = [readVersionName(from), readVersionName(to)];
  return { child: versionKey(child.source, child.id), parent: versionKey(parent.source, parent.id), kind: "link" };
}

function linksFile({ dir }: Pick<Workspace, "dir">): string {
  return join(dir, "links.json");
}

async function readLinks(workspace: Workspace, cwd: string): Promise<readonly Link[]> {
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
