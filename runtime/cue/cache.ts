// What earlier runs found out, on disk: answers by digest of the question. Any file may be missing, cut short or damaged: then it is unknown.
import { createHash, randomBytes } from "node:crypto";
import {
  closeSync,
  fchmodSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeSync,
} from "node:fs";
import path from "node:path";

export interface CacheOptions {
  /** Directory of its own; made, for this user only, when it is needed. */
  readonly dir: string;
  /** Whatever makes answers of one program different from those of another: versions and digests. */
  readonly identity: string;
  /** Bytes that all files together may have; those that were used least recently go. */
  readonly limit?: number;
}

const LIMIT = 256 * 1024 * 1024;
/** After files had to go, so much of the limit is in use. */
const KEPT = 0.75;
const DIGEST = 32;
/** Unfinished files of processes that died are removed after so many milliseconds. */
const ABANDONED = 3_600_000;

/** Safe to use from many processes at once: a file is written aside and then renamed, and its digest comes first in it. */
export class Cache {
  readonly #dir: string;
  readonly #identity: string;
  readonly #limit: number;

  constructor({ dir, identity, limit = LIMIT }: CacheOptions) {
    this.#dir = dir;
    this.#identity = identity;
    this.#limit = limit;
  }

  /** The answer to a question (anything that JSON can say), or undefined. Never throws. */
  get(kind: string, question: unknown): Buffer | undefined {
    const file = this.#file(kind, question);
    let bytes: Buffer;
    try {
      bytes = readFileSync(file);
    } catch {
      return undefined;
    }
    const answer = bytes.subarray(DIGEST);
    if (!digest(answer).equals(bytes.subarray(0, DIGEST))) {
      remove(file);
      return undefined;
    }
    markUsed(file);
    return answer;
  }

  /** Keeps an answer, if it can. Never throws: a full disk or a directory that cannot be written only means that nothing is kept. */
  put(kind: string, question: unknown, answer: Uint8Array): void {
    if (answer.length + DIGEST > this.#limit * KEPT) return;
    const file = this.#file(kind, question);
    const aside = path.join(this.#dir, `.${process.pid}-${randomBytes(6).toString("hex")}`);
    try {
      mkdirSync(this.#dir, { recursive: true, mode: 0o700 });
      writeNew(aside, [digest(answer), answer]);
      renameSync(aside, file);
      this.#trim();
    } catch {
      remove(aside);
    }
  }

  #file(kind: string, question: unknown): string {
    const key = createHash("sha256")
      .update(JSON.stringify([this.#identity, kind, question]))
      .digest("hex");
    return path.join(this.#dir, `${kind}-${key}`);
  }

  #trim(): void {
    const files = readdirSync(this.#dir).flatMap((name) => {
      const file = path.join(this.#dir, name);
      const found = statSync(file, { throwIfNoEntry: false });
      return found?.isFile() ? [{ file, size: found.size, used: found.mtimeMs, unfinished: name.startsWith(".") }] : [];
    });
    for (const { file, used, unfinished } of files) if (unfinished && Date.now() - used > ABANDONED) remove(file);
    let total = files.reduce((sum, { size }) => sum + size, 0);
    if (total <= this.#limit) return;
    for (const { file, size } of files.filter((f) => !f.unfinished).sort((a, b) => a.used - b.used)) {
      if (total <= this.#limit * KEPT) return;
      remove(file);
      total -= size;
    }
  }
}

function digest(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}

function writeNew(file: string, parts: readonly Uint8Array[]): void {
  const open = openSync(file, "wx", 0o600);
  try {
    fchmodSync(open, 0o600);
    for (const part of parts) for (let done = 0; done < part.length; ) done += writeSync(open, part, done);
  } finally {
    closeSync(open);
  }
}

function markUsed(file: string): void {
  const now = new Date();
  try {
    utimesSync(file, now, now);
  } catch {
    // Gone meanwhile, or on a disk that cannot be written: the answer is still good.
  }
}

function remove(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // Somebody else's: left alone.
  }
}
