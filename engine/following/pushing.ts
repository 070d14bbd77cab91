// Pushes what nodes gave while sources are followed: beside the nodes, which do not wait for it, and again later where a remote cannot be reached.
import type { UserError } from "../../compiler/index.ts";
import { type Push, pushesOf } from "../pushing/records.ts";
import { pushWaiting, type Settled } from "../pushing/waiting.ts";
import { unreachable } from "../sources/ask/errors.ts";
import { type Data, withData } from "../sources/open.ts";
import type { Source } from "../sources/source.ts";
import { type AskParts, patience } from "./asking.ts";

/** How long until a remote that says nothing is tried again, milliseconds. */
const pause = 60_000;

export class Pushing {
  readonly #parts: AskParts;
  readonly #over = new AbortController();
  /** Why something is not pushed, by its commit: told once. */
  readonly #told = new Map<string, string>();
  #work: Promise<void> | undefined;
  /** Somebody noted something while it worked. */
  #more = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: AskParts) {
    this.#parts = parts;
  }

  /** Something may wait. */
  note(): void {
    this.#more = true;
    if (this.#over.signal.aborted || this.#work !== undefined) return;
    this.#work = this.#go().finally(() => {
      this.#work = undefined;
      if (this.#more) this.note();
    });
  }

  async close(): Promise<void> {
    this.#more = false;
    this.#over.abort();
    clearTimeout(this.#timer);
    await this.#work;
  }

  async #go(): Promise<void> {
    this.#more = false;
    clearTimeout(this.#timer);
    try {
      const waits = await withData(this.#parts.request, (data) =>
        Promise.all(data.sources.filter(({ kind }) => kind === "git").map((source) => this.#push(source, data))),
      );
      const again = Math.min(...waits);
      if (Number.isFinite(again) && !this.#over.signal.aborted) this.#timer = setTimeout(() => this.note(), again);
    } catch (error) {
      if (!this.#over.signal.aborted) this.#parts.onFail(error);
    }
  }

  /** Gives in how many milliseconds there is something to do again. */
  async #push(source: Source, { workspace, store }: Data): Promise<number> {
    const late = AbortSignal.timeout(patience);
    const signal = AbortSignal.any([this.#over.signal, late]);
    const scope = { ...this.#parts.request, signal, workspace };
    try {
      const done = await pushWaiting(source, { scope, store }, Date.now());
      for (const one of done) this.#tell(one);
      // What it was joined with is a version of its own, and so is what the source has in place of a conflict.
      const [newest] = await store.lineages.newest("version", [source.name]);
      if (newest !== undefined && done.some(({ push }) => push.state !== "waiting")) this.#parts.onNews({ source, id: newest.id });
    } catch (error) {
      if (this.#over.signal.aborted) return Number.POSITIVE_INFINITY;
      if (!late.aborted) throw error;
      this.#parts.tell({
        type: "push",
        source: source.name,
        state: "failed",
        error: unreachable(source.name, `no answer for ${patience / 1000} seconds`),
        again: pause,
      });
      return pause;
    }
    const [first] = await pushesOf(store, source.name, ["waiting"]);
    return first === undefined || first.next === 0 ? Number.POSITIVE_INFINITY : Math.max(first.next - Date.now(), 100);
  }

  #tell({ push, error, again }: Settled): void {
    const { source, commit, landing = commit, branch, state } = push;
    const { tell } = this.#parts;
    const isNews = this.#told.get(commit) !== whyOf(push, error);
    this.#told.set(commit, whyOf(push, error));
    if (state === "pushed") {
      this.#told.delete(commit);
      tell({ type: "push", source, state, commit: landing, ...(branch === undefined ? {} : { branch }) });
    } else if (error !== undefined && isNews && error.diagnostics[0]?.code !== "push-elsewhere") {
      tell(
        state === "conflict" ? { type: "push", source, state, error } : { type: "push", source, state: "failed", error, again: again ?? 0 },
      );
    }
  }
}

function whyOf({ state }: Push, error: UserError | undefined): string {
  return `${state} ${error?.message ?? ""}`;
}
