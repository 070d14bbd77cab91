// The files of a directory by what is in them: path → kind, permissions, and a digest of the contents.
import { createHash, hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";

/** `f644 sha256…`, `d755`, `l777 → target`; `f644 ?` of a file that changed while it was looked at. */
export type FileList = Readonly<Record<string, string>>;

/** What of a directory was sent, as runtime/session tells it. */
export interface Listed {
  readonly root: string;
  readonly entries: string;
}

/** A file that changed less than this long ago (milliseconds) may change again without its times telling. */
const young = 2000;
/** Read as a whole up to this size (bytes). */
const small = 1 << 20;

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
    const fresh: Known = {};
    const list: Record<string, string> = {};
    const parts = entries === "" ? [] : entries.split("\0");
    let changed = false;
    for (let i = 0; i + 3 < parts.length; i += 4) {
      const [path = "", mode = "", stamp = "", target = ""] = parts.slice(i, i + 4);
      if (stamp === "") {
        list[path] = mode.startsWith("l") ? `${mode} → ${target}` : mode;
        continue;
      }
      const before = known[path];
      const digest = before?.[0] === stamp ? before[1] : await digestOf(`${root}/${path}`, stamp);
      list[path] = `${mode} ${digest ?? "?"}`;
      changed ||= before?.[0] !== stamp;
      if (digest !== undefined && this.#now() - changedAt(stamp) > young) fresh[path] = [stamp, digest];
    }
    if (changed) await this.#keep(root, { ...known, ...fresh });
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

/** Undefined for a file that is not, or not any more, what its stamp says. */
async function digestOf(path: string, stamp: string): Promise<string | undefined> {
  try {
    const digest = Number(stamp.split(" ")[0]) <= small ? hash("sha256", await readFile(path)) : await digestOfLarge(path);
    return stampOf(await lstat(path, { bigint: true })) === stamp ? digest : undefined;
  } catch {
    return undefined;
  }
}

async function digestOfLarge(path: string): Promise<string> {
  const sum = createHash("sha256");
  await pipeline(createReadStream(path, { highWaterMark: small }), sum);
  return sum.digest("hex");
}

function stampOf(stat: { readonly [name in "size" | "mtimeNs" | "ctimeNs" | "ino"]: bigint }): string {
  return `${stat.size} ${stat.mtimeNs} ${stat.ctimeNs} ${stat.ino}`;
}

/** Milliseconds since 1970. */
function changedAt(stamp: string): number {
  return Number(BigInt(stamp.split(" ")[2] ?? 0) / 1_000_000n);
}
