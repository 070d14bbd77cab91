// What a version was made from, as records: versions of sources and computations of nodes, back to commits and digests.
import { keepLinks } from "../sources/links.ts";
import { withData } from "../sources/open.ts";
import { detailOf, findVersion, readVersionName, type SourceRequest } from "../sources/versions.ts";
import type { Datum, DatumEdge, DatumKey, Run } from "../store/index.ts";

/** A version of a source. */
export interface VersionRecord {
  /** The beginning of the version, as much as tells it from the others here. */
  readonly ID: string;
  /** IDs of what it comes from. */
  readonly inputs?: readonly string[];
  readonly source: string;
  readonly kind: string;
  readonly url: string;
  /** Of a repository. */
  readonly commit?: string;
  /** The version itself, where it is no commit. */
  readonly digest?: string;
  /** Whether a person said what it comes from, and nobody computed it. */
  readonly linked?: true;
}

/** A computation of a node. */
export interface ComputationRecord {
  readonly ID: string;
  readonly inputs: readonly string[];
  readonly node: string;
  readonly command: readonly string[];
  readonly labels: readonly string[];
  /** `SOURCE:DIRECTORY`. */
  readonly volumes: readonly string[];
  readonly image: string;
  readonly state: string;
  readonly run?: string;
}

export type ManifestRecord = VersionRecord | ComputationRecord;

export interface Manifest {
  /** `NAME:ID` with the whole id. */
  readonly of: string;
  /** What comes from nothing first, the version itself last. */
  readonly records: readonly ManifestRecord[];
  readonly data: readonly Datum[];
  readonly edges: readonly DatumEdge[];
  /** The runs of its computations, by id, as far as they are still recorded. */
  readonly runs: ReadonlyMap<string, Run>;
}

/** `name` is `NAME:ID`. Throws UserError (2) `bad-version-name`, `unknown-version`, `ambiguous-version`. */
export function manifestOf(request: SourceRequest, name: string): Promise<Manifest> {
  const { source, id } = readVersionName(name);
  return withData(request, async (data) => {
    await keepLinks(data, request.cwd);
    const found = await findVersion(data.store, source, id);
    const lineage = (await data.store.lineages.trace(found)) ?? { data: [found], edges: [] };
    const runs = new Map<string, Run>();
    for (const run of new Set(lineage.data.flatMap((one) => (one.kind === "computation" ? (one.run ?? []) : [])))) {
      const there = await data.store.runs.get(run);
      if (there !== undefined) runs.set(run, there);
    }
    const ordered = parentsFirst(lineage.data, lineage.edges);
    return { of: `${source}:${found.id}`, records: recordsOf(ordered, lineage.edges), data: ordered, edges: lineage.edges, runs };
  });
}

export function keyText({ kind, name, id }: DatumKey): string {
  return `${kind} ${name}:${id}`;
}

/** What a datum comes from, by its key. */
export function parentsOf(edges: readonly DatumEdge[]): ReadonlyMap<string, readonly DatumEdge[]> {
  const found = new Map<string, DatumEdge[]>();
  for (const edge of edges) found.set(keyText(edge.child), [...(found.get(keyText(edge.child)) ?? []), edge]);
  return found;
}

/** A worklist: chains may be long, and what is linked by hand may go in circles. */
function parentsFirst(data: readonly Datum[], edges: readonly DatumEdge[]): readonly Datum[] {
  const parents = parentsOf(edges);
  const byKey = new Map(data.map((one) => [keyText(one), one]));
  const done = new Set<string>();
  const entered = new Set<string>();
  const order: Datum[] = [];
  for (const start of byKey.keys()) {
    const open = [start];
    for (let key = open.at(-1); key !== undefined; key = open.at(-1)) {
      const waiting = entered.has(key)
        ? []
        : (parents.get(key) ?? []).map(({ parent }) => keyText(parent)).filter((one) => !entered.has(one));
      entered.add(key);
      if (waiting.length > 0) {
        open.push(...waiting);
        continue;
      }
      open.pop();
      const datum = byKey.get(key);
      if (done.has(key) || datum === undefined) continue;
      done.add(key);
      order.push(datum);
    }
  }
  return order;
}

function recordsOf(data: readonly Datum[], edges: readonly DatumEdge[]): readonly ManifestRecord[] {
  const names = shortNames(data);
  const parents = parentsOf(edges);
  return data.map((datum): ManifestRecord => {
    const above = parents.get(keyText(datum)) ?? [];
    const inputs = [...new Set(above.map(({ parent }) => names.get(keyText(parent)) ?? ""))];
    const ID = names.get(keyText(datum)) ?? "";
    return datum.kind === "version"
      ? versionRecord(
          datum,
          ID,
          inputs,
          above.some(({ kind }) => kind === "link"),
        )
      : computationRecord(datum, ID, inputs);
  });
}

function versionRecord(datum: Datum, ID: string, inputs: readonly string[], linked: boolean): VersionRecord {
  const { kind = "", location = "", url = location, commit, path } = detailOf(datum);
  const whole = commit !== undefined && datum.id.endsWith(commit);
  return {
    ID,
    ...(inputs.length === 0 ? {} : { inputs }),
    source: datum.name,
    kind,
    url: `${kind === "git" ? location : url}${kind === "git" && path !== undefined ? `#${path}` : ""}`,
    ...(commit === undefined ? {} : { commit: whole ? datum.id : `${commit.length === 64 ? "sha256" : "sha1"}:${commit}` }),
    ...(whole ? {} : { digest: datum.id }),
    ...(linked ? { linked } : {}),
  };
}

function computationRecord({ name, state, run, detail }: Datum, ID: string, inputs: readonly string[]): ComputationRecord {
  const { command = [], labels = [], volumes = [], image = "" } = detail as Partial<ComputationRecord>;
  const node = name.slice(0, 8);
  return { ID, inputs, node, command, labels, volumes, image, state, ...(run === undefined ? {} : { run }) };
}

/** At least 8 digits of each, and as many as it takes to tell them apart; the same version in two sources has its source before it. */
function shortNames(data: readonly Datum[]): ReadonlyMap<string, string> {
  const hex = ({ id }: Datum): string => id.slice(id.indexOf(":") + 1);
  for (let digits = 8; digits <= 64; digits += 4) {
    const short = data.map((one) => hex(one).slice(0, digits));
    if (new Set(short).size === data.length) return new Map(data.map((one, index) => [keyText(one), short[index] ?? ""]));
  }
  return new Map(data.map((one) => [keyText(one), `${one.name}:${hex(one)}`]));
}
