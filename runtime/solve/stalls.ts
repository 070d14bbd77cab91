// Watches what the daemon downloads, for which it would itself wait for ever: a server that sends nothing any more ends the build.
// Processes are never watched: they may be silent as long as they like.
import { elapsed } from "../clock.ts";
import { Code } from "../grpc/status.ts";
import { SolveError } from "./errors.ts";
import type { StatusUpdate, StatusVertex, VertexProgress } from "./status.ts";

/** A vertex that takes something from the network. */
export interface Download {
  /** Where it comes from, e.g. `docker.io`. */
  readonly host: string;
  /** Whether the daemon tells how much has come; of git and HTTP it tells nothing until all is there. */
  readonly counted: boolean;
}

/** Milliseconds without a sign of life: where bytes are counted, and where they are not. */
export interface StallLimits {
  readonly counted: number;
  readonly uncounted: number;
}

/** The daemon names the layers that it downloads by their digest, and tells when it unpacks them. */
const layer = /^sha256:[0-9a-f]{64}$/;
const unpacking = /^extracting /;

/** Other vertices download only what an imported cache has for them: whoever that is. */
const cached: Download = { host: "", counted: true };

interface Open {
  readonly digest: string;
  readonly download: Download;
  /** Between the vertex's start and end. Without it only what its statuses tell is watched. */
  running: boolean;
  seen: number;
  /** When the daemon last said anything about it, also that nothing has changed. */
  told: number;
  readonly statuses: Map<string, VertexProgress>;
}

const tick = 500;
/** Milliseconds without a word about the layers of a vertex that is no download. */
const givenUp = 10_000;
/** Ticks further apart than this mean that nobody looked: the process was stopped, or the machine slept. */
const nobodyLooked = 4 * tick;

export class StallWatch {
  readonly #limits: StallLimits;
  readonly #find: (digest: string) => Download | undefined;
  readonly #clock: () => number;
  readonly #open = new Map<string, Open>();
  /** Servers limit how many downloads run at once: what waits for another from the same host is alive. */
  readonly #hosts = new Map<string, number>();
  readonly #onStall: (error: SolveError) => void;
  readonly #timer: NodeJS.Timeout;
  #looked: number;

  /** Calls `onStall` once, with the error that ends the build. `find` says which vertices download. */
  constructor(
    limits: StallLimits,
    find: (digest: string) => Download | undefined,
    onStall: (error: SolveError) => void,
    clock: () => number = elapsed,
  ) {
    this.#limits = limits;
    this.#find = find;
    this.#onStall = onStall;
    this.#clock = clock;
    this.#looked = clock();
    this.#timer = setInterval(() => this.look(), tick);
    this.#timer.unref();
  }

  see({ vertexes, statuses, logs }: StatusUpdate): void {
    for (const vertex of vertexes) this.#seeVertex(vertex);
    for (const status of statuses) this.#seeStatus(status);
    for (const { vertex } of logs) {
      const open = this.#open.get(vertex);
      if (open !== undefined) this.#alive(open);
    }
  }

  /** Ends the build when a download stands still. Called by a timer; by tests with a clock of their own. */
  look(): void {
    const now = this.#clock();
    const missed = now - this.#looked;
    this.#looked = now;
    if (missed > nobodyLooked) this.#forgive(missed);
    this.#forget(now);
    const stalled = [...this.#open.values()].find((open) => isWaiting(open) && now - this.#heard(open) > this.#limit(open));
    if (stalled === undefined) return;
    this.stop();
    this.#onStall(stallError(stalled, this.#limit(stalled)));
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #seeVertex({ digest, started, completed }: StatusVertex): void {
    const running = started !== undefined && completed === undefined;
    const known = this.#open.get(digest);
    const download = this.#find(digest);
    // Whatever else runs may take its time: only layers that come for it are watched.
    if (download === undefined) return;
    if (known !== undefined) this.#alive(known);
    if (running && known !== undefined) known.running = true;
    else if (running) this.#open.set(digest, { digest, download, running, ...this.#fresh(), statuses: new Map() });
    else this.#open.delete(digest);
  }

  #seeStatus(status: VertexProgress): void {
    const open = this.#open.get(status.vertex) ?? this.#late(status);
    if (open === undefined) return;
    open.told = this.#clock();
    const before = open.statuses.get(status.id);
    // The daemon repeats itself while nothing comes.
    if (before?.current === status.current && before.completed === status.completed) return;
    open.statuses.set(status.id, status);
    this.#alive(open);
    const over = [...open.statuses.values()].every(({ completed }) => completed !== undefined);
    if (!open.running && over) this.#open.delete(open.digest);
  }

  /** A vertex that is no download itself, or has ended, and of which layers come. */
  #late({ vertex, id, completed }: VertexProgress): Open | undefined {
    if (completed !== undefined || !layer.test(id)) return undefined;
    const download = this.#find(vertex) ?? cached;
    const open: Open = { digest: vertex, download, running: false, ...this.#fresh(), statuses: new Map() };
    this.#open.set(vertex, open);
    return open;
  }

  #fresh(): Pick<Open, "seen" | "told"> {
    return { seen: this.#clock(), told: this.#clock() };
  }

  #alive(open: Open): void {
    Object.assign(open, this.#fresh());
    this.#hosts.set(open.download.host, open.seen);
  }

  #heard({ seen, download }: Open): number {
    return Math.max(seen, this.#hosts.get(download.host) ?? 0);
  }

  #limit({ download }: Open): number {
    return download.counted ? this.#limits.counted : this.#limits.uncounted;
  }

  /** Of a layer that comes, the daemon tells several times a second; of one that was given up, never again that it ended. */
  #forget(now: number): void {
    for (const { digest, running, told } of [...this.#open.values()]) if (!running && now - told > givenUp) this.#open.delete(digest);
  }

  #forgive(ms: number): void {
    for (const open of this.#open.values()) {
      open.seen += ms;
      open.told += ms;
    }
    for (const [host, heard] of this.#hosts) this.#hosts.set(host, heard + ms);
  }
}

/** Whether bytes should come. Unpacking a large layer takes its time, and tells nothing meanwhile. */
function isWaiting({ statuses }: Open): boolean {
  return ![...statuses].some(([id, { completed }]) => completed === undefined && unpacking.test(id));
}

function stallError({ digest, download: { host }, statuses }: Open, limit: number): SolveError {
  const seconds = Math.max(1, Math.round(limit / 1000));
  const stuck = [...statuses.values()].find(({ id, completed }) => completed === undefined && layer.test(id));
  const what = stuck === undefined ? "nothing came" : `the layer ${stuck.id} stopped at ${amount(stuck)}: nothing more came`;
  const reason = `${what}${host === "" ? "" : ` from ${host}`} for ${seconds} s`;
  const hint = "Look whether the daemon reaches it, and run again; DAGGER_NETWORK_TIMEOUT says how long to wait";
  const failure = { reason, code: Code.deadlineExceeded, vertex: digest, ranges: [] };
  return new SolveError(1, { code: "download-stalled", message: `A download stands still: ${reason}`, at: [], hint }, failure, undefined);
}

function amount({ current, total }: VertexProgress): string {
  const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);
  return total > 0 ? `${megabytes(current)} of ${megabytes(total)} MB` : `${megabytes(current)} MB`;
}
