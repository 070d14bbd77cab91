// What the system tells of changes: whole trees by @parcel/watcher, single directories by Node. Says only that something happened, and how often.
import { type FSWatcher, realpathSync, statSync, watch as watchDir } from "node:fs";
import { join, relative } from "node:path";
import { UserError } from "../../compiler/index.ts";
import { Matcher } from "../../runtime/session/index.ts";
import { isInternal, type Wanted } from "./trees.ts";

type Library = typeof import("@parcel/watcher");

/** Milliseconds between looks at whether what is watched is still what is there. */
const look = 500;

export interface NativeParts {
  /** So many changes may matter. */
  readonly onChange: (count: number) => void;
  /** Once: nothing is told any more. */
  readonly onFail: (error: UserError) => void;
}

interface Watched {
  /** Tells directories apart that had the same name one after the other; "" for one that is not there. */
  readonly identity: string;
  end(): Promise<void>;
}

export class NativeWatcher {
  readonly #parts: NativeParts;
  readonly #watched = new Map<string, Watched>();
  /** By what `#watched` goes by. */
  #wanted = new Map<string, () => Promise<Watched>>();
  #timer: NodeJS.Timeout | undefined;
  #work: Promise<void> = Promise.resolve();
  #ended = false;

  constructor(parts: NativeParts) {
    this.#parts = parts;
  }

  /** Watches these and no others; nothing once it was closed. Resolves when it does. */
  set(trees: readonly Wanted[], dirs: ReadonlySet<string>): Promise<void> {
    // Whoever was about to say what to watch need not know that it is over.
    if (this.#ended) return this.#work;
    const wanted = new Map<string, () => Promise<Watched>>();
    for (const tree of trees) wanted.set(`tree ${tree.dir} ${JSON.stringify(tree.exclude)}`, () => this.#tree(tree));
    for (const dir of dirs) wanted.set(`dir ${dir}`, () => this.#dir(dir));
    this.#wanted = wanted;
    this.#timer ??= setInterval(() => void this.#sync(), look);
    return this.#sync();
  }

  async close(): Promise<void> {
    this.#ended = true;
    clearInterval(this.#timer);
    this.#wanted = new Map();
    await this.#sync();
  }

  /** One after the other: what is begun is not begun again. */
  #sync(): Promise<void> {
    this.#work = this.#work.then(() => this.#syncNow()).catch((error: unknown) => this.#fail(error));
    return this.#work;
  }

  async #syncNow(): Promise<void> {
    for (const [key, watched] of this.#watched) {
      const isSame = identityOf(pathOf(key)) === watched.identity;
      if (this.#wanted.has(key) && isSame) continue;
      this.#watched.delete(key);
      await watched.end();
      if (!isSame) this.#parts.onChange(1);
    }
    for (const [key, begin] of this.#wanted) if (!this.#watched.has(key)) this.#watched.set(key, await begin());
  }

  async #tree(tree: Wanted): Promise<Watched> {
    const identity = identityOf(tree.dir);
    if (identity === "") return { identity, end: async () => undefined };
    const root = realpathSync(tree.dir);
    const exclude = new Matcher(tree.exclude);
    const library = await loadLibrary();
    const subscription = await library.subscribe(
      root,
      (error, events) => {
        if (this.#ended) return;
        // What it lost is found on the disk.
        const count = error === null ? events.filter(({ path }) => matters(relative(root, path), exclude)).length : 1;
        if (count > 0) this.#parts.onChange(count);
      },
      { ignore: ignored(root, tree.exclude), ...backend },
    );
    return { identity, end: () => subscription.unsubscribe() };
  }

  async #dir(dir: string): Promise<Watched> {
    const identity = identityOf(dir);
    if (identity === "") return { identity, end: async () => undefined };
    const watcher: FSWatcher = watchDir(dir, (_, name) => {
      if (!this.#ended && (name === null || !isInternal(name))) this.#parts.onChange(1);
    });
    // Its directory is gone, which the next look finds.
    watcher.on("error", () => undefined);
    return { identity, end: async () => watcher.close() };
  }

  #fail(error: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    clearInterval(this.#timer);
    this.#parts.onFail(watchFailed(error));
  }
}

/** Where the library could choose, it would ask for watchman first, with a shell each time that it leaves behind as a zombie with an open pipe. */
const backend: { readonly backend?: "inotify" } = process.platform === "linux" ? { backend: "inotify" } : {};

function matters(path: string, exclude: Matcher): boolean {
  return !isInternal(path) && !exclude.matchWithParents(path);
}

/** Whole directories that no pattern takes back, so that the system does not have to look at them. */
function ignored(root: string, exclude: readonly string[]): string[] {
  const state = join(root, ".dagger", "state");
  if (exclude.some((pattern) => pattern.trim().startsWith("!"))) return [state];
  return [
    state,
    ...exclude
      .map((pattern) => pattern.trim().replace(/^\/+|\/+$/g, ""))
      .flatMap((name) => (/^[\w@][\w@./-]*$/.test(name) ? [join(root, name)] : [])),
  ];
}

function pathOf(key: string): string {
  return key.startsWith("tree ") ? key.slice("tree ".length, key.lastIndexOf(" [")) : key.slice("dir ".length);
}

function identityOf(dir: string): string {
  try {
    const { dev, ino } = statSync(dir);
    return `${dev} ${ino}`;
  } catch {
    return "";
  }
}

async function loadLibrary(): Promise<Library> {
  const loaded = await import("@parcel/watcher");
  // Of CommonJS, which it is, Node and the bundle have different views.
  return "subscribe" in loaded ? loaded : (loaded as { readonly default: Library }).default;
}

function watchFailed(cause: unknown): UserError {
  const text = cause instanceof Error ? cause.message : String(cause);
  const isLimit = /no space left|ENOSPC|too many open|EMFILE/i.test(text);
  return new UserError(
    3,
    [
      {
        code: isLimit ? "watch-limit" : "watch-failed",
        message: isLimit ? "The system lets nobody watch more directories" : `Cannot watch the files of the config: ${text}`,
        at: [],
        hint: isLimit
          ? "Raise it: sysctl fs.inotify.max_user_watches=524288 fs.inotify.max_user_instances=1024; or exclude what is large from `local`"
          : "Check that the directories can be read; run again with --debug to see more",
      },
    ],
    { cause },
  );
}
