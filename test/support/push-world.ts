// A repository on a git server that takes pushes, and a workspace whose store remembers what nodes gave to it: for tests of pushing.
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { baseOf, type Committed, commitGiven } from "../../engine/pushing/commit.ts";
import type { Settled } from "../../engine/pushing/waiting.ts";
import { pushWaiting } from "../../engine/pushing/waiting.ts";
import type { Source } from "../../engine/sources/source.ts";
import { type PlaceScope, versionKey, versionOf } from "../../engine/sources/versions.ts";
import type { Store } from "../../engine/store/index.ts";
import { at } from "../../engine/workspace/find.ts";
import { type GitServer, startGitServer } from "./git-server.ts";
import { openTestStore } from "./run-store.ts";

type Files = Readonly<Record<string, string>>;

/** A computation that has begun: its results come with `end`. */
export interface Begun {
  end(files: Files, policy?: Source["onConflict"]): Promise<Committed>;
}

export class PushWorld {
  readonly server: GitServer;
  readonly store: Store;
  readonly scope: PlaceScope;
  readonly #dir: string;
  readonly #others: PushWorld[] = [];

  constructor(server: GitServer, store: Store, dir: string) {
    this.server = server;
    this.store = store;
    this.#dir = dir;
    const env = { PATH: process.env["PATH"] ?? "", HOME: dir, XDG_CACHE_HOME: join(dir, "cache"), GIT_CONFIG_NOSYSTEM: "1" };
    this.scope = { env, cwd: dir, workspace: at(dir), signal: new AbortController().signal };
  }

  static async start(): Promise<PushWorld> {
    const dir = await mkdtemp(join(tmpdir(), "dagger-push-"));
    await mkdir(join(dir, ".dagger"));
    return new PushWorld(await startGitServer(), await openTestStore({ file: join(dir, "store.db") }), dir);
  }

  /** Another machine, with a workspace, cache and store of its own, and the same server. */
  async beside(): Promise<PushWorld> {
    const dir = await mkdtemp(join(tmpdir(), "dagger-push-"));
    await mkdir(join(dir, ".dagger"));
    const other = new PushWorld(this.server, await openTestStore({ file: join(dir, "store.db") }), dir);
    this.#others.push(other);
    return other;
  }

  async stop(): Promise<void> {
    for (const other of this.#others) await other.#leave();
    await this.#leave();
    await this.server.stop();
  }

  async #leave(): Promise<void> {
    await this.store.close();
    await rm(this.#dir, { recursive: true, force: true });
  }

  /** A source whose repository has these files and takes pushes. */
  async source(files: Files, more: Partial<Source> = {}): Promise<Source> {
    const name = `site-${randomBytes(4).toString("hex")}`;
    await this.server.commit(name, files);
    await this.server.git(name, "config", "http.receivepack", "true");
    return { name, kind: "git", location: `${this.server.url}/${name}`, tag: "main", ...more };
  }

  async begin(source: Source, node: string): Promise<Begun> {
    const { scope, store } = this;
    const base = await baseOf(source, scope, store);
    return {
      end: async (files, policy) => {
        const dir = await mkdtemp(join(this.#dir, "given-"));
        for (const [path, text] of Object.entries(files)) {
          await mkdir(dirname(join(dir, path)), { recursive: true });
          await writeFile(join(dir, path), text);
        }
        const id = node.padEnd(64, "0");
        const key = { kind: "computation", name: id, id: randomBytes(32).toString("hex") } as const;
        const origin = { node: id, computation: key.id, inputs: ["app:sha1:1234"], ...(policy === undefined ? {} : { policy }) };
        const made = await commitGiven(source, base, dir, origin, { scope, store, beside: [] });
        const child = versionKey(source.name, made.seen.id);
        const data = [{ ...key, state: "success", detail: {} }, versionOf(source, made.seen, made.isCurrent), ...made.data];
        await store.lineages.record(data, [{ child, parent: key, kind: "output" }]);
        return made;
      },
    };
  }

  /** A whole computation. */
  async give(source: Source, files: Files, node = "aa"): Promise<Committed> {
    return (await this.begin(source, node)).end(files);
  }

  push(source: Source): Promise<readonly Settled[]> {
    return pushWaiting(source, this);
  }

  /** The newest version that is known. */
  async latest(source: Source): Promise<string | undefined> {
    return (await this.store.lineages.newest("version", [source.name]))[0]?.id;
  }

  /** What the branch has at a path; "" for nothing. */
  file(source: Source, path: string, branch = "main"): Promise<string> {
    return this.server.git(source.name, "show", `${branch}:${path}`).catch(() => "");
  }

  tip(source: Source, branch = "main"): Promise<string> {
    return this.server.git(source.name, "rev-parse", branch);
  }
}
