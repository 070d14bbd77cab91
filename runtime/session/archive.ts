// Receives what the `tar`, `oci` and `docker` exporters send: a stream of bytes, into a file that is put in place when it is complete.
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { Code, RpcError } from "../grpc/status.ts";
import { bytesOf } from "./bytes-message.ts";
import type { Call } from "./call.ts";
import { stagingPrefix, sweepLeftovers } from "./leftovers.ts";
import { type Destination, saveError } from "./save-error.ts";

/** What was written. `metadata` is what the exporter says of it, e.g. `containerimage.digest`. */
export interface SavedArchive {
  readonly dest: string;
  readonly bytes: number;
  readonly metadata: Readonly<Record<string, string>>;
}

/** The receiving end of one exporter. After the solve: `commit()`; on any other end: `rollback()`. */
export interface ArchiveReceiver {
  /** Serves FileSend.DiffCopy. */
  receive(call: Call): Promise<void>;
  /** Puts the file in place, over one that is there. Throws UserError (exit 3) `disk-full` or `save-failed`. */
  commit(): Promise<SavedArchive>;
  /** Removes what was received. Synchronous, so that it can run while the process ends. */
  rollback(): void;
}

/** Unwritten bytes at which the daemon has to wait. */
const writeHighWater = 8 << 20;

/** `dest` is absolute; the directories above it are made. */
export function createArchiveReceiver(target: Destination): ArchiveReceiver {
  return new FileReceiver(target);
}

class FileReceiver implements ArchiveReceiver {
  readonly #target: Destination;
  #temporary: string | undefined;
  #complete = false;
  #bytes = 0;
  #metadata: Readonly<Record<string, string>> = {};
  #swept: Promise<void> = Promise.resolve();
  /** The destination with a symlink that the user named resolved. */
  #dest: string;

  constructor(target: Destination) {
    this.#target = target;
    this.#dest = target.dest;
  }

  async receive(call: Call): Promise<void> {
    if (this.#temporary !== undefined) throw new RpcError(Code.alreadyExists, "this file was received before");
    try {
      const fd = this.#open();
      try {
        this.#bytes = await copyInto(fd, call);
      } finally {
        fs.closeSync(fd);
      }
    } catch (error) {
      this.rollback();
      throw saveError(error, this.#target);
    }
    this.#metadata = exporterMetadata(call);
    this.#complete = true;
    call.end(Code.ok);
  }

  async commit(): Promise<SavedArchive> {
    await this.#swept;
    try {
      if (!this.#complete || this.#temporary === undefined)
        throw new RpcError(Code.internal, `the daemon did not send ${this.#target.dest}`);
      fs.renameSync(this.#temporary, this.#dest);
      this.#temporary = undefined;
    } catch (error) {
      this.rollback();
      throw saveError(error, this.#target);
    }
    return { dest: this.#target.dest, bytes: this.#bytes, metadata: this.#metadata };
  }

  rollback(): void {
    if (this.#temporary !== undefined) fs.rmSync(this.#temporary, { force: true });
    this.#temporary = undefined;
    this.#complete = false;
  }

  #open(): number {
    const there = fs.statSync(this.#dest, { throwIfNoEntry: false });
    if (there?.isDirectory() === true) throw Object.assign(new Error("it is a directory"), { code: "EISDIR" });
    if (there !== undefined) this.#dest = fs.realpathSync(this.#dest);
    const dir = path.dirname(this.#dest);
    fs.mkdirSync(dir, { recursive: true });
    this.#swept = sweepLeftovers(dir);
    const temporary = path.join(dir, `${stagingPrefix()}${randomBytes(6).toString("hex")}`);
    const fd = fs.openSync(temporary, fs.constants.O_CREAT | fs.constants.O_EXCL | fs.constants.O_WRONLY, 0o644);
    this.#temporary = temporary;
    return fd;
  }
}

/** Writes all data of the call; resolves with their number when the daemon has sent all. */
function copyInto(fd: number, call: Call): Promise<number> {
  return new Promise((resolve, reject) => {
    let total = 0;
    let unwritten = 0;
    let ended = false;
    let last: Promise<void> = Promise.resolve();
    const cut = (): void => {
      if (!ended) last.then(() => reject(new RpcError(Code.canceled, "the daemon stopped sending the file")), reject);
    };
    call.onClose(cut);
    call.read(
      (message) => {
        const data = bytesOf(message);
        total += data.length;
        unwritten += data.length;
        if (unwritten > writeHighWater) call.pause();
        last = last.then(async () => {
          await writeAll(fd, data);
          unwritten -= data.length;
          if (unwritten < writeHighWater / 2) call.resume();
        });
        last.catch(reject);
      },
      () => {
        ended = true;
        last.then(() => resolve(total), reject);
      },
    );
  });
}

async function writeAll(fd: number, data: Buffer): Promise<void> {
  for (let at = 0; at < data.length; ) {
    at += await new Promise<number>((resolve, reject) => {
      fs.write(fd, data, at, data.length - at, null, (error, count) => (error === null ? resolve(count) : reject(error)));
    });
  }
}

function exporterMetadata(call: Call): Record<string, string> {
  const start = "exporter-md-";
  const names = call.metadataNames().filter((name) => name.startsWith(start));
  return Object.fromEntries(names.map((name) => [name.slice(start.length), call.metadata(name).join(",")]));
}
