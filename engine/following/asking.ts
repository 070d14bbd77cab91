// Asks the sources of a workspace what they have, each in its own time, and says what is news: new versions, and failures once.
import { UserError } from "../../compiler/index.ts";
import { unreachable } from "../sources/ask/errors.ts";
import { directoryOf, excluded } from "../sources/ask/path.ts";
import { withData } from "../sources/open.ts";
import { type Refreshed, refreshSources } from "../sources/refresh.ts";
import type { Source } from "../sources/source.ts";
import { Poller } from "../watching/poller.ts";
import type { Wanted } from "../watching/trees.ts";
import type { Workspace } from "../workspace/find.ts";
import type { FollowEvent, FollowRequest, News } from "./events.ts";

/** So long one answer may take; a server that says nothing is asked again later. Milliseconds. */
export const patience = 120_000;
const atOnce = 8;

export interface AskParts {
  readonly request: FollowRequest;
  readonly tell: (event: FollowEvent) => void;
  /** Of a version that is recorded. */
  readonly onNews: (news: News) => void;
  /** What no source is to blame for; a UserError may pass. */
  readonly onFail: (error: unknown) => void;
}

export class Asking {
  readonly #parts: AskParts;
  readonly #poller: Poller;
  /** The newest version of each, as far as it was asked. */
  readonly #newest = new Map<string, string>();
  /** Of those that cannot be asked, why. */
  readonly #failed = new Map<string, string>();
  #directories: readonly Wanted[] = [];

  constructor(parts: AskParts) {
    this.#parts = parts;
    this.#poller = new Poller({ atOnce, ask: (name, signal) => this.#ask(name, signal) });
  }

  /** Directories that are sources: what happens in them need not be waited for. */
  get directories(): readonly Wanted[] {
    return this.#directories;
  }

  /** Follows those of these that are neither paused nor pinned. Gives how many. */
  set(sources: readonly Source[], { root }: Workspace): number {
    const { poll = 60_000 } = this.#parts.request;
    const followed = sources.filter(isFollowed);
    this.#directories = followed
      .filter(({ kind }) => kind === "path")
      .map((source) => ({ name: source.name, dir: directoryOf(source, root), include: [], exclude: excluded, follow: [] }));
    for (const name of [...this.#failed.keys()]) if (!followed.some((one) => one.name === name)) this.#failed.delete(name);
    this.#poller.set(new Map(followed.map((source) => [source.name, source.poll ?? poll])), "now");
    return followed.length;
  }

  /** Something happened in directories that are sources. */
  look(): void {
    for (const { name } of this.#directories) this.#poller.soon(name);
  }

  close(): Promise<void> {
    return this.#poller.close();
  }

  async #ask(name: string, over: AbortSignal): Promise<boolean> {
    const late = AbortSignal.timeout(patience);
    const signal = AbortSignal.any([over, late]);
    try {
      return await withData(this.#parts.request, async (data) => {
        const source = data.sources.find((one) => one.name === name);
        if (source === undefined || !isFollowed(source)) return true;
        const request = { ...this.#parts.request, signal };
        const [done] = await refreshSources([source], data.sources, { ...data, request });
        return done === undefined || this.#note(done, source);
      });
    } catch (error) {
      if (over.aborted) return true;
      if (late.aborted)
        return this.#note({ name, id: "", fresh: 0, isNews: false, error: unreachable(name, `no answer for ${patience / 1000} seconds`) });
      this.#parts.onFail(error);
      return false;
    }
  }

  /** False where it could not be asked. */
  #note({ name, id, fresh, isNews, error }: Refreshed, source?: Source): boolean {
    const { tell, onNews } = this.#parts;
    if (error !== undefined) {
      if (!(error instanceof UserError)) throw new Error(`${name} cannot be asked`, { cause: error });
      const why = error.diagnostics.map(({ code, message }) => `${code} ${message}`).join("\n");
      if (this.#failed.get(name) !== why) tell({ type: "source", source: name, state: "failed", error });
      this.#failed.set(name, why);
      return false;
    }
    if (this.#failed.delete(name)) tell({ type: "source", source: name, state: "back", id });
    // Somebody else may have asked, and recorded it, in between.
    const before = this.#newest.get(name);
    this.#newest.set(name, id);
    if (!isNews && (before === undefined || before === id)) return true;
    tell({ type: "source", source: name, state: "new", id, fresh });
    if (source !== undefined) onNews({ source, id });
    return true;
  }
}

function isFollowed({ paused, pin }: Source): boolean {
  return paused !== true && pin === undefined;
}
