// Writes one received file: a small one at once when it is complete, a large one in the background while more of it comes in.
import fs from "node:fs";
import type { Stat } from "./packet.ts";
import type { Staging } from "./staging.ts";

/** Files up to this size are written in one go; larger ones in pieces of at least this size. */
const pieceSize = 256 << 10;

/** Work that goes on; `bytes` is what it holds in memory until then. */
export interface Writing {
  readonly bytes: number;
  readonly done: Promise<void>;
}

export class FileWriter {
  readonly staging: Staging;
  readonly #relative: string;
  readonly #stat: Stat;
  #fd: number | undefined;
  #chunks: Buffer[] = [];
  #buffered = 0;
  #total = 0;
  /** Pieces are written one after the other. */
  #last: Promise<void> = Promise.resolve();
  #writing = false;
  #abandoned = false;

  constructor(staging: Staging, relative: string, stat: Stat) {
    this.staging = staging;
    this.#relative = relative;
    this.#stat = stat;
  }

  write(chunk: Buffer): Writing | undefined {
    this.#chunks.push(chunk);
    this.#buffered += chunk.length;
    this.#total += chunk.length;
    return this.#buffered < pieceSize ? undefined : this.#flush();
  }

  /** All has come. Returns a promise when writing goes on in the background. */
  close(): Promise<void> | undefined {
    if (this.#fd === undefined) {
      this.#fd = this.staging.openFile(this.#relative);
      if (this.#buffered > 0) writeAll(this.#fd, this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks));
      this.#finish();
      return undefined;
    }
    if (this.#buffered > 0) this.#flush();
    return this.#last.then(() => this.#finish());
  }

  /** Closes the file without regard to what is missing. */
  abandon(): void {
    this.#abandoned = true;
    this.#chunks = [];
    if (!this.#writing) this.#closeFile();
  }

  #flush(): Writing {
    const chunks = this.#chunks;
    const bytes = this.#buffered;
    this.#chunks = [];
    this.#buffered = 0;
    this.#fd ??= this.staging.openFile(this.#relative);
    this.#last = this.#last.then(() => this.#writePiece(chunks));
    return { bytes, done: this.#last };
  }

  async #writePiece(chunks: Buffer[]): Promise<void> {
    if (this.#abandoned || this.#fd === undefined) return;
    this.#writing = true;
    try {
      await writeChunks(this.#fd, chunks);
    } finally {
      this.#writing = false;
      if (this.#abandoned) this.#closeFile();
    }
  }

  #finish(): void {
    if (this.#fd === undefined || this.#abandoned) return;
    this.staging.finishFile(this.#fd, this.#stat, this.#total);
    this.#fd = undefined;
  }

  #closeFile(): void {
    if (this.#fd !== undefined) fs.closeSync(this.#fd);
    this.#fd = undefined;
  }
}

function writeAll(fd: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) at += fs.writeSync(fd, bytes, at);
}

async function writeChunks(fd: number, chunks: readonly Buffer[]): Promise<void> {
  let left = chunks;
  while (left.length > 0) left = skip(left, await writev(fd, left));
}

/** What remains of `chunks` after their first `count` bytes. */
function skip(chunks: readonly Buffer[], count: number): readonly Buffer[] {
  let left = count;
  for (const [i, chunk] of chunks.entries()) {
    if (left < chunk.length) return [chunk.subarray(left), ...chunks.slice(i + 1)];
    left -= chunk.length;
  }
  return [];
}

function writev(fd: number, chunks: readonly Buffer[]): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.writev(fd, chunks, (error, count) => (error === null ? resolve(count) : reject(error)));
  });
}
