// All that a watched job depends on, and what of it has changed.
import type { UpResult } from "../events.ts";
import type { News } from "../following/events.ts";
import type { RunObserver } from "../observers.ts";
import { isOwnListing, listingKey } from "../provenance/facts.ts";
import { meetsDirectory } from "../sources/meeting.ts";
import type { Source } from "../sources/source.ts";
import { Clock } from "../triggers/clock.ts";
import { schedulesOf } from "../triggers/schedule.ts";
import { rootOf } from "../workspace/find.ts";
import { Due } from "./due.ts";
import type { WatchRequest } from "./events.ts";
import { Files } from "./files.ts";
import { type Loop, Loops } from "./loops.ts";
import { Model, type Remote } from "./model.ts";
import { type TreeChange, Trees } from "./trees.ts";
import { WarmConfig } from "./warm.ts";

export interface WorldParts {
  readonly request: WatchRequest;
  /** More is known of what is to be watched. */
  readonly onMore: () => void;
  readonly onLoop: (loop: Loop) => void;
  /** A schedule has come, and what it runs is due. */
  readonly onTime: () => void;
}

export class World {
  readonly trees: Trees = new Trees();
  readonly files: Files;
  readonly warm: WarmConfig;
  readonly clock: Clock;
  /** What is due for the next run. */
  due: Due = new Due();
  readonly #parts: WorldParts;
  readonly #loops = new Loops();
  #model = new Model();
  #stale = true;
  /** Keys of directories that runs of this config took, also those that a Dockerfile is read from. */
  #listed = new Set<string>();
  #resolved: ReadonlyMap<string, string> = new Map();
  /** What names stand for, as far as it is known. */
  readonly #known = new Map<string, string>();
  /** Digests that runs have pushed, with the component. */
  readonly #pushed = new Map<string, string>();
  /** Names of the sources of the workspace that the config takes; undefined where it could not be read. */
  #sources: ReadonlySet<string> | undefined;
  /** Directories that runs save, with the component. */
  readonly #savers = new Map<string, string>();

  constructor(parts: WorldParts) {
    this.#parts = parts;
    this.files = new Files(parts.request);
    this.clock = new Clock((scheduled) => {
      for (const one of scheduled) this.due.scheduled.set(one.path, one);
      parts.onTime();
    });
    this.warm = new WarmConfig(
      (seen) => {
        this.files.looked(seen);
        this.#parts.onMore();
      },
      () => !this.#stale,
    );
    this.due.all = true;
  }

  get remotes(): readonly Remote[] {
    return this.#model.remotes;
  }

  /** Takes what is due for a run: its targets, or undefined for all that the request is about. Nothing when no run is due; what schedules run comes first, or `last`. */
  take(last: boolean): { readonly due: Due; readonly targets: readonly string[] | undefined } | undefined {
    const scheduled = last ? undefined : this.due.takeScheduled();
    if (scheduled !== undefined) return { due: scheduled, targets: [...scheduled.scheduled.keys()] };
    const due = this.due;
    this.due = new Due();
    for (const [path, one] of due.scheduled) this.due.scheduled.set(path, one);
    due.scheduled.clear();
    const targets = due.all ? undefined : this.#model.affected([...due.trees], [...due.remotes]);
    // What only scheduled components take runs nothing before their time.
    return targets?.length === 0 ? undefined : { due, targets };
  }

  /** Sees a run; `part`: of some components only. */
  observer(part: boolean): RunObserver {
    if (!part) [this.#model, this.#listed] = [new Model(), new Set()];
    const model = this.#model;
    return {
      job: (facts) => {
        // From here on the config is as it was read.
        model.note(facts, this.#parts.request.cwd, part);
        for (const [key, wanted] of model.dirs) this.trees.add(key, wanted);
        for (const remote of model.remotes) if (remote.kind === "image") this.#known.set(remote.name, remote.digest);
        this.#resolved = facts.resolved;
        this.#sources = new Set(Object.keys(facts.config.versions));
        if (!part) this.clock.set(schedulesOf(facts.job.waiting));
        this.#parts.onMore();
      },
      listed: (listing) => {
        if (isOwnListing(listing)) return;
        this.#listed.add(listingKey(listing));
        this.trees.taken(listing);
      },
      saved: (saved) => {
        for (const { path, dest } of saved) this.#savers.set(dest, componentOf(path));
        this.trees.wrote(saved.map(({ dest }) => dest));
      },
    };
  }

  /** The config is about to be read. */
  get load(): WarmConfig["load"] {
    return async (request) => {
      this.#sources = undefined;
      const config = await this.warm.load(request).finally(() => {
        // What changed while it was read is found when it is looked at the next time.
        this.#stale = false;
      });
      return config;
    };
  }

  /** A run has ended; with a result when it was done. */
  async ended(result: UpResult | undefined): Promise<void> {
    for (const [name, digest] of this.#resolved) if (digest !== "") this.#known.set(name, digest);
    for (const { digest, path } of result?.images ?? []) this.#pushed.set(digest, componentOf(path));
    if (result !== undefined) this.trees.keep(new Set([...this.#model.dirs.keys(), ...this.#listed]));
    await this.trees.settle();
  }

  /** Looks for changes on the disk, and puts them among what is due. True when something came. */
  async look(): Promise<boolean> {
    const config = this.files.configChanges();
    const others = this.files.changes();
    if (config.length + others.length > 0) {
      this.#stale = true;
      this.due.all = true;
      this.due.name([...config, ...others]);
    }
    const trees = this.#withoutLoops(await this.trees.changes(), config.length + others.length > 0);
    for (const { key, paths } of trees) {
      this.due.trees.add(key);
      this.due.name(paths);
    }
    return config.length + others.length + trees.length > 0;
  }

  #withoutLoops(trees: readonly TreeChange[], more: boolean): TreeChange[] {
    const changed = [...new Set(trees.flatMap(({ paths }) => paths))];
    if (changed.length === 0) return [];
    const { paths, found } = this.#loops.sift(changed, (path) => (more ? undefined : this.#saverOf(path)));
    for (const loop of found) this.#parts.onLoop(loop);
    const left = new Set(paths);
    return trees.map(({ key, paths }) => ({ key, paths: paths.filter((path) => left.has(path)) })).filter(({ paths }) => paths.length > 0);
  }

  #saverOf(path: string): string | undefined {
    if (!this.trees.isWritten(path)) return undefined;
    for (const [dest, component] of this.#savers) if (path === dest || path.startsWith(`${dest}/`)) return component;
    return undefined;
  }

  /** A source of the workspace has a new version. True when the config takes it, and that is no loop. */
  news({ source, id }: News): boolean {
    if (this.#sources?.has(source.name) === false) return false;
    const name = `source ${source.name}`;
    const { paths, found } = this.#loops.sift([name], () => this.#giverOf(source, id));
    for (const loop of found) this.#parts.onLoop(loop);
    if (paths.length === 0) return false;
    this.#stale = true;
    this.due.all = true;
    this.due.name([name]);
    return true;
  }

  /** The component that puts something where a source is. */
  #giverOf(source: Source, id: string): string | undefined {
    const root = rootOf(this.#parts.request) ?? "";
    const saver = [...this.#savers].find(([dest]) => meetsDirectory(source, dest, root))?.[1];
    return saver ?? this.#pushed.get(id);
  }

  /** What names stand for now. True when something came. */
  renamed(now: ReadonlyMap<string, string>): boolean {
    let came = false;
    for (const [name, digest] of now) {
      const before = this.#known.get(name);
      this.#known.set(name, digest);
      // An image that a run pushed itself is no news for it.
      if (before === undefined || before === digest || this.#pushed.has(digest)) continue;
      this.due.remotes.add(name);
      this.due.name([name]);
      came = true;
    }
    return came;
  }
}

/** Of the path of an op. */
function componentOf(path: string): string {
  return path.replace(/[.]?#up\b.*$/, "");
}
