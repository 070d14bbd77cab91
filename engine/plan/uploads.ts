// The files of this machine that a job would upload: as the session would choose them.
import { hash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Job, Vertex } from "../../compiler/index.ts";
import { type Entry, Matcher, walk } from "../../runtime/session/index.ts";

/** The directory that a vertex uploads; undefined for any other vertex, and for what dagger itself brings along (`own`). */
export function uploadOf(vertex: Vertex, job: Pick<Job, "locals">, own: readonly string[]): string | undefined {
  if (vertex.kind !== "source" || !vertex.identifier.startsWith("local://")) return undefined;
  const dir = job.locals.find(({ name }) => `local://${name}` === vertex.identifier)?.dir;
  return dir === undefined || own.includes(dir) ? undefined : dir;
}

/** What of a directory a vertex uploads. Followed symbolic links count with all else: rather too much than too little. */
export function* entriesOf(vertex: Vertex, dir: string): Generator<Entry> {
  const attrs = vertex.kind === "source" ? vertex.attrs : {};
  const follow = patterns(attrs["local.followpaths"]);
  const include = follow.length > 0 ? [] : patterns(attrs["local.includepattern"]);
  const exclude = patterns(attrs["local.excludepatterns"]);
  yield* walk(dir, {
    ...(include.length === 0 ? {} : { include: new Matcher(include) }),
    ...(exclude.length === 0 ? {} : { exclude: new Matcher(exclude) }),
  });
}

/**
 * Something of it that changed after a run: a file since it began, a directory since it ended (its own results may lie there). By the time
 * that the system notes at every change, which nobody can set back. Times are milliseconds since 1970.
 */
export function changedSince(vertex: Vertex, dir: string, began: number, ended: number): string | undefined {
  for (const { path, stat } of entriesOf(vertex, dir)) {
    if (Number(stat.ctimeNs / 1_000_000n) > (stat.isDirectory() ? ended : began)) return path;
  }
  return undefined;
}

/** Path → what its contents are, as far as they count for the cache: kind, permissions, contents. */
export function contentsOf(vertex: Vertex, dir: string): Record<string, string> {
  const contents: Record<string, string> = {};
  for (const { path, stat, target } of entriesOf(vertex, dir)) {
    const mode = (Number(stat.mode) & 0o7777).toString(8);
    const content = stat.isFile() ? hash("sha256", readFileSync(join(dir, path))) : stat.isSymbolicLink() ? `→ ${target}` : "";
    contents[path] = `${mode} ${content}`.trim();
  }
  return contents;
}

function patterns(text: string | undefined): readonly string[] {
  return text === undefined ? [] : (JSON.parse(text) as string[]);
}
