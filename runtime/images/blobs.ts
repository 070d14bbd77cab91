// Blobs on their way into the store: written to a private directory, hashed while they are written, moved in as a whole.
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { inputError, UserError } from "../../compiler/diagnostic.ts";

/** A blob that lies in a staging directory. */
export interface Staged {
  readonly file: string;
  /** `sha256:` and 64 hex digits. */
  readonly digest: string;
  readonly size: number;
}

/** A private directory below the store's `ingest/`, where one import collects its blobs. */
export class Staging {
  readonly dir: string;
  private count = 0;

  constructor(dir: string) {
    this.dir = dir;
  }

  /** Writes the bytes to a file of its own, flushed to disk, and tells their digest. */
  async write(source: AsyncIterable<Uint8Array> | Uint8Array, signal?: AbortSignal): Promise<Staged> {
    const file = join(this.dir, String(this.count++));
    const hash = createHash("sha256");
    let size = 0;
    const chunks = source instanceof Uint8Array ? [source] : source;
    const hashed = async function* (): AsyncGenerator<Uint8Array> {
      for await (const chunk of chunks) {
        hash.update(chunk);
        size += chunk.byteLength;
        yield chunk;
      }
    };
    const out = createWriteStream(file, { flags: "wx", mode: 0o600, highWaterMark: 1 << 20, flush: true });
    await pipeline(hashed, out, signal === undefined ? {} : { signal });
    return { file, digest: `sha256:${hash.digest("hex")}`, size };
  }

  /** Copies a file in; an error says that it is damaged when it has not the digest it should have. */
  async copy(file: string, digest: string, signal?: AbortSignal): Promise<Staged> {
    const staged = await this.write(createReadStream(file, { highWaterMark: 1 << 20 }), signal);
    if (staged.digest !== digest) throw damaged(file, digest, staged.digest);
    return staged;
  }
}

/** Makes a staging directory in the store, gives it to `work`, and removes what is left of it. */
export async function withStaging<T>(store: string, work: (staging: Staging) => Promise<T>): Promise<T> {
  const ingest = join(store, "ingest");
  await mkdir(ingest, { recursive: true, mode: 0o700 });
  const dir = join(ingest, `${String(Date.now())}-${String(process.pid)}-${Math.random().toString(36).slice(2)}`);
  await mkdir(dir, { mode: 0o700 });
  try {
    return await work(new Staging(dir));
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** Path of a blob in an OCI layout. Digests are checked where they are read: this never leaves the layout. */
export function blobPath(layout: string, digest: string): string {
  return join(layout, "blobs", ...checkDigest(digest).split(":"));
}

/** The digest itself, or a UserError when it is not a sha256 digest: it becomes part of a path. */
export function checkDigest(digest: string): string {
  if (/^sha256:[0-9a-f]{64}$/.test(digest)) return digest;
  throw inputError({ code: "image-broken", message: `${JSON.stringify(digest)} is not a sha256 digest`, at: [] });
}

/** Writes a file so that a reader, or a crash, sees the old content or the new, never a part. */
export async function writeAtomic(file: string, data: string): Promise<void> {
  const temporary = `${file}.${String(process.pid)}-${Math.random().toString(36).slice(2)}`;
  try {
    const handle = await open(temporary, "wx", 0o644);
    try {
      await handle.writeFile(data);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } finally {
    await rm(temporary, { force: true });
  }
}

/** What is wrong with content that is not what its name says. */
export function damaged(what: string, expected: string, actual: string): UserError {
  return inputError({
    code: "image-digest",
    message: `${what} is damaged: its digest is ${actual}, expected ${expected}`,
    at: [],
    hint: "Make or download the image again",
  });
}

/** Errors of the disk under the store in the user's words; anything else as it is. */
export function storeError(store: string, error: unknown): unknown {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (error instanceof UserError || !(error instanceof Error)) return error;
  if (code === "ENOSPC" || code === "EDQUOT") {
    const hint = "Free some space, or set DAGGER_DATA_DIR to another disk";
    return new UserError(3, [{ code: "disk-full", message: `No space is left for images in ${store}`, at: [], hint }], { cause: error });
  }
  if (code === "EACCES" || code === "EPERM" || code === "EROFS") {
    const message = `The image store ${store} or the image cannot be used: ${error.message}`;
    return new UserError(3, [{ code: "image-store-access", message, at: [], hint: "Check the owner and mode of that path" }], {
      cause: error,
    });
  }
  return error;
}
