// Runs a job, and again what a change concerns, until the signal aborts: one run after the other, each with what is due by then.
import { UserError } from "../../compiler/index.ts";
import { EventQueue } from "../embedding/events.ts";
import type { UpResult } from "../events.ts";
import type { News } from "../following/events.ts";
import { type RunSeams, upAgain } from "../up.ts";
import { rootOf } from "../workspace/find.ts";
import { Debounce } from "./debounce.ts";
import { shownPath } from "./due.ts";
import type { WatchEvent, WatchRequest } from "./events.ts";
import type { Loop } from "./loops.ts";
import { NativeWatcher } from "./native.ts";
import { Poller } from "./poller.ts";
import { askRemotes } from "./remotes.ts";
import { followRequest, isOnlyData } from "./sources.ts";
import { superseded } from "./superseded.ts";
import { World } from "./world.ts";

/**
 * The loop ends with UserError: 130 when the signal aborts, after the run that goes on was cancelled on the daemon; 2 when there is nothing
 * that could be watched, 3 when the first run finds no daemon, or nothing can be watched any more. Leaving the loop ends the watch, too.
 */
export async function* watch(request: WatchRequest): AsyncGenerator<WatchEvent, undefined> {
  const leaving = new AbortController();
  const events = new EventQueue<WatchEvent>();
  const own = { ...request, signal: AbortSignal.any([request.signal, leaving.signal]) };
  const tell = (event: WatchEvent): void => events.push(event);
  const going = isOnlyData(request) ? follow(own, tell, () => undefined) : new Watching(own, tell).go();
  const done = going.finally(() => events.end());
  done.catch(() => undefined);
  try {
    yield* events;
    await done;
  } finally {
    leaving.abort();
    await done.catch(() => undefined);
  }
  return undefined;
}

/** Follows the sources of the workspace around a config. */
async function follow(request: WatchRequest, tell: (event: WatchEvent) => void, onNews: (news: News) => void): Promise<never> {
  const { Following } = await import("../following/index.ts");
  return new Following(followRequest(request), tell, onNews).go();
}

class Watching {
  readonly #request: WatchRequest;
  /** With what the environment sets by now. */
  #current: WatchRequest;
  readonly #tell: (event: WatchEvent) => void;
  readonly #world: World;
  readonly #native: NativeWatcher;
  readonly #debounce: Debounce;
  /** Ends everything, with the reason. */
  readonly #over = new AbortController();
  #run = 0;
  #running: AbortController | undefined;
  /** What components gave in runs of this config. */
  #computed: Readonly<Record<string, unknown>> = {};
  /** Looks at the disk, one after the other. */
  #looks: Promise<unknown> = Promise.resolve();
  #wake: () => void = () => undefined;

  constructor(request: WatchRequest, tell: (event: WatchEvent) => void) {
    this.#request = request;
    this.#current = request;
    this.#tell = tell;
    const { quiet = 50, limit = 500 } = request;
    this.#debounce = new Debounce({ quiet, limit }, () => void this.#look());
    this.#native = new NativeWatcher({
      onChange: (count) => this.#debounce.note(count),
      onFail: (error) => this.#over.abort(error),
    });
    this.#world = new World({
      request,
      onMore: () => void this.#follow(),
      onLoop: (loop) => this.#tellLoop(loop),
      onTime: () => this.#wake(),
    });
  }

  async go(): Promise<never> {
    const { signal } = this.#request;
    const interrupt = (): void => this.#over.abort(new UserError(130, [{ code: "interrupted", message: "Interrupted", at: [] }]));
    signal.addEventListener("abort", interrupt, { once: true });
    if (signal.aborted) interrupt();
    this.#over.signal.addEventListener("abort", () => {
      this.#running?.abort(this.#over.signal.reason);
      this.#wake();
    });
    const poller = this.#poller();
    const following = this.#followSources();
    try {
      for (;;) {
        this.#over.signal.throwIfAborted();
        await this.#runDue();
        this.#over.signal.throwIfAborted();
        await this.#rest();
      }
    } finally {
      signal.removeEventListener("abort", interrupt);
      this.#over.abort();
      this.#debounce.clear();
      this.#world.clock.close();
      await Promise.all([this.#native.close(), poller.close(), following, this.#looks]);
      this.#world.warm.close();
    }
  }

  /** One run of what is due. */
  async #runDue(): Promise<void> {
    // Neither what has changed nor what schedules run waits for the other for ever.
    const taken = this.#world.take(this.#changed && this.#inTime);
    this.#inTime = taken !== undefined && taken.due.scheduled.size > 0;
    if (!this.#inTime) this.#changed = false;
    if (taken === undefined) return;
    const { due, targets } = taken;
    const run = ++this.#run;
    const trigger = due.trigger(this.#request.cwd);
    this.#tell({ type: "start", run, components: targets ?? [], ...(trigger === undefined ? {} : { trigger }) });
    const running = new AbortController();
    this.#running = running;
    if (this.#over.signal.aborted) running.abort(this.#over.signal.reason);
    const seams: RunSeams = { load: this.#world.load, observer: this.#world.observer(targets !== undefined) };
    let result: UpResult | undefined;
    try {
      if (due.all && run > 1) this.#current = await (await import("./settings.ts")).withSettings(this.#request);
      const { quiet: _, limit: __, poll: ___, queue: ____, sources: _____, workers: ______, onConflict: _______, ...rest } = this.#current;
      result = await upAgain(
        {
          ...rest,
          ...(targets === undefined ? {} : { targets, known: this.#computed }),
          ...(trigger === undefined ? {} : { trigger }),
          signal: running.signal,
          onEvent: (event) => this.#tell({ type: "event", run, event }),
        },
        seams,
      );
      this.#computed = targets === undefined ? result.computed : { ...this.#computed, ...result.computed };
      this.#tell({ type: "end", run, outcome: "done", result });
    } catch (error) {
      // It is due until it was done.
      this.#world.due = due.join(this.#world.due);
      this.#failed(run, error, running.signal);
    } finally {
      this.#running = undefined;
    }
    const settled = this.#looks.then(() => this.#world.ended(result));
    this.#looks = settled.catch((error: unknown) => this.#over.abort(error));
    await settled;
  }

  #failed(run: number, error: unknown, signal: AbortSignal): void {
    if (this.#over.signal.aborted) throw this.#over.signal.reason;
    if (signal.aborted) {
      this.#tell({ type: "end", run, outcome: "superseded" });
      return;
    }
    if (!(error instanceof UserError)) throw error;
    // What no file of the config can mend.
    const isForeign = error.exit === 3 || error.diagnostics.every(({ at }) => at.length === 0);
    if (run === 1 && isForeign) throw error;
    this.#tell({ type: "end", run, outcome: "failed", error });
  }

  /** Until something has changed since the last run. */
  async #rest(): Promise<void> {
    await this.#follow();
    await this.#look();
    for (let told = false; !this.#changed && this.#world.due.scheduled.size === 0; ) {
      this.#over.signal.throwIfAborted();
      const { trees, remotes, clock } = this.#world;
      const { next } = clock;
      if (!told) {
        const what = { directories: trees.wanted.length, names: remotes.length };
        this.#tell({ type: "waiting", ...what, ...(next === undefined ? {} : { next }) });
      }
      told = true;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Something came since the last run began: what is due because that failed does not count. */
  #changed = false;
  /** The run that goes on, or was the last, is one of a schedule: no change takes its place. */
  #inTime = false;

  /** Watches what is known to matter by now. */
  async #follow(): Promise<void> {
    const { trees, files } = this.#world;
    await this.#native.set(trees.wanted, files.dirs);
  }

  #look(): Promise<void> {
    const looked = this.#looks.then(async () => {
      if (this.#over.signal.aborted || !(await this.#world.look())) return;
      this.#came();
    });
    this.#looks = looked.catch((error: unknown) => this.#over.abort(error));
    return looked;
  }

  #came(): void {
    this.#changed = true;
    if (this.#request.queue !== true && !this.#inTime) this.#running?.abort(superseded());
    this.#wake();
  }

  /** What of the workspace's sources is new for the config begins a run. */
  async #followSources(): Promise<void> {
    const { sources = "also" } = this.#request;
    if (sources === "none" || rootOf(this.#request) === undefined) return;
    const onNews = (news: News): void => void (this.#world.news(news) && this.#came());
    await follow({ ...this.#request, signal: this.#over.signal }, this.#tell, onNews).catch((error: unknown) => {
      if (!this.#over.signal.aborted) this.#over.abort(error);
    });
  }

  /** Asks what names stand for while nothing runs. */
  #poller(): Poller {
    const { poll = 60_000 } = this.#request;
    const poller = new Poller({ atOnce: 1, ask: (_, signal) => this.#askNames(signal) });
    poller.set(new Map([["names", poll]]), "later");
    return poller;
  }

  async #askNames(signal: AbortSignal): Promise<boolean> {
    const { remotes } = this.#world;
    if (this.#running !== undefined || remotes.length === 0) return true;
    const { quiet: _, limit: __, poll: ___, queue: ____, sources: _____, workers: ______, onConflict: _______, ...request } = this.#request;
    const now = await askRemotes({ ...request, signal, onEvent: () => undefined }, remotes).catch(() => undefined);
    if (!signal.aborted && this.#running === undefined && now !== undefined && this.#world.renamed(now)) this.#came();
    // A daemon that is away is looked for in the same rhythm: a run that begins meanwhile tells that it is.
    return true;
  }

  #tellLoop({ what, component }: Loop): void {
    const of = { type: "warning", code: "watch-loop" } as const;
    const round = `Runs go round in a loop: component ${component || "(root)"}`;
    if (what.startsWith("source ")) {
      const message = `${round} saves into the ${what}, which the config takes, and that begins a run`;
      const detail = [
        `New versions of it begin no run until something else changes; save to another place, or pin what is taken: dagger ${what.replace(" ", " pin ")} VERSION`,
      ];
      this.#tell({ ...of, message, detail });
      return;
    }
    const shown = shownPath(this.#request.cwd, what);
    const message = `${round} saves ${shown}, something else changes it each time, and that begins a run`;
    const detail = [`Changes of ${shown} begin no run until another file changes; leave it out of what is watched, with \`exclude\``];
    this.#tell({ ...of, message, detail });
  }
}
