// Follows the sources of a workspace: what is new in one runs the nodes that take it, and those behind them, in order; for as long as nobody ends it.
import { join } from "node:path";
import { UserError } from "../../compiler/index.ts";
import { type Computed, compute, dueComputation, inputsOf, type NodeRequest } from "../nodes/compute.ts";
import { inOrder } from "../nodes/graph.ts";
import { loopOf } from "../nodes/loops.ts";
import { type Node, readNodes } from "../nodes/node.ts";
import { withDaemon } from "../sources/ask/daemon.ts";
import { type Data, withData } from "../sources/open.ts";
import { sourcesDir } from "../sources/source.ts";
import { readVersionName } from "../sources/versions.ts";
import { Debounce } from "../watching/debounce.ts";
import { NativeWatcher } from "../watching/native.ts";
import { waitAfter } from "../watching/poller.ts";
import { superseded } from "../watching/superseded.ts";
import { Asking, type AskParts } from "./asking.ts";
import type { FollowEvent, FollowRequest, News } from "./events.ts";
import { Pushing } from "./pushing.ts";

const pace = { quiet: 50, limit: 500 };
/** Milliseconds until a node is tried again whose directory was not what it had been, if nothing is told of that before. */
const moved = 500;

/** A computation that failed. */
interface Lost {
  readonly computation: string;
  readonly failures: number;
  /** Its time has come again. */
  readonly isDue: boolean;
  readonly timer: NodeJS.Timeout | undefined;
}

export class Following {
  readonly #request: FollowRequest;
  readonly #tell: (event: FollowEvent) => void;
  readonly #onNews: (news: News) => void;
  readonly #over = new AbortController();
  readonly #asking: Asking;
  readonly #pushing: Pushing;
  readonly #native: NativeWatcher;
  readonly #files: Debounce;
  readonly #news: Debounce;
  /** By node: a computation that failed is not tried again, unless its environment failed. */
  readonly #lost = new Map<string, Lost>();
  /** The node that runs here, with the versions that it took. */
  #running: { readonly taken: ReadonlyMap<string, string>; readonly ending: AbortController } | undefined;
  /** Nodes that workers have, by id. */
  readonly #left = new Map<string, Promise<void>>();
  /** What was told last when there was nothing left to run. */
  #rest = "";
  /** Why nothing can be followed; "" when it can. */
  #trouble = "";
  /** One thing after the other. */
  #work: Promise<void> = Promise.resolve();
  #end: (error: Error) => void = () => undefined;

  /** `onNews`: of a version that is recorded. */
  constructor(request: FollowRequest, tell: (event: FollowEvent) => void, onNews: (news: News) => void = () => undefined) {
    this.#request = request;
    this.#tell = tell;
    this.#onNews = onNews;
    this.#news = new Debounce(pace, () => this.#then(() => this.#computeDue()));
    this.#files = new Debounce(pace, () => this.#then(() => this.#looked()));
    const parts: AskParts = {
      request,
      tell,
      onNews: (news) => {
        this.#onNews(news);
        this.#supersede(news);
        this.#news.note();
      },
      onFail: (error) => this.#troubled(error),
    };
    this.#asking = new Asking(parts);
    this.#pushing = new Pushing(parts);
    this.#native = new NativeWatcher({ onChange: (count) => this.#files.note(count), onFail: (error) => this.#end(error) });
  }

  /** Rejects with UserError: 130 when the signal aborts, after the node that runs was cancelled; 3 when nothing can be watched any more. */
  async go(): Promise<never> {
    const { signal } = this.#request;
    const ended = new Promise<never>((_, reject) => {
      this.#end = (error) => {
        reject(error);
        this.#over.abort(error);
      };
    });
    const interrupt = (): void => this.#end(new UserError(130, [{ code: "interrupted", message: "Interrupted", at: [] }]));
    signal.addEventListener("abort", interrupt, { once: true });
    if (signal.aborted) interrupt();
    else this.#then(() => this.#looked());
    try {
      return await ended;
    } finally {
      signal.removeEventListener("abort", interrupt);
      this.#news.clear();
      this.#files.clear();
      for (const { timer } of this.#lost.values()) clearTimeout(timer);
      await Promise.all([this.#work, ...this.#left.values(), this.#asking.close(), this.#pushing.close(), this.#native.close()]);
    }
  }

  #then(work: () => Promise<void>): void {
    this.#work = this.#work.then(async () => {
      if (!this.#over.signal.aborted) await work();
    });
    this.#work = this.#work.catch((error: unknown) => this.#troubled(error));
  }

  /** Files of the workspace, or of sources, may have changed. */
  async #looked(): Promise<void> {
    const dirs = await this.#open(async ({ workspace, sources }) => {
      this.#asking.set(sources, workspace);
      return new Set([workspace.dir, sourcesDir(workspace), join(workspace.dir, "nodes")]);
    });
    if (dirs === undefined) return;
    await this.#native.set(this.#asking.directories, dirs);
    this.#asking.look();
    this.#pushing.note();
    this.#news.note();
  }

  /** Runs the nodes that were not run for what their inputs have: each after those whose results it takes. */
  async #computeDue(): Promise<void> {
    await this.#open(async (data) => {
      const nodes = await readNodes(data.workspace, this.#request.cwd);
      for (const id of [...this.#lost.keys()]) if (!nodes.some((node) => node.id === id)) this.#find(id);
      let ran = false;
      for (const node of inOrder(nodes, data.sources)) {
        if (this.#over.signal.aborted) return;
        const due = await this.#dueOf(node, data);
        const lost = this.#lost.get(node.id);
        if (due === undefined || this.#left.has(node.id) || (lost?.computation === due && !lost.isDue)) continue;
        ran = true;
        const loop = await loopOf(node, nodes, data);
        if (loop !== undefined) this.#fail(node, due, loop);
        else if (this.#request.workers === true) this.#leave(node, due);
        else await this.#compute(node, due, data);
      }
      const followed = this.#asking.set(data.sources, data.workspace);
      const rest = { type: "following", sources: followed, nodes: nodes.length } as const;
      if (data.sources.length === 0 || (!ran && this.#rest === JSON.stringify(rest))) return;
      this.#rest = JSON.stringify(rest);
      this.#tell(rest);
    });
  }

  /** What nobody has a version of is told where its source is asked. */
  async #dueOf(node: Node, data: Data): Promise<string | undefined> {
    try {
      return await dueComputation(node, data);
    } catch (error) {
      if (error instanceof UserError && error.exit === 2) return undefined;
      throw error;
    }
  }

  async #compute(node: Node, computation: string, data: Data): Promise<void> {
    const of = { type: "node", node: node.id } as const;
    this.#tell({ ...of, state: "start" });
    const { poll: _, queue: __, ...rest } = this.#request;
    const ending = new AbortController();
    const request = { ...rest, signal: this.#over.signal, superseded: ending.signal };
    const onEvent = (event: Parameters<Parameters<typeof compute>[3]["onEvent"]>[0]): void => this.#tell({ ...of, state: "event", event });
    try {
      if (request.workers !== true) {
        const inputs = await inputsOf(node, data);
        this.#running = { taken: new Map(inputs.map(({ datum: { name, id } }) => [name, id])), ending };
      }
      const computed = await this.#computeBy(node, data, { ...request, onEvent });
      this.#find(node.id);
      this.#tell({ ...of, state: "done", computed });
      this.#pushing.note();
      for (const output of computed.outputs) {
        const { source: name, id } = readVersionName(output);
        const source = data.sources.find((one) => one.name === name);
        if (source !== undefined) this.#onNews({ source, id });
      }
    } catch (error) {
      if (this.#over.signal.aborted) return;
      if (!(error instanceof UserError)) throw error;
      if (!ending.signal.aborted && !this.#hasMoved(node, computation, error, data)) return this.#fail(node, computation, error);
      this.#tell({ ...of, state: "superseded" });
      this.#news.note();
    } finally {
      if (this.#running?.ending === ending) this.#running = undefined;
    }
  }

  #supersede({ source, id }: News): void {
    const taken = this.#running?.taken.get(source.name);
    if (this.#request.queue !== true && taken !== undefined && taken !== id) this.#running?.ending.abort(superseded());
  }

  #fail(node: Node, computation: string, error: UserError): void {
    const again = this.#lose(node, computation, error);
    this.#tell({ type: "node", node: node.id, state: "failed", error, ...(again === undefined ? {} : { again }) });
  }

  async #computeBy(node: Node, data: Data, request: NodeRequest): Promise<Computed> {
    if (request.workers === true) return (await import("../work/nodes.ts")).computeByWorker(node, data, request);
    return withDaemon(request, (askDaemon) => compute(node, data, { ...request, workspace: data.workspace, askDaemon }, request));
  }

  /** To a worker: what does not need it goes on meanwhile, and what does is due when it is done. */
  #leave(node: Node, computation: string): void {
    const left = this.#open((data) => this.#compute(node, computation, data)).then(() => {
      this.#left.delete(node.id);
      if (!this.#over.signal.aborted) this.#news.note();
    });
    this.#left.set(node.id, left);
  }

  /**
   * Whether a node failed because a directory changed after it was looked at, or while it was: that is news that nobody has told yet. It is
   * looked at again, and so is the node, unless that goes on and on.
   */
  #hasMoved({ id, inputs }: Node, computation: string, { diagnostics: [told] }: UserError, { sources }: Data): boolean {
    const before = this.#lost.get(id);
    const failures = (before?.computation === computation ? before.failures : 0) + 1;
    const follows = (name: string): boolean => sources.some((one) => one.name === name && one.kind === "path" && one.pin === undefined);
    if (told?.code !== "version-gone" || failures > 3 || !inputs.some(follows)) return false;
    this.#asking.look();
    this.#lostFor(moved, id, { computation, failures });
    return true;
  }

  #lostFor(ms: number, id: string, lost: Pick<Lost, "computation" | "failures">): void {
    clearTimeout(this.#lost.get(id)?.timer);
    const timer = setTimeout(() => {
      this.#lost.set(id, { ...lost, isDue: true, timer: undefined });
      this.#news.note();
    }, ms);
    this.#lost.set(id, { ...lost, isDue: false, timer });
  }

  /** It is lost no more. */
  #find(id: string): void {
    clearTimeout(this.#lost.get(id)?.timer);
    this.#lost.delete(id);
  }

  /** Gives after how many milliseconds it is tried again, if it is. */
  #lose({ id }: Node, computation: string, { exit }: UserError): number | undefined {
    const before = this.#lost.get(id);
    const failures = (before?.computation === computation ? before.failures : 0) + 1;
    clearTimeout(before?.timer);
    const lost: Lost = { computation, failures, isDue: false, timer: undefined };
    this.#lost.set(id, lost);
    if (exit !== 3) return undefined;
    const again = waitAfter(this.#request.poll || 60_000, failures);
    this.#lostFor(again, id, { computation, failures });
    return again;
  }

  /** Undefined where the workspace cannot be read at this moment; it is looked at again. */
  async #open<T>(use: (data: Data) => Promise<T>): Promise<T | undefined> {
    try {
      const done = await withData(this.#request, use);
      this.#trouble = "";
      return done;
    } catch (error) {
      this.#troubled(error);
      return undefined;
    }
  }

  #troubled(error: unknown): void {
    if (this.#over.signal.aborted) return;
    if (!(error instanceof UserError)) {
      this.#end(error instanceof Error ? error : new Error("sources cannot be followed", { cause: error }));
      return;
    }
    const why = error.diagnostics.map(({ code, message }) => `${code} ${message}`).join("\n");
    if (why !== this.#trouble) this.#tell({ type: "unfollowed", error });
    this.#trouble = why;
  }
}
