// What a command left in its outputs, on its way into their sources: directories, buckets and repositories.
import { cp, mkdir, readdir, readFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { inputError, UserError } from "../../compiler/index.ts";
import { baseOf, commitGiven } from "../pushing/commit.ts";
import type { Origin } from "../pushing/identity.ts";
import { askPath, directoryOf } from "../sources/ask/path.ts";
import { askS3, openBucket } from "../sources/ask/s3.ts";
import { checkPolicy, policiesOf, usualPolicy } from "../sources/conflict.ts";
import { meeting } from "../sources/meeting.ts";
import type { Data } from "../sources/open.ts";
import type { Source } from "../sources/source.ts";
import type { AskScope, Seen } from "../sources/versions.ts";
import type { DatumEdge, NewDatum } from "../store/index.ts";

/** An output of a computation that has begun. */
export interface Destination {
  readonly source: Source;
  /** Adds the files of a directory to it; those of the same path are replaced. */
  give(dir: string, origin: Origin): Promise<Given>;
}

/** The version that a source has by what it was given. */
export interface Given {
  readonly seen: Seen;
  /** What it was added to; not there where that had nothing. */
  readonly before?: Seen;
  /** Whether it counts now. */
  readonly isCurrent: boolean;
  /** What is to be recorded with it. */
  readonly data: readonly NewDatum[];
  readonly edges: readonly DatumEdge[];
}

/** Throws UserError (2) `node-output` for a source that nothing can be put into. */
export function checkOutput({ name, kind, pin, tag = "" }: Source): void {
  const isPlace = kind === "path" || kind === "s3" || kind === "git";
  const isCommit = kind === "git" && /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(tag);
  const why = !isPlace ? `it is of kind ${kind}` : pin !== undefined ? "it is pinned" : isCommit ? "it is one commit" : undefined;
  if (why === undefined) return;
  const hint = !isPlace
    ? "Give results to a source of kind path, s3 or git"
    : isCommit
      ? `Name a branch: dagger source pin ${name} LOCATION --tag BRANCH`
      : `Let it change: dagger source unpin ${name}`;
  throw inputError({ code: "node-output", message: `Nothing can be put into the source ${name}: ${why}`, at: [], hint });
}

/** Looks at what a source has before a computation begins. Throws UserError: 2 `source-gone`, `node-output`, `bad-policy`; 3 `source-unreachable`. */
export async function openDestination(source: Source, scope: AskScope, data: Data, policy: Origin["policy"]): Promise<Destination> {
  checkOutput(source);
  if (policy !== undefined && policiesOf(source.kind).length > 0) checkPolicy(policy, source);
  switch (source.kind) {
    case "git": {
      const base = await baseOf(source, scope, data.store);
      const beside = meeting([source], data.sources, scope.workspace.root);
      return { source, give: (dir, origin) => commitGiven(source, base, dir, origin, { scope, store: data.store, beside }) };
    }
    case "s3":
      return intoBucket(source, scope, policy);
    default: {
      const { current } = await askPath(source, scope.workspace);
      return {
        source,
        give: async (dir) => {
          await intoDirectory(source, dir, scope);
          return grown((await askPath(source, scope.workspace)).current, current);
        },
      };
    }
  }
}

/** Objects that somebody else changed since the computation began are what the policy is about. */
async function intoBucket(source: Source, scope: AskScope, policy = source.onConflict ?? usualPolicy): Promise<Destination> {
  const bucket = await openBucket(source, scope);
  const { current } = await askS3(source, scope);
  const tags = new Map((await bucket.list()).map(({ path, etag }) => [path, etag]));
  return {
    source,
    give: async (dir) => {
      const now = new Map((await bucket.list()).map(({ path, etag }) => [path, etag]));
      const paths = await filesBelow(dir);
      const moved = paths.filter((path) => tags.get(path) !== now.get(path));
      if (policy === "fail" && moved.length > 0) throw changed(source, moved);
      for (const path of paths) {
        if (policy === "theirs" && moved.includes(path)) continue;
        const before = policy === "ours" ? undefined : (tags.get(path) ?? "");
        const isPut = await bucket.put(path, await readFile(join(dir, path)), before);
        if (!isPut && policy === "fail") throw changed(source, [path]);
      }
      return grown((await askS3(source, scope)).current, current);
    },
  };
}

function changed({ name }: Source, paths: readonly string[]): Error {
  const [first = "", ...others] = paths;
  const more = others.length === 0 ? "" : ` and ${others.length} more`;
  const message = `The source ${name} has changed since the node began: the object ${first}${more}`;
  const hint = `Run the node again to write on what is there now, or say what counts: dagger source set ${name} --on-conflict ours, or theirs`;
  return new UserError(1, [{ code: "push-conflict", message, at: [], hint }]);
}

/** A version of what is in its place already. */
export function grown(seen: Seen, before: Seen | undefined): Given {
  const isMore = before !== undefined && before.id !== seen.id && before.detail["files"] !== "0" && before.detail["objects"] !== "0";
  return { seen, ...(isMore ? { before } : {}), isCurrent: true, data: [], edges: [] };
}

async function intoDirectory(source: Source, dir: string, scope: AskScope): Promise<void> {
  const target = directoryOf(source, scope.workspace.root);
  try {
    await mkdir(target, { recursive: true });
    await cp(dir, target, { recursive: true, force: true, preserveTimestamps: true, verbatimSymlinks: true });
  } catch (cause) {
    const message = `Cannot put results into the source ${source.name}: ${(cause as Error).message}`;
    throw new UserError(3, [{ code: "output-not-written", message, at: [], hint: "Check the directory and its permissions" }], { cause });
  }
}

async function filesBelow(dir: string): Promise<readonly string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => relative(dir, join(entry.parentPath, entry.name)));
  return files.map((file) => file.split(sep).join("/")).sort();
}
