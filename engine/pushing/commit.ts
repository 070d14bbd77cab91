// Makes a commit of what a computation gave to a source of kind git. It becomes the newest version of its source at once, and is pushed later.
import { inputError } from "../../compiler/index.ts";
import { seenCommit } from "../sources/ask/git.ts";
import type { Git } from "../sources/ask/mirror.ts";
import { usualPolicy } from "../sources/conflict.ts";
import type { Source } from "../sources/source.ts";
import { asNewest, type PlaceScope, type Seen, versionKey, versionOf } from "../sources/versions.ts";
import type { DatumEdge, NewDatum, Store } from "../store/index.ts";
import { combine } from "./combine.ts";
import { commitTree, type Origin } from "./identity.ts";
import { fetchTip, inPushes, isKept, refOf } from "./place.ts";
import { algorithmOf, datumOf, newPush, type Push, pushesOf, pushLease } from "./records.ts";
import { changed, filesOf, isAncestor, treeOf } from "./trees.ts";

/** The commit that a computation begins from, and what it is of its source. */
export interface Base {
  readonly commit: string;
  readonly seen: Seen;
}

/** A new version of a source, which is not recorded yet. */
export interface Committed {
  readonly seen: Seen;
  /** What it was added to. */
  readonly before: Seen;
  /** Whether it counts now: not so where it waits for a person. */
  readonly isCurrent: boolean;
  /** To be recorded together with the version: the push, and versions of other sources that have the commit in them. */
  readonly data: readonly NewDatum[];
  readonly edges: readonly DatumEdge[];
}

interface Around {
  readonly scope: PlaceScope;
  readonly store: Store;
  /** Sources of the same branch. */
  readonly beside: readonly Source[];
}

/** What waits to be pushed counts; else what the remote has now. Throws UserError: 2 `node-output`, `source-gone`; 3 `source-unreachable`. */
export function baseOf(source: Source, scope: PlaceScope, store: Store): Promise<Base> {
  return inPushes(source, scope, async (git) => {
    const tip = await fetchTip(git, source);
    const waiting = (await pushesOf(store, source.name, ["waiting"])).at(-1);
    const commit = waiting !== undefined && (await isKept(git, waiting.commit)) ? waiting.commit : tip;
    return { commit, seen: (await seenCommit(git, commit, source)) ?? { id: "", detail: {} } };
  });
}

/**
 * Adds the files of a directory to a source; those of the same path are replaced. What is the same makes no commit. Where another computation was faster,
 * it goes on from there. Throws UserError (2) `node-output`.
 */
export async function commitGiven(
  source: Source,
  base: Base,
  dir: string,
  origin: Origin,
  { scope, store, beside }: Around,
): Promise<Committed> {
  const lease = await store.leases.acquire({ key: pushLease(source.name), signal: scope.signal });
  try {
    return await inPushes(source, scope, async (git) => {
      const tree = await changed(git, base.commit, await filesOf(git, source.name, dir, source.path ?? ""));
      if (tree === (await treeOf(git, base.commit))) return unchanged(await seenOf(git, base.commit, source));
      const own = await commitTree(git, source, { tree, parents: [base.commit], origin });
      const line = await lineOf(git, base, await pushesOf(store, source.name, ["waiting", "pushed"]));
      const placed = line === undefined ? { commit: own, on: base.commit } : await goOn(git, source, { base, line, own, origin });
      if (placed.commit === line) return unchanged(await seenOf(git, line, source));
      await git("update-ref", refOf(placed.commit), placed.commit);
      const seen = await seenOf(git, placed.commit, source);
      const about = { source: source.name, commit: placed.commit, version: seen.id, base: placed.on, node: origin.node };
      const more = {
        ...(origin.run === undefined ? {} : { run: origin.run }),
        ...(origin.policy === undefined ? {} : { policy: origin.policy }),
      };
      const { paths = [] } = placed;
      const waits = paths.length === 0 || (origin.policy ?? source.onConflict) === "branch";
      const why = "another node changed the same files";
      const push = newPush({ ...about, ...more, state: waits ? "waiting" : "conflict", paths, ...(paths.length === 0 ? {} : { why }) });
      const isCurrent = paths.length === 0;
      const others = await versionsBeside(git, placed.commit, { origin, beside, store });
      const data = [datumOf(push), ...others.data, ...(isCurrent ? [] : await newestOf(store, source))];
      return { seen, before: await seenOf(git, placed.on, source), isCurrent, data, edges: others.edges };
    });
  } finally {
    await lease.release();
  }
}

function unchanged(seen: Seen): Committed {
  return { seen, before: seen, isCurrent: true, data: [], edges: [] };
}

/** What a commit is of other sources of its branch: known to come from the computation, and their newest when the remote has it. */
async function versionsBeside(
  git: Git,
  commit: string,
  { origin, beside, store }: Pick<Around, "beside" | "store"> & { readonly origin: Origin },
): Promise<Pick<Committed, "data" | "edges">> {
  const parent = { kind: "computation", name: origin.node, id: origin.computation } as const;
  const data: NewDatum[] = [];
  const edges: DatumEdge[] = [];
  for (const source of beside) {
    const seen = await seenCommit(git, commit, source);
    if (seen === undefined || (await store.lineages.get(versionKey(source.name, seen.id))) !== undefined) continue;
    data.push(versionOf(source, seen), ...(await newestOf(store, source)));
    edges.push({ child: versionKey(source.name, seen.id), parent, kind: "output" });
  }
  return { data, edges };
}

/** Said again behind a version that is not to count yet. */
async function newestOf(store: Store, { name }: Source): Promise<readonly NewDatum[]> {
  return (await store.lineages.newest("version", [name])).map(asNewest);
}

/** The newest commit that a node made since the base; undefined where there is none. */
async function lineOf(git: Git, { commit: base }: Base, pushes: readonly Push[]): Promise<string | undefined> {
  const newest = pushes.at(-1);
  const line = newest?.landing ?? newest?.commit;
  if (line === undefined || line === base) return undefined;
  const isThere = (await git.outcome("cat-file", "-e", `${line}^{commit}`)).code === 0;
  return isThere && (await isAncestor(git, base, line)) ? line : undefined;
}

interface Late {
  readonly base: Base;
  readonly line: string;
  readonly own: string;
  readonly origin: Origin;
}

interface Placed {
  readonly commit: string;
  readonly on: string;
  /** Files for which a person, or the source's branch, has to be asked. */
  readonly paths?: readonly string[];
}

/** On what another node gave meanwhile. Files that both gave are a conflict like any other. */
async function goOn(git: Git, source: Source, { base, line, own, origin }: Late): Promise<Placed> {
  const sides = { base: base.commit, ours: own, theirs: line };
  const policy = origin.policy ?? source.onConflict ?? usualPolicy;
  const combined = await combine(git, sides, policy === "fail" || policy === "branch" ? "apart" : policy);
  if ("paths" in combined) return { commit: own, on: base.commit, paths: combined.paths };
  if (combined.tree === (await treeOf(git, line))) return { commit: line, on: line };
  return { commit: await commitTree(git, source, { tree: combined.tree, parents: [line], origin }), on: line };
}

async function seenOf(git: Git, commit: string, source: Source): Promise<Seen> {
  const seen = await seenCommit(git, commit, source);
  // A path that a merge took away.
  if (seen !== undefined) return seen;
  const message = `Nothing is left of the path ${source.path ?? "/"} of the source ${source.name} in ${algorithmOf(commit)}`;
  throw inputError({ code: "node-output", message, at: [], hint: "Look at what the repository has there" });
}
