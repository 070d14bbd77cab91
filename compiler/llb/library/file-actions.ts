// File actions: chains of copies, new files and removals that one op does on a filesystem.
import type { Chown, FileChain, FileAction as VertexAction } from "../../graph/vertex.ts";
import { resolveDest, resolvePath } from "../paths.ts";
import { Filesystem, type Made, madeOf } from "./filesystem.ts";
import type { Lazy } from "./lazy.ts";
import { toChown, toTimestamp } from "./options.ts";

/** What a copy takes files from: a state, or what actions make of one inside the same op. */
export type CopySource = Filesystem | BoundActions;

export interface MadeOptions {
  /** `user[:group]`, each a name or a number. */
  readonly owner?: string | Chown;
  /** Time of the file; a bigint is nanoseconds since 1970. */
  readonly createdTime?: Date | bigint;
}
export interface MkdirOptions extends MadeOptions {
  readonly makeParents?: boolean;
}
export interface RmOptions {
  readonly allowNotFound?: boolean;
  readonly allowWildcard?: boolean;
}
export interface CopyOptions extends MadeOptions {
  /** Permission bits, or a change as in chmod (`u+x`); undefined keeps the source's. */
  readonly mode?: number | string;
  readonly followSymlinks?: boolean;
  /** Of a directory only what is in it, not the directory itself. */
  readonly dirCopyContents?: boolean;
  /** Unpacks archives, as Dockerfile's ADD does. */
  readonly attemptUnpack?: boolean;
  readonly createDestPath?: boolean;
  readonly allowWildcard?: boolean;
  readonly allowEmptyWildcard?: boolean;
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  /** Paths that must be there. */
  readonly requiredPaths?: readonly string[];
  /** A file takes the place of a directory, and the other way round. */
  readonly alwaysReplaceExistingDestPaths?: boolean;
}

type Step =
  | { readonly kind: "copy"; readonly from: CopySource; readonly src: string; readonly dest: string; readonly options: CopyOptions }
  | { readonly kind: "mkfile"; readonly path: string; readonly mode: number; readonly data: Uint8Array; readonly options: MadeOptions }
  | { readonly kind: "mkdir"; readonly path: string; readonly mode: number; readonly options: MkdirOptions }
  | { readonly kind: "rm"; readonly path: string; readonly options: RmOptions }
  | { readonly kind: "symlink"; readonly oldpath: string; readonly newpath: string; readonly options: MadeOptions };

/** A chain of actions; never changes: every method gives a longer one. Relative paths start at the directory of the state it is used on. */
export class FileActions {
  readonly #previous: FileActions | undefined;
  readonly #step: Step;

  constructor(step: Step, previous?: FileActions) {
    this.#step = step;
    this.#previous = previous;
  }

  /** Copies `src` of `from` to `dest`. A `dest` that ends in `/` or `/.` is a directory to copy into. */
  copy(from: CopySource, src: string, dest: string, options: CopyOptions = {}): FileActions {
    return new FileActions({ kind: "copy", from, src, dest, options }, this);
  }

  mkfile(path: string, data: string | Uint8Array, options: MadeOptions & { readonly mode?: number } = {}): FileActions {
    return new FileActions(mkfileStep(path, data, options), this);
  }

  mkdir(path: string, options: MkdirOptions & { readonly mode?: number } = {}): FileActions {
    return new FileActions({ kind: "mkdir", path, mode: options.mode ?? 0o755, options }, this);
  }

  rm(path: string, options: RmOptions = {}): FileActions {
    return new FileActions({ kind: "rm", path, options }, this);
  }

  /** A symlink at `newpath` that points to `oldpath`. Neither is resolved against the state's directory. */
  symlink(oldpath: string, newpath: string, options: MadeOptions = {}): FileActions {
    return new FileActions({ kind: "symlink", oldpath, newpath, options }, this);
  }

  /** The actions done on `base`, to be copied from inside another chain, without a vertex of their own. */
  on(base: Filesystem): BoundActions {
    return new BoundActions(base, this);
  }

  /** Oldest first. */
  steps(): Step[] {
    const steps: Step[] = [];
    for (let chain: FileActions | undefined = this; chain !== undefined; chain = chain.#previous) steps.push(chain.#step);
    return steps.reverse();
  }
}

/** Actions on a filesystem of their own. */
export class BoundActions {
  readonly base: Filesystem;
  readonly actions: FileActions;

  constructor(base: Filesystem, actions: FileActions) {
    this.base = base;
    this.actions = actions;
  }
}

export function copy(from: CopySource, src: string, dest: string, options: CopyOptions = {}): FileActions {
  return new FileActions({ kind: "copy", from, src, dest, options });
}

/** A file; mode 0644 unless said. */
export function mkfile(path: string, data: string | Uint8Array, options: MadeOptions & { readonly mode?: number } = {}): FileActions {
  return new FileActions(mkfileStep(path, data, options));
}

/** A directory; mode 0755 unless said. */
export function mkdir(path: string, options: MkdirOptions & { readonly mode?: number } = {}): FileActions {
  return new FileActions({ kind: "mkdir", path, mode: options.mode ?? 0o755, options });
}

export function rm(path: string, options: RmOptions = {}): FileActions {
  return new FileActions({ kind: "rm", path, options });
}

/** A symlink at `newpath` that points to `oldpath`. */
export function symlink(oldpath: string, newpath: string, options: MadeOptions = {}): FileActions {
  return new FileActions({ kind: "symlink", oldpath, newpath, options });
}

function mkfileStep(path: string, data: string | Uint8Array, options: MadeOptions & { readonly mode?: number }): Step {
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
  return { kind: "mkfile", path, mode: options.mode ?? 0o644, data: bytes, options };
}

/** The filesystems that a chain takes files from, each once; those of bound actions too. */
export function sourcesOf(actions: FileActions): Filesystem[] {
  const sources = new Set<Filesystem>();
  const visited = new Set<BoundActions>();
  const visit = (chain: FileActions): void => {
    for (const step of chain.steps()) {
      if (step.kind !== "copy") continue;
      if (step.from instanceof Filesystem) {
        sources.add(step.from);
      } else if (!visited.has(step.from)) {
        visited.add(step.from);
        sources.add(step.from.base);
        visit(step.from.actions);
      }
    }
  };
  visit(actions);
  return [...sources];
}

export function lazySources(sources: readonly Filesystem[]): Lazy<Made>[] {
  return sources.map((source) => madeOf(source));
}

/** The actions as a file op has them, with paths resolved against the directories of the filesystems they are in. */
export function toChain(actions: FileActions, base: Made, made: ReadonlyMap<Filesystem, Made>): FileChain {
  const bound = new Map<BoundActions, FileChain>();
  const convert = (chain: FileActions, on: Made): FileChain => ({
    base: on.out,
    actions: chain.steps().map((step) => toAction(step, on.values.dir, (from) => sourceOf(from))),
  });
  const sourceOf = (from: CopySource): CopyFrom => {
    if (from instanceof Filesystem) return { from: made.get(from)!.out, dir: made.get(from)!.values.dir };
    const on = made.get(from.base)!;
    const chain = bound.get(from) ?? convert(from.actions, on);
    bound.set(from, chain);
    return { from: null, chain, dir: on.values.dir };
  };
  return convert(actions, base);
}

interface CopyFrom {
  readonly from: FileChain["base"];
  readonly chain?: FileChain;
  readonly dir: string;
}

function toAction(step: Step, dir: string, sourceOf: (from: CopySource) => CopyFrom): VertexAction {
  switch (step.kind) {
    case "copy":
      return toCopy(step, dir, sourceOf(step.from));
    case "mkfile":
      return { kind: "mkfile", path: resolvePath(dir, step.path), mode: step.mode, data: step.data, ...toMade(step.options) };
    case "mkdir": {
      const { makeParents = false } = step.options;
      return { kind: "mkdir", path: resolvePath(dir, step.path), mode: step.mode, makeParents, ...toMade(step.options) };
    }
    case "rm": {
      const { allowNotFound = false, allowWildcard = false } = step.options;
      return { kind: "rm", path: resolvePath(dir, step.path), allowNotFound, allowWildcard };
    }
    case "symlink":
      return { kind: "symlink", oldpath: step.oldpath, newpath: step.newpath, ...toMade(step.options) };
  }
}

function toCopy(
  { src, dest, options }: Extract<Step, { kind: "copy" }>,
  dir: string,
  { dir: sourceDir, ...source }: CopyFrom,
): VertexAction {
  return {
    kind: "copy",
    ...source,
    src: resolvePath(sourceDir, src),
    dest: resolveDest(dir, dest),
    followSymlinks: options.followSymlinks ?? false,
    dirCopyContents: options.dirCopyContents ?? false,
    attemptUnpack: options.attemptUnpack ?? false,
    createDestPath: options.createDestPath ?? false,
    allowWildcard: options.allowWildcard ?? false,
    allowEmptyWildcard: options.allowEmptyWildcard ?? false,
    include: options.include ?? [],
    exclude: options.exclude ?? [],
    alwaysReplaceExistingDestPaths: options.alwaysReplaceExistingDestPaths ?? false,
    requiredPaths: options.requiredPaths ?? [],
    ...(typeof options.mode === "string" ? { modeStr: options.mode } : options.mode === undefined ? {} : { mode: options.mode }),
    ...toMade(options),
  };
}

function toMade({ owner, createdTime }: MadeOptions): { chown?: Chown; timestamp?: bigint } {
  return { ...toChown(owner), ...toTimestamp(createdTime) };
}
