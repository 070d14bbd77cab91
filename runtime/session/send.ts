// Sends a directory of this machine to the daemon: the sender of fsutil's protocol, behind `local://` sources.
// STAT packets go out in walk order while requested files are sent in between; the daemon asks only for files that it does not know.
import fs from "node:fs";
import path from "node:path";
import { type Position, UserError } from "../../compiler/diagnostic.ts";
import { Code, RpcError } from "../grpc/status.ts";
import type { Call } from "./call.ts";
import { noteOf, openRoot, type Wanted, walkOptions } from "./listing.ts";
import { dataHeaderSize, decodePacket, encodePacket, Mode, PacketType, type Stat, StatFrames, writeDataHeader } from "./packet.ts";
import { PatternError } from "./patterns.ts";
import type { LocalDir, SessionServices } from "./services.ts";
import { type Entry, errorCode, FileType, WalkError, type WalkOptions, walk } from "./walk.ts";

/** STAT frames are sent in buffers of about this size. */
const statBatch = 32 << 10;
/** Small files are sent in buffers of at most this size. */
const batchSize = 128 << 10;
/** Files up to this size are read at once, between two turns of the event loop. */
const smallFile = 64 << 10;
/** Large files are sent in messages of this size. */
const chunkSize = 1 << 20;

/** Serves FileSync.DiffCopy. `onFailure` hears of what is wrong on this side, in words for the user. */
export async function sendFiles(call: Call, services: SessionServices, onFailure: (error: UserError) => void): Promise<void> {
  const name = call.metadata("dir-name")[0] ?? "";
  const local = services.locals.get(name);
  if (local === undefined) throw new RpcError(Code.notFound, `no access allowed to dir ${JSON.stringify(name)}`);
  try {
    const root = openRoot(local);
    const { onListed } = local;
    const sender = new Sender(call, root, onListed !== undefined);
    const wanted = wantedOf(call);
    await sender.run(walkOptions(root, wanted));
    onListed?.({ name, ...wanted, root, entries: sender.listed.join("\0") });
  } catch (error) {
    const shown = explain(error, local);
    if (shown !== undefined) onFailure(shown);
    const text = shown?.message ?? (error instanceof Error ? error.message : String(error));
    void call.send(encodePacket(PacketType.error, 0, text));
    call.end(Code.unknown, text);
  }
}

function wantedOf(call: Call): Wanted {
  const patterns = (key: string): string[] => [...call.metadata(key)];
  return { include: patterns("include-patterns"), exclude: patterns("exclude-patterns"), follow: patterns("followpaths") };
}

/** A file the daemon may ask for. */
interface Offered {
  readonly path: string;
  readonly size: number;
  readonly socket: boolean;
}

class Sender {
  readonly #call: Call;
  readonly #root: string;
  readonly #offered = new Map<number, Offered>();
  #requested: number[] = [];
  #next = 0;
  /** Wakes the loop that sends files. */
  #wake: () => void = () => {};
  #finished = false;
  #failure: unknown;
  readonly #links = new Map<string, string>();
  readonly #chunks: Buffer[] = [];
  readonly #lists: boolean;
  /** See `Listing`. */
  readonly listed: string[] = [];

  constructor(call: Call, root: string, lists: boolean) {
    this.#call = call;
    this.#root = root;
    this.#lists = lists;
  }

  /** Resolves when the daemon has all it wanted, or has gone. */
  async run(options: WalkOptions): Promise<void> {
    this.#call.onClose(() => this.#wake());
    this.#call.read((message) => this.#onMessage(message));
    const sending = this.#sendRequested();
    await Promise.all([this.#sendStats(options).catch((error: unknown) => this.#fail(error)), sending]);
    if (this.#failure !== undefined) throw this.#failure as Error;
    void this.#call.send(encodePacket(PacketType.finish));
    this.#call.end(Code.ok);
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#wake();
  }

  get #over(): boolean {
    return this.#finished || this.#failure !== undefined || this.#call.closed;
  }

  #onMessage(message: Buffer): void {
    const packet = decodePacket(message);
    if (packet.type === PacketType.request) {
      this.#requested.push(packet.id);
      this.#wake();
    } else if (packet.type === PacketType.finish) {
      this.#finished = true;
      this.#wake();
    } else if (packet.type === PacketType.error) {
      // The daemon says itself what went wrong there, in the error of the solve.
      this.#finished = true;
      this.#wake();
    }
  }

  async #sendStats(options: WalkOptions): Promise<void> {
    let id = 0;
    const frames = new StatFrames(statBatch + (4 << 10));
    for (const entry of walk(this.#root, options)) {
      if (this.#over) return;
      if (this.#lists) this.listed.push(entry.path, ...noteOf(entry), entry.target);
      frames.add(this.#statOf(entry, id++));
      if (frames.length >= statBatch) await this.#flush(frames);
    }
    await this.#flush(frames);
    void this.#call.send(Buffer.alloc(0)); // an empty packet ends the list
  }

  #statOf(entry: Entry, id: number): Stat {
    const { stat } = entry;
    const type = entry.mode & FileType.mask;
    let linkname = entry.target;
    let mode = goMode(entry.mode);
    const socket = (mode & Mode.socket) !== 0;
    mode = (mode & ~Mode.socket) >>> 0; // as the Go client does: it becomes an empty file
    let size = type === FileType.directory ? 0 : Number(stat.size);
    if (stat.nlink > 1n && type !== FileType.directory && type !== FileType.symlink) {
      const inode = `${stat.dev}:${stat.ino}`;
      const first = this.#links.get(inode);
      if (first === undefined) this.#links.set(inode, entry.path);
      else {
        linkname = first;
        size = 0;
      }
    }
    if ((mode & Mode.type) === 0) this.#offered.set(id, { path: entry.path, size, socket });
    const sent = { path: entry.path, mode, size, mtime: stat.mtimeNs, linkname };
    return (mode & Mode.device) === 0 ? sent : { ...sent, device: deviceOf(stat.rdev) };
  }

  async #flush(frames: StatFrames): Promise<void> {
    if (frames.length > 0) await (this.#call.sendFrames(frames.take()) ?? turn());
  }

  async #sendRequested(): Promise<void> {
    try {
      while (!this.#over) {
        if (this.#next < this.#requested.length) await this.#sendSome();
        else
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
            this.#requested = [];
            this.#next = 0;
          });
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Sends requested files until a batch is full or a large one came by. */
  async #sendSome(): Promise<void> {
    const batch = Buffer.allocUnsafe(batchSize);
    let at = 0;
    while (this.#next < this.#requested.length) {
      const id = this.#requested[this.#next] as number;
      const file = this.#offered.get(id);
      if (file === undefined) throw new RpcError(Code.invalidArgument, `invalid file id ${id}`);
      const needed = dataHeaderSize(id, smallFile) + file.size + 1 + dataHeaderSize(id, 0);
      if (file.size <= smallFile && at + needed > batch.length) break;
      this.#next++;
      this.#offered.delete(id);
      if (file.size > smallFile) {
        if (at > 0) await (this.#call.sendFrames(batch.subarray(0, at)) ?? turn());
        return this.#sendLarge(id, file);
      }
      at = this.#copySmall(batch, at, id, file);
    }
    await (this.#call.sendFrames(batch.subarray(0, at)) ?? turn());
  }

  /** Puts a whole file into `batch`, which has room for it: DATA and the empty DATA that ends it. */
  #copySmall(batch: Buffer, start: number, id: number, file: Offered): number {
    let at = start;
    if (file.socket) return writeDataHeader(batch, at, id, 0);
    const fd = this.#open(file.path);
    try {
      const content = at + dataHeaderSize(id, file.size);
      // What was appended since the walk is left out: the size that was announced is what is sent.
      const size = file.size === 0 ? 0 : readFully(fd, batch, content, file.size);
      if (size > 0) {
        if (size < file.size) batch.copyWithin(at + dataHeaderSize(id, size), content, content + size);
        at = writeDataHeader(batch, at, id, size) + size;
      }
    } catch (error) {
      throw new WalkError(file.path, "it cannot be read", error);
    } finally {
      fs.closeSync(fd);
    }
    return writeDataHeader(batch, at, id, 0);
  }

  async #sendLarge(id: number, file: Offered): Promise<void> {
    const fd = this.#open(file.path);
    try {
      let left = file.size;
      while (left > 0 && !this.#over) {
        const wanted = Math.min(left, chunkSize);
        const header = dataHeaderSize(id, wanted);
        const chunk = this.#chunks.pop() ?? Buffer.allocUnsafeSlow(chunkSize + 64);
        const size = await read(fd, chunk, header, wanted).catch((error: unknown) => {
          throw new WalkError(file.path, "it cannot be read", error);
        });
        if (size === 0) break;
        if (size < wanted) chunk.copyWithin(dataHeaderSize(id, size), header, header + size);
        const end = writeDataHeader(chunk, 0, id, size) + size;
        await this.#call.sendFrames(chunk.subarray(0, end), () => this.#chunks.push(chunk));
        left -= size;
      }
    } finally {
      fs.closeSync(fd);
    }
    const end = Buffer.allocUnsafe(dataHeaderSize(id, 0));
    writeDataHeader(end, 0, id, 0);
    await this.#call.sendFrames(end);
  }

  #open(file: string): number {
    try {
      return fs.openSync(path.join(this.#root, file), fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW);
    } catch (error) {
      const code = errorCode(error);
      const why =
        code === "ENOENT" || code === "ELOOP" || code === "ENOTDIR"
          ? "it was removed while it was being sent"
          : code === "EACCES" || code === "EPERM"
            ? "permission denied"
            : "it cannot be opened";
      throw new WalkError(file, why, error);
    }
  }
}

function readFully(fd: number, target: Buffer, at: number, size: number): number {
  let total = 0;
  while (total < size) {
    const count = fs.readSync(fd, target, at + total, size - total, null);
    if (count === 0) break;
    total += count;
  }
  return total;
}

function read(fd: number, target: Buffer, at: number, size: number): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.read(fd, target, at, size, null, (error, count) => (error === null ? resolve(count) : reject(error)));
  });
}

/** Lets the event loop serve other calls: the daemon's health checks must be answered while a big tree is sent. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** The file types of st_mode, as Go's FileMode says them. */
const fileTypes: ReadonlyMap<number, number> = new Map([
  [0o040000, Mode.dir],
  [0o120000, Mode.symlink],
  [0o010000, Mode.fifo],
  [0o140000, Mode.socket],
  [0o060000, Mode.device],
  [0o020000, Mode.device | Mode.charDevice],
]);

/** Linux packs both numbers of a device into one. */
function deviceOf(rdev: bigint): { major: number; minor: number } {
  return {
    major: Number(((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & 0xfffff000n)),
    minor: Number((rdev & 0xffn) | ((rdev >> 12n) & 0xffffff00n)),
  };
}

/** Unix mode to Go's FileMode. */
export function goMode(mode: number): number {
  let out = (mode & 0o777) | (fileTypes.get(mode & 0o170000) ?? 0);
  if ((mode & 0o4000) !== 0) out |= Mode.setuid;
  if ((mode & 0o2000) !== 0) out |= Mode.setgid;
  if ((mode & 0o1000) !== 0) out |= Mode.sticky;
  return out >>> 0;
}

/** The error that the user sees; undefined for what is the daemon's own. */
function explain(error: unknown, local: LocalDir): UserError | undefined {
  const at: readonly Position[] = local.at ?? [];
  if (error instanceof PatternError) return new UserError(2, [{ code: "bad-pattern", message: error.message, at }], { cause: error });
  if (!(error instanceof WalkError)) return undefined;
  const what = error.path === "" ? local.dir : path.join(local.dir, error.path);
  const hint = error.path === "" ? {} : { hint: "Leave it out with `exclude`, or make it readable" };
  return new UserError(2, [{ code: "local-unreadable", message: `Cannot send ${what}: ${error.message}`, at, ...hint }], { cause: error });
}
