// Cache that a build takes from elsewhere and leaves elsewhere: attributes for the daemon, and the stores of `type=local` on this machine.
import fs from "node:fs/promises";
import { UserError } from "../../compiler/diagnostic.ts";
import { type Descriptor, OciStore } from "../session/index.ts";

/** One cache: `type` (`registry`, `local`, `inline`, `gha`, `s3`, `azblob`) and its attributes as buildctl and buildx name them. */
export interface CacheEntry {
  readonly type: string;
  readonly attrs: Readonly<Record<string, string>>;
}

export interface CacheOptions {
  readonly imports?: readonly CacheEntry[];
  readonly exports?: readonly CacheEntry[];
}

/** What the request says, and the stores that the session has to serve for it. */
export interface PreparedCache {
  readonly imports: readonly CacheEntry[];
  readonly exports: readonly CacheEntry[];
  /** By the id that the daemon asks for: `local:DIR`. */
  readonly stores: ReadonlyMap<string, OciStore>;
  /** To be called with what the exporters answered: enters exported cache into its index.json, and clears what `reset=true` asks for. */
  finish(response: Readonly<Record<string, string>>): Promise<void>;
}

/**
 * Reads what has to be known of local caches. A local cache to import that does not exist (yet) is left out, as every BuildKit client does:
 * `onMissing` hears of it. Throws UserError (exit 2) `bad-cache`.
 */
export async function prepareCache(
  options: CacheOptions,
  onMissing: (dir: string, why: string) => void = () => {},
): Promise<PreparedCache> {
  const stores = new Map<string, OciStore>();
  const exports = options.exports ?? [];
  const locals = exports
    .filter((entry) => entry.type === "local")
    .map((entry) => ({ entry, store: new OciStore({ dest: need(entry, "dest") }) }));
  for (const { store } of locals) stores.set(`local:${store.dir}`, store);
  for (const entry of exports) if (entry.type === "registry") need(entry, "ref");
  const imports: CacheEntry[] = [];
  for (const entry of options.imports ?? []) {
    if (entry.type === "registry") need(entry, "ref");
    const found = entry.type === "local" ? await findLocal(entry, stores, onMissing) : entry;
    if (found !== undefined) imports.push(found);
  }
  const finish = async (response: Readonly<Record<string, string>>): Promise<void> => {
    const manifest = response["cache.manifest"];
    if (manifest === undefined) return;
    const descriptor = JSON.parse(manifest) as Descriptor;
    for (const { entry, store } of locals) {
      await store.put(descriptor, [{ tag: entry.attrs["tag"] ?? "latest" }]);
      if (isTrue(entry.attrs["reset"])) await store.removeUnused();
    }
  };
  return { imports, exports, stores, finish };
}

/** The entry with the digest that its tag has now. */
async function findLocal(
  entry: CacheEntry,
  stores: Map<string, OciStore>,
  onMissing: (dir: string, why: string) => void,
): Promise<CacheEntry | undefined> {
  const dir = need(entry, "src");
  const id = `local:${dir}`;
  const store = stores.get(id) ?? new OciStore({ dest: dir });
  if ((await fs.stat(dir).catch(() => undefined)) === undefined) {
    onMissing(dir, "there is no such directory");
    return undefined;
  }
  const tag = entry.attrs["tag"] ?? "latest";
  const digest = entry.attrs["digest"] ?? (await store.find(tag))?.digest;
  if (digest === undefined || !(await store.has(digest))) {
    onMissing(dir, digest === undefined ? `it has no cache with the tag ${tag}` : `it has no blob ${digest}`);
    return undefined;
  }
  stores.set(id, store);
  return { type: entry.type, attrs: { ...entry.attrs, digest } };
}

function need(entry: CacheEntry, name: string): string {
  const value = entry.attrs[name];
  if (value !== undefined && value !== "") return value;
  throw new UserError(2, [
    {
      code: "bad-cache",
      message: `A cache of type ${entry.type} needs the attribute ${name}`,
      at: [],
      hint: `Write for example: type=${entry.type},${name}=${name === "ref" ? "registry.example.com/app:cache" : "/path/to/cache"}`,
    },
  ]);
}

function isTrue(text: string | undefined): boolean {
  return text === "1" || text?.toLowerCase() === "true" || text === "t" || text === "T";
}
