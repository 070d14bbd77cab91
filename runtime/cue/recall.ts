// Reading an instance again without CUE: what an earlier run looked at is looked at once more, and when all of it is as it was, so is the source.
import type { Cache } from "./cache.ts";
import { Disk, type Observation } from "./disk.ts";
import { decodeText } from "./files.ts";
import type { Source } from "./layout.ts";

/** All that decides what is looked at. */
export interface Asked {
  /** Absolute. */
  readonly target: string;
  readonly cwd: string;
  readonly library: string;
  readonly tags?: readonly string[];
  /** What the modules depend on. */
  readonly modules?: string;
}

/** What is kept: the source with each text replaced by the digest of the file, and what the disk looked like. */
interface Memory {
  readonly source: Source;
  readonly observations: readonly Observation[];
}

export function rememberSource(cache: Cache, asked: Asked, source: Source, disk: Disk): void {
  const digests = new Map([...disk.contents].flatMap(([digest, bytes]) => (isText(bytes) ? [[decodeText(bytes), digest] as const] : [])));
  const kept = withTexts(source, (text) => digests.get(text));
  if (!kept) return;
  const memory: Memory = { source: kept, observations: disk.observations };
  cache.put("source", asked, Buffer.from(JSON.stringify(memory)));
}

/** Undefined when it is not known, or when anything has changed: a file, the files of a directory, a directory that was not there. */
export function recallSource(cache: Cache, asked: Asked): Source | undefined {
  const kept = cache.get("source", asked);
  if (!kept) return undefined;
  const { source, observations } = JSON.parse(kept.toString("utf8")) as Memory;
  const disk = new Disk();
  if (!disk.seesAgain(observations)) return undefined;
  return withTexts(source, (digest) => {
    const bytes = disk.contents.get(digest);
    return bytes && decodeText(bytes);
  });
}

/** The source with other texts; undefined when there is none for some file. */
function withTexts(source: Source, replace: (text: string) => string | undefined): Source | undefined {
  let complete = true;
  const packages = source.packages.map((p) => ({
    ...p,
    files: p.files.map(({ name, text }) => {
      const other = replace(text);
      complete &&= other !== undefined;
      return { name, text: other ?? "" };
    }),
  }));
  return complete ? { ...source, packages } : undefined;
}

function isText(bytes: Uint8Array): boolean {
  try {
    decodeText(bytes);
    return true;
  } catch {
    return false;
  }
}
