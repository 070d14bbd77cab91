// The files of a directory by what is in them: path → kind, permissions, and a digest of the contents.
import { hash } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { digestsOf, type Stamped } from "./digest.ts";

/** `f644 sha256…`, `d755`, `l777 → target`; `f644 ?` of a file that changed while it was looked at. */
export type FileList = Readonly<Record<string, string>>;

/** What of a directory was sent, as runtime/session tells it. */
export interface Listed {
  readonly root: string;
  readonly entries: string;
}

/** A file that changed less than this long ago (milliseconds) may change again without its times telling. */
const young = 2000;

type Known = Record<string, readonly [stamp: string, digest: string]>;

/**
 * Digests of files, of which only those are read that have changed since they were last asked for: what was found is kept in `dir`. Without
 * a directory every file is read. Nothing that goes wrong with what is kept stops anybody.
 */
export class FileDigests {
  readonly #dir: string | undefined;
  readonly #now: () => number;

  constructor(dir: string | undefined, now: () => number) {
    this.#dir = dir;
    this.#now = now;
  }

  async list({ root, entries }: Listed): Promise<FileList> {
    const known = await this.#recall(root);
    const list: Record<string, string> = {};
    const parts = entries === "" ? [] : entries.split("\0");
    const changed: (readonly [...Stamped, mode: string])[] = [];
    for (let i = 0; i + 3 < parts.length; i += 4) {
      const [path = "", mode = "", stamp = "", target = ""] = parts.slice(i, i + 4);
      const before = known[path];
      if (stamp === "") list[path] = mode.startsWith("l") ? `${mode} → ${target}` : mode;
      else list[path] = `${mode} ${before?.[0] === stamp ? before[1] : "?"}`;
      if (stamp !== "" && before?.[0] !== stamp) changed.push([path, stamp, mode]);
    }
    if (changed.length === 0) return list;
    const digests = await digestsOf({ root, files: changed.map(([path, stamp]) => [path, stamp]) });
    const fresh: Known = {};
    for (const [i, [path, stamp, mode]] of changed.entries()) {
      const digest = digests[i];
      list[path] = `${mode} ${digest ?? "?"}`;
      if (digest !== undefined && this.#now() - changedAt(stamp) > young) fresh[path] = [stamp, digest];
    }
    await this.#keep(root, { ...known, ...fresh });
    return list;
  }

  async #recall(root: string): Promise<Known> {
    if (this.#dir === undefined) return {};
    try {
      return JSON.parse(await readFile(this.#file(this.#dir, root), "utf8")) as Known;
    } catch {
      return {};
    }
  }

  async #keep(root: string, known: Known): Promise<void> {
    if (this.#dir === undefined) return;
    const file = this.#file(this.#dir, root);
    const draft = `${file}.${process.pid}`;
    try {
      await mkdir(this.#dir, { recursive: true });
      await writeFile(draft, JSON.stringify(known), { mode: 0o600 });
      await rename(draft, file);
    } catch {
      await rm(draft, { force: true }).catch(() => undefined);
    }
  }

  #file(dir: string, root: string): string {
    return join(dir, `${hash("sha256", root).slice(0, 32)}.json`);
  }
}

/** Milliseconds since 1970. */
function changedAt(stamp: string): number {
  return Number(BigInt(stamp.split(" ")[2] ?? 0) / 1_000_000n);
}
