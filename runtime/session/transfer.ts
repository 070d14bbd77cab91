// One transfer of a result: packets of fsutil's protocol in, requests out; files go to their writers, values into memory.
import fs from "node:fs";
import { UserError } from "../../compiler/diagnostic.ts";
import { frame } from "../grpc/frame.ts";
import { Code, RpcError } from "../grpc/status.ts";
import type { Call } from "./call.ts";
import { decodePacket, encodePacket, Mode, type Packet, PacketType, type Stat } from "./packet.ts";
import type { Staging } from "./staging.ts";
import { TreeError, TreeGuard } from "./tree.ts";
import { FileWriter } from "./writer.ts";

/** Unwritten bytes at which the daemon has to wait. */
const writeHighWater = 8 << 20;
/** What a value takes beside its bytes: also a million empty ones must not fill the memory. */
const valueOverhead = 256;

/** Where an entry of the result goes. */
export interface Route {
  readonly staging: Staging | undefined;
  /** Path below the prefix, "" for the prefix itself. */
  readonly relative: string;
}

/** One DiffCopy from its first STAT to its FIN. */
export class Transfer {
  /** What was worked on last, for messages. */
  current: Staging | undefined;
  readonly #call: Call;
  readonly #route: (stat: Stat) => Route | undefined;
  readonly #values: Map<string, Buffer>;
  readonly #limit: number;
  readonly #guard = new TreeGuard();
  readonly #writers = new Map<number, FileWriter>();
  readonly #inMemory = new Map<number, { readonly path: string; readonly chunks: Buffer[] }>();
  /** Where each file was written, for hard links to it. */
  readonly #written = new Map<string, Route>();
  #links: { readonly stat: Stat; readonly route: Route }[] = [];
  #requests: Buffer[] = [];
  #nextId = 0;
  #listed = false;
  #memoryUsed = 0;
  #unwritten = 0;
  #settle: { resolve: () => void; reject: (error: unknown) => void } | undefined;
  /** Everything is here, and the daemon was told so. */
  #complete = false;
  #over = false;

  constructor(call: Call, route: (stat: Stat) => Route | undefined, values: Map<string, Buffer>, limit: number) {
    this.#call = call;
    this.#route = route;
    this.#values = values;
    this.#limit = limit;
  }

  run(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
      this.#call.onClose(() => this.#onEnd());
      this.#call.read(
        (message) => this.#guarded(() => this.#onPacket(decodePacket(message))),
        () => this.#onEnd(),
      );
    });
  }

  /** Closes the files that are still open. */
  abandon(): void {
    this.#over = true;
    for (const writer of this.#writers.values()) writer.abandon();
    this.#writers.clear();
  }

  #onPacket(packet: Packet): void {
    if (this.#over) return;
    if (packet.type === PacketType.stat) this.#onStat(packet.stat);
    else if (packet.type === PacketType.data) this.#onData(packet.id, packet.data);
    else if (packet.type === PacketType.finish) this.#onFinish();
    else if (packet.type === PacketType.error)
      this.#fail(new RpcError(Code.unknown, `the daemon could not send the result: ${packet.data.toString()}`));
    else throw new TreeError(`it has a packet of the unknown type ${packet.type}`);
  }

  #onStat(stat: Stat | undefined): void {
    if (this.#listed) throw new TreeError("it goes on after its end");
    if (stat === undefined) {
      this.#listed = true;
      this.#finishWhenDone();
      return;
    }
    const id = this.#nextId++;
    this.#guard.check(stat);
    const route = this.#route(stat);
    if (route === undefined) return;
    this.current = route.staging ?? this.current;
    const kind = stat.mode & Mode.type;
    if (kind === 0 && stat.linkname !== "") this.#links.push({ stat, route });
    else if (kind === 0) this.#want(id, stat, route);
    else if (route.staging === undefined)
      return; // no more than files are values
    else if (kind === Mode.dir >> 0) route.staging.addDir(route.relative, stat);
    else if (kind === Mode.symlink) route.staging.addSymlink(route.relative, stat);
    else throw notSavable(stat, route.staging);
  }

  #want(id: number, stat: Stat, route: Route): void {
    this.#written.set(stat.path, route);
    if (route.staging === undefined) {
      this.#remember(valueOverhead + stat.path.length);
      this.#inMemory.set(id, { path: stat.path, chunks: [] });
    } else this.#writers.set(id, new FileWriter(route.staging, route.relative, stat));
    // Requests go out together at the end of this turn.
    if (this.#requests.length === 0) queueMicrotask(() => this.#sendRequests());
    this.#requests.push(frame(encodePacket(PacketType.request, id)));
  }

  #sendRequests(): void {
    void this.#call.sendFrames(Buffer.concat(this.#requests));
    this.#requests = [];
  }

  #onData(id: number, data: Buffer): void {
    const value = this.#inMemory.get(id);
    if (value !== undefined) {
      this.#onValue(id, value, data);
      return;
    }
    const writer = this.#writers.get(id);
    if (writer === undefined) throw new TreeError(`it has data of the file ${id}, which was not asked for`);
    this.current = writer.staging;
    if (data.length > 0) {
      this.#track(writer.write(data));
      return;
    }
    const closed = writer.close();
    if (closed === undefined) this.#closed(id);
    else this.#track({ bytes: 0, done: closed.then(() => this.#closed(id)) });
  }

  #closed(id: number): void {
    this.#writers.delete(id);
    this.#finishWhenDone();
  }

  /** Counts bytes that are being written, and makes the daemon wait while they are many. */
  #track(work: { readonly bytes: number; readonly done: Promise<void> } | undefined): void {
    if (work === undefined) return;
    this.#unwritten += work.bytes;
    if (this.#unwritten > writeHighWater) this.#call.pause();
    work.done.then(
      () => {
        this.#unwritten -= work.bytes;
        if (this.#unwritten < writeHighWater / 2) this.#call.resume();
      },
      (error: unknown) => this.#fail(error),
    );
  }

  #onValue(id: number, value: { readonly path: string; readonly chunks: Buffer[] }, data: Buffer): void {
    if (data.length > 0) {
      this.#remember(data.length);
      value.chunks.push(Buffer.from(data));
      return;
    }
    this.#values.set(value.path, Buffer.concat(value.chunks));
    this.#inMemory.delete(id);
    this.#finishWhenDone();
  }

  #remember(bytes: number): void {
    this.#memoryUsed += bytes;
    if (this.#memoryUsed > this.#limit) throw tooLarge(this.#limit);
  }

  #finishWhenDone(): void {
    if (!this.#listed || this.#over || this.#writers.size > 0 || this.#inMemory.size > 0) return;
    this.#guarded(() => {
      this.#makeLinks();
      this.#complete = true;
      void this.#call.send(encodePacket(PacketType.finish));
    });
  }

  #makeLinks(): void {
    for (const { stat, route } of this.#links) {
      const original = this.#written.get(stat.linkname) as Route;
      this.#written.set(stat.path, original);
      this.current = route.staging;
      if (route.staging === undefined) {
        this.#values.set(
          stat.path,
          original.staging === undefined
            ? (this.#values.get(stat.linkname) ?? Buffer.alloc(0))
            : fs.readFileSync(original.staging.path(original.relative)),
        );
      } else if (original.staging === route.staging) route.staging.addHardLink(route.relative, route.staging.path(original.relative));
      else this.#copy(stat, route, original);
    }
    this.#links = [];
  }

  /** A hard link cannot join two destinations: the second gets a copy. */
  #copy(stat: Stat, route: Route, original: Route): void {
    const staging = route.staging as Staging;
    const from = original.staging;
    const bytes = from === undefined ? (this.#values.get(stat.linkname) as Buffer) : fs.readFileSync(from.path(original.relative));
    const fd = staging.openFile(route.relative);
    fs.writeSync(fd, bytes);
    staging.finishFile(fd, stat, bytes.length);
  }

  #onFinish(): void {
    if (!this.#listed || this.#writers.size > 0 || this.#inMemory.size > 0) throw new TreeError("it ends before all files came");
    this.#call.end(Code.ok);
    this.#finish();
  }

  /** The daemon's own finish is not waited for: its answer to the solve, which comes another way, may overtake it, and ends the session. */
  #onEnd(): void {
    if (this.#complete) this.#finish();
    else this.#fail(new RpcError(Code.canceled, "the daemon stopped sending the result"));
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#settle?.resolve();
  }

  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.#settle?.reject(error);
  }
}

function notSavable(stat: Stat, staging: Staging): UserError {
  const kind = (stat.mode & Mode.device) !== 0 ? "device" : (stat.mode & Mode.fifo) !== 0 ? "named pipe" : "special file";
  const path = stat.path.slice(staging.target.prefix.length);
  const message = `Cannot save ${JSON.stringify(path)} to ${staging.target.dest}: it is a ${kind}`;
  const hint = "Save a directory that has none, or leave it out with `copy` and `exclude`";
  return new UserError(1, [{ code: "not-savable", message, at: staging.target.at ?? [], hint }]);
}

function tooLarge(limit: number): UserError {
  const message = `The exported values are larger than ${Math.floor(limit / (1 << 20))} MiB together`;
  return new UserError(1, [
    { code: "value-too-large", message, at: [], hint: "Save large files with `save-dir`; export only what CUE has to know" },
  ]);
}
