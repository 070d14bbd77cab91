// What has changed and was not run for yet.
import { relative } from "node:path";
import type { RunTrigger } from "../request.ts";
import type { Scheduled } from "../triggers/schedule.ts";

/** Of all that has changed, so many are named. */
const shown = 5;

export class Due {
  /** The whole job: its config has changed, or nobody knows what a change means for it. */
  all = false;
  readonly trees: Set<string> = new Set();
  readonly remotes: Set<string> = new Set();
  /** What schedules run, by its path: a run of its own. It is not due again when that fails, before its time comes again. */
  readonly scheduled: Map<string, Scheduled> = new Map();
  #named: string[] = [];
  #count = 0;

  /** `what` are paths and names. */
  name(what: readonly string[]): void {
    const news = what.filter((one) => !this.#named.includes(one));
    this.#count += news.length;
    this.#named = [...this.#named, ...news.slice(0, shown - this.#named.length)];
  }

  /** What a run did not come to do is due together with what came after it. */
  join(later: Due): Due {
    const joined = new Due();
    joined.all = this.all || later.all;
    for (const due of [this, later]) {
      for (const key of due.trees) joined.trees.add(key);
      for (const name of due.remotes) joined.remotes.add(name);
      joined.name(due.#named);
    }
    joined.#count = Math.max(joined.#count, this.#count + later.#count - (this.#named.length + later.#named.length - joined.#named.length));
    for (const [path, one] of later.scheduled) joined.scheduled.set(path, one);
    return joined;
  }

  /** Takes out what schedules run, if there is any. */
  takeScheduled(): Due | undefined {
    if (this.scheduled.size === 0) return undefined;
    const taken = new Due();
    for (const [path, one] of this.scheduled) taken.scheduled.set(path, one);
    this.scheduled.clear();
    return taken;
  }

  /** Undefined where nothing has changed: of the first run. */
  trigger(cwd: string): RunTrigger | undefined {
    if (this.scheduled.size > 0) {
      const schedules = [...this.scheduled.values()].map(({ path, schedule, timezone }) => `${path} at ${schedule} (${timezone})`);
      return { kind: "schedule", changed: schedules, more: 0 };
    }
    if (this.#count === 0) return undefined;
    const changed = this.#named.map((one) => (one.startsWith("/") ? shownPath(cwd, one) : one));
    return { kind: "watch", changed, more: this.#count - changed.length };
  }
}

export function shownPath(cwd: string, path: string): string {
  const inside = relative(cwd, path);
  return inside.startsWith("..") ? path : inside || ".";
}
