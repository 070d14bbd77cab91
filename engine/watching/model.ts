// What the components of a job depend on outside of it: directories, names of images, git refs and addresses, and one another.
import { type Job, sourceOf } from "../../compiler/index.ts";
import type { JobFacts } from "../observers.ts";
import { factsOf } from "../provenance/facts.ts";
import { type OpenSource, openSources } from "../provenance/sources.ts";
import { Waits } from "../provenance/waits.ts";
import type { Wanted } from "./trees.ts";

interface Component {
  readonly uses: readonly string[];
  /** Keys of directories. */
  readonly trees: readonly string[];
  /** Identifiers of sources. */
  readonly remotes: readonly string[];
}

/** A name that may come to mean something else. */
export type Remote =
  | { readonly kind: "image"; readonly name: string; readonly digest: string }
  | { readonly kind: "source"; readonly name: string; readonly source: OpenSource };

/** What all passes of a run, and the runs of parts after it, have told. */
export class Model {
  readonly #components = new Map<string, Component>();
  readonly #dirs = new Map<string, Wanted>();
  readonly #remotes = new Map<string, Remote>();
  #wanted: readonly string[] = [];
  #passes = 0;

  /** Directories, by the key of their listing. */
  get dirs(): ReadonlyMap<string, Wanted> {
    return this.#dirs;
  }

  get remotes(): readonly Remote[] {
    return [...this.#remotes.values()];
  }

  /** The job of a pass; `part`: of a run of some components only. */
  note({ config, job, run, images, resolved }: JobFacts, root: string, part: boolean): void {
    if (!part) {
      this.#passes++;
      this.#wanted = job.wanted;
    }
    const { components, directories } = factsOf({ job, run, images, resolved, waits: new Waits(), own: config.own, root });
    for (const key of Object.values(directories)) {
      const [name = "", include = [], exclude = [], follow = []] = JSON.parse(key) as [string, string[], string[], string[]];
      const dir = job.locals.find((local) => local.name === name)?.dir;
      if (dir !== undefined) this.#dirs.set(key, { name, dir, include, exclude, follow });
    }
    const remotes = this.#remotesOf(job, images);
    for (const { path, uses, sources } of components) {
      const trees = Object.keys(sources).flatMap((name) => directories[name] ?? []);
      this.#components.set(path, { uses, trees, remotes: remotes.get(path) ?? [] });
    }
  }

  /**
   * The components that these changes concern, each as a target of a run: those that take them and all that use these. Undefined when that is
   * not known, or is all of the job: then the whole job runs.
   */
  affected(trees: readonly string[], remotes: readonly string[]): readonly string[] | undefined {
    // What is in later passes depends on values of earlier ones.
    if (this.#passes !== 1) return undefined;
    const found = new Set<string>();
    const known = new Set<string>();
    for (const [path, one] of this.#components) {
      const hits = [...one.trees.filter((key) => trees.includes(key)), ...one.remotes.filter((name) => remotes.includes(name))];
      for (const hit of hits) known.add(hit);
      if (hits.length > 0) found.add(path);
    }
    if ([...trees, ...remotes].some((name) => !known.has(name))) return undefined;
    const users = this.#users();
    for (const path of found) for (const user of users.get(path) ?? []) found.add(user);
    const targets = this.#wanted.filter((path) => found.has(path));
    return targets.length === this.#wanted.length || targets.includes("") ? undefined : targets;
  }

  #users(): ReadonlyMap<string, readonly string[]> {
    const users = new Map<string, string[]>();
    for (const [path, { uses }] of this.#components) for (const use of uses) users.set(use, [...(users.get(use) ?? []), path]);
    return users;
  }

  /** By component. What names a digest or commit stands for itself. */
  #remotesOf(job: Job, images: ReadonlyMap<string, string>): ReadonlyMap<string, readonly string[]> {
    const byComponent = new Map<string, string[]>();
    const open = new Map(openSources(job).map((source) => [source.identifier, source]));
    for (const { vertex } of [job.definition, ...job.images.flatMap(({ platforms }) => platforms.map((one) => one.definition))].flatMap(
      ({ nodes }) => nodes,
    )) {
      const source = vertex && sourceOf(vertex);
      if (vertex === undefined || source === undefined) continue;
      const found = remoteOf(source, open, images);
      if (found === undefined) continue;
      this.#remotes.set(found.name, found);
      byComponent.set(vertex.meta.component, [...(byComponent.get(vertex.meta.component) ?? []), found.name]);
    }
    return byComponent;
  }
}

function remoteOf(source: OpenSource, open: ReadonlyMap<string, OpenSource>, images: ReadonlyMap<string, string>): Remote | undefined {
  const { identifier } = source;
  if (open.has(identifier)) return { kind: "source", name: identifier, source };
  // With a digest it is pinned, by the config or the lock.
  const [, ref = ""] = /^docker-image:\/\/([^@]+)$/.exec(identifier) ?? [];
  const digest = images.get(ref);
  return digest === undefined ? undefined : { kind: "image", name: ref, digest };
}
