// The disk as far as reading an instance looks at it. Everything that was seen is noted, so that a later run can tell whether it would
// see the same, without CUE.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, type Stats, statSync } from "node:fs";
import path from "node:path";

/** "other" is neither file nor directory, such as a pipe. */
export type DiskKind = "file" | "directory" | "other" | "none";

/** `seen`: for "kind" the kind, for "names" and "entries" the names with a slash between them, for "bytes" their digest. */
export type Observation = readonly [what: "kind" | "names" | "entries" | "bytes", path: string, seen: string];

export class Disk {
  readonly #seen = new Map<string, Observation>();
  readonly #bytes = new Map<string, Buffer>();

  /** Links are followed. */
  kind(file: string): DiskKind {
    const found = look(file);
    const kind = !found ? "none" : found.isFile() ? "file" : found.isDirectory() ? "directory" : "other";
    this.#note("kind", file, kind);
    return kind;
  }

  /** Names of the CUE files of a directory, sorted; hidden and underscored ones are none. Throws what Node throws. */
  cueFiles(dir: string): string[] {
    const names = readdirSync(dir)
      .filter((name) => name.endsWith(".cue") && !/^[._]/.test(name))
      .sort()
      .filter((name) => look(path.join(dir, name))?.isFile() !== false);
    this.#note("names", dir, names.join("/"));
    return names;
  }

  /** Names of all that a directory holds, sorted by their bytes; none when it cannot be read. */
  entries(dir: string): string[] {
    let names: string[] = [];
    try {
      names = readdirSync(dir).sort(byBytes);
    } catch {
      // As good as empty for whoever looks for names in it.
    }
    this.#note("entries", dir, names.join("/"));
    return names;
  }

  /** Throws what Node throws. */
  read(file: string): Buffer {
    const bytes = readFileSync(file);
    const digest = digestOf(bytes);
    this.#bytes.set(digest, bytes);
    this.#note("bytes", file, digest);
    return bytes;
  }

  get observations(): Observation[] {
    return [...this.#seen.values()];
  }

  /** Contents that were read, by digest. */
  get contents(): ReadonlyMap<string, Buffer> {
    return this.#bytes;
  }

  /** Looks at everything again. False as soon as something is not as it was. */
  seesAgain(observations: readonly Observation[]): boolean {
    try {
      return observations.every(([what, file, seen]) => this.#look(what, file) === seen);
    } catch {
      return false;
    }
  }

  /** "" for what cannot be looked at. */
  look(what: Observation[0], file: string): string {
    try {
      return this.#look(what, file);
    } catch {
      return "";
    }
  }

  #look(what: Observation[0], file: string): string {
    switch (what) {
      case "kind":
        return this.kind(file);
      case "names":
        return this.cueFiles(file).join("/");
      case "entries":
        return this.entries(file).join("/");
      case "bytes":
        this.read(file);
        return this.#seen.get(`bytes ${file}`)?.[2] ?? "";
    }
  }

  /** A file that changes while it is read twice is noted as it was first, and found changed later. */
  #note(...observation: Observation): void {
    const key = `${observation[0]} ${observation[1]}`;
    if (!this.#seen.has(key)) this.#seen.set(key, observation);
  }
}

/** The same places as they look now: what cannot be looked at any more looks like "". */
export function lookAgain(observations: readonly Observation[]): Observation[] {
  const disk = new Disk();
  return observations.map(([what, file]) => [what, file, disk.look(what, file)]);
}

/** What a path leads to; undefined also for links in a circle, names that are too long and directories that cannot be entered. */
function look(file: string): Stats | undefined {
  try {
    return statSync(file, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function digestOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("base64");
}
