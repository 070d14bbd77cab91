// Reading an instance again without CUE: what an earlier run looked at is looked at once more, and when all of it is as it was, so is the source.
import type { Cache } from "./cache.ts";
import { Disk, type Observation } from "./disk.ts";
import { decodeText } from "./files.ts";
import type { Source } from "./layout.ts";
import type { File } from "./protocol.ts";
import { readVars } from "./tags.ts";

/** All that decides what is looked at. */
export interface Asked {
  /** Absolute. */
  readonly target: string;
  readonly cwd: string;
  readonly library: string;
  readonly tags?: readonly string[];
  readonly injectVars?: boolean;
  /** See `ModuleResolver.identity`. */
  readonly modules?: string | undefined;
}

/** What is kept: the source with each text replaced by the digest of the file, and what the disk looked like. */
export interface Memory {
  readonly source: Source;
  readonly observations: readonly Observation[];
}

export function rememberSource(cache: Cache, asked: Asked, source: Source, disk: Disk): void {
  const texts = new Map<string, string>();
  const embedded = new Map<string, string>();
  for (const [digest, bytes] of disk.contents) {
    embedded.set(bytes.toString("base64"), digest);
    if (isText(bytes)) texts.set(decodeText(bytes), digest);
  }
  const kept = withContents(source, { text: (text) => texts.get(text), embedded: (data) => embedded.get(data) });
  if (!kept) return;
  const memory: Memory = { source: kept, observations: disk.observations };
  cache.put("source", asked, Buffer.from(JSON.stringify(memory)));
}

/** Undefined when it is not known, or when anything has changed: a file, the files of a directory, a directory that was not there. */
export function recallSource(cache: Cache, asked: Asked): Memory | undefined {
  const kept = cache.get("source", asked);
  if (!kept) return undefined;
  const { source, observations } = JSON.parse(kept.toString("utf8")) as Memory;
  const disk = new Disk();
  if (!disk.seesAgain(observations)) return undefined;
  const bytesOf = (digest: string) => disk.contents.get(digest);
  const found = withContents(source, {
    text: (digest) => mapped(bytesOf(digest), decodeText),
    embedded: (digest) => bytesOf(digest)?.toString("base64"),
  });
  return found && { source: withVars(found, asked.cwd), observations };
}

interface Replace {
  readonly text: (text: string) => string | undefined;
  readonly embedded: (data: string) => string | undefined;
}

/** The source with other contents; undefined when there are none for some file. */
function withContents(source: Source, replace: Replace): Source | undefined {
  let complete = true;
  const or = (other: string | undefined): string => {
    complete &&= other !== undefined;
    return other ?? "";
  };
  const file = ({ name, text, embedded }: File): File => ({
    name,
    text: or(replace.text(text)),
    ...(embedded && { embedded: embedded.map((e) => (e.data === undefined ? e : { ...e, data: or(replace.embedded(e.data)) })) }),
  });
  const packages = source.packages.map((p) => ({ ...p, files: p.files.map(file) }));
  return complete ? { ...source, packages } : undefined;
}

/** The moment is another one, and the machine may be. */
function withVars(source: Source, cwd: string): Source {
  const vars = source.tags?.vars;
  return vars ? { ...source, tags: { ...source.tags, vars: readVars(Object.keys(vars), cwd) } } : source;
}

function mapped<T, U>(value: T | undefined, map: (value: T) => U): U | undefined {
  return value === undefined ? undefined : map(value);
}

function isText(bytes: Uint8Array): boolean {
  try {
    decodeText(bytes);
    return true;
  } catch {
    return false;
  }
}
