// An OCI layout directory that the daemon may write to: blobs are checked while they come and appear only when they are complete.
import { createHash, type Hash, randomBytes } from "node:crypto";
import fs from "node:fs/promises";
import path from "node:path";
import { UserError } from "../../compiler/diagnostic.ts";
import { Code, RpcError } from "../grpc/status.ts";
import { stagingPrefix, sweepLeftovers } from "./leftovers.ts";
import { type Destination, saveError } from "./save-error.ts";

/** One descriptor of index.json, as the daemon gave it. */
export interface Descriptor {
  readonly mediaType?: string;
  readonly digest: string;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A name in index.json: a bare tag, or a whole image reference (kept as containerd keeps it). */
export type IndexName = { readonly tag: string } | { readonly image: string };

const refNameKey = "org.opencontainers.image.ref.name";
const imageNameKey = "io.containerd.image.name";

export class OciStore {
  readonly target: Destination;
  readonly #writers = new Map<string, BlobWriter>();
  #ready: Promise<void> | undefined;

  /** `dest` is the layout directory (absolute); it is made when the first blob comes. */
  constructor(target: Destination) {
    this.target = target;
  }

  get dir(): string {
    return this.target.dest;
  }

  /** Opens the one writer of `ref`. Throws RpcError: alreadyExists when the expected blob is there, unavailable while `ref` is being written. */
  async writer(ref: string, expected: string): Promise<BlobWriter> {
    if (expected !== "" && (await this.has(expected))) throw new RpcError(Code.alreadyExists, `blob ${expected} exists`);
    if (this.#writers.has(ref)) throw new RpcError(Code.unavailable, `${ref} is being written already`);
    const writer = new BlobWriter(this, ref, () => this.#writers.delete(ref));
    this.#writers.set(ref, writer);
    try {
      this.#ready ??= this.#prepare();
      await this.#ready;
      await writer.open();
      return writer;
    } catch (error) {
      await writer.close();
      throw error;
    }
  }

  /** Writers that are open. */
  active(): readonly BlobWriter[] {
    return [...this.#writers.values()];
  }

  async has(digest: string): Promise<boolean> {
    return fs.stat(blobFile(this.dir, digest)).then(
      (stat) => stat.isFile(),
      () => false,
    );
  }

  get ingestDir(): string {
    return path.join(this.dir, "ingest");
  }

  async #prepare(): Promise<void> {
    await fs.mkdir(path.join(this.dir, "blobs", "sha256"), { recursive: true });
    await fs.mkdir(this.ingestDir, { recursive: true });
    await sweepLeftovers(this.ingestDir);
  }

  /** The descriptor of a tag or image name in index.json; undefined when there is none. */
  async find(name: string): Promise<Descriptor | undefined> {
    const { manifests } = await this.#readIndex();
    return manifests.find((m) => m.annotations?.[imageNameKey] === name) ?? manifests.find((m) => m.annotations?.[refNameKey] === name);
  }

  /** Enters a descriptor under names, in place of those that had them. Throws UserError (exit 3). */
  async put(descriptor: Descriptor, names: readonly IndexName[]): Promise<void> {
    try {
      const index = await this.#readIndex();
      let manifests = index.manifests;
      for (const name of names) {
        const added = named(descriptor, name);
        const same = (m: Descriptor): boolean =>
          [refNameKey, imageNameKey].every((key) => m.annotations?.[key] === added.annotations?.[key]);
        manifests = [...manifests.filter((m) => !same(m)), added];
      }
      const mediaType = "application/vnd.oci.image.index.v1+json";
      await fs.mkdir(this.dir, { recursive: true });
      await this.#replace("oci-layout", '{"imageLayoutVersion":"1.0.0"}');
      await this.#replace("index.json", JSON.stringify({ ...index, schemaVersion: 2, mediaType, manifests }));
    } catch (error) {
      throw saveError(error, this.target);
    }
  }

  /** Removes the blobs that nothing in index.json leads to; gives their number. */
  async removeUnused(): Promise<number> {
    const used = new Set<string>();
    const queue = (await this.#readIndex()).manifests.map((m) => m.digest);
    for (let digest = queue.pop(); digest !== undefined; digest = queue.pop()) {
      if (used.has(digest)) continue;
      used.add(digest);
      queue.push(...(await this.#children(digest)));
    }
    const dir = path.join(this.dir, "blobs", "sha256");
    const unused = (await fs.readdir(dir)).filter((name) => !used.has(`sha256:${name}`));
    for (const name of unused) await fs.rm(path.join(dir, name), { force: true });
    return unused.length;
  }

  /** What a manifest or an index refers to; nothing for any other blob. */
  async #children(digest: string): Promise<string[]> {
    const file = blobFile(this.dir, digest);
    const stat = await fs.stat(file).catch(() => undefined);
    if (stat === undefined || stat.size > 4 << 20) return []; // no document is that large
    const text = await fs.readFile(file, "utf8");
    if (!text.startsWith("{")) return [];
    try {
      const { config, layers, manifests } = JSON.parse(text) as { config?: unknown; layers?: unknown; manifests?: unknown };
      return [config, layers, manifests].flat().flatMap((child) => {
        const found: unknown = typeof child === "object" && child !== null && "digest" in child ? child.digest : undefined;
        return typeof found === "string" ? [found] : [];
      });
    } catch {
      return [];
    }
  }

  async #readIndex(): Promise<{ readonly manifests: readonly Descriptor[] }> {
    const text = await fs.readFile(path.join(this.dir, "index.json"), "utf8").catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return "{}";
      throw error;
    });
    try {
      const index = JSON.parse(text) as { manifests?: readonly Descriptor[] };
      return { ...index, manifests: index.manifests ?? [] };
    } catch (cause) {
      const message = `Cannot use the OCI layout ${this.dir}: its index.json is not valid JSON`;
      throw new UserError(2, [{ code: "bad-layout", message, at: [], hint: "Remove the directory: it is made again" }], { cause });
    }
  }

  async #replace(name: string, text: string): Promise<void> {
    const temporary = path.join(this.dir, `${stagingPrefix()}${randomBytes(6).toString("hex")}`);
    await fs.writeFile(temporary, text);
    await fs.rename(temporary, path.join(this.dir, name));
  }
}

/** Path of a blob. Throws RpcError for what is no digest. */
export function blobFile(layout: string, digest: string): string {
  const match = /^(sha256|sha384|sha512):([0-9a-f]{64,128})$/.exec(digest);
  if (match === null) throw new RpcError(Code.invalidArgument, `${JSON.stringify(digest)} is not a digest`);
  return path.join(layout, "blobs", match[1] as string, match[2] as string);
}

function named(descriptor: Descriptor, name: IndexName): Descriptor {
  const annotations: Record<string, string> = { ...descriptor.annotations };
  if ("tag" in name) annotations[refNameKey] = name.tag;
  else {
    annotations[imageNameKey] = name.image;
    annotations[refNameKey] = /^[^@]*\/[^:@]*:([^@]+)|^[^/:@]+:([^@]+)/.exec(name.image)?.slice(1).find(Boolean) ?? name.image;
  }
  return { ...descriptor, annotations };
}

/** One blob on its way in. */
export class BlobWriter {
  readonly ref: string;
  readonly started: number = Date.now();
  updated: number = this.started;
  offset = 0;
  readonly #store: OciStore;
  readonly #onClose: () => void;
  #hash: Hash = createHash("sha256");
  #file: fs.FileHandle | undefined;
  #path = "";

  constructor(store: OciStore, ref: string, onClose: () => void) {
    this.#store = store;
    this.ref = ref;
    this.#onClose = onClose;
  }

  async open(): Promise<void> {
    this.#path = path.join(this.#store.ingestDir, `${stagingPrefix()}${randomBytes(6).toString("hex")}`);
    this.#file = await fs.open(this.#path, "wx");
  }

  /** `sha256:…` of what has come so far. */
  get digest(): string {
    return `sha256:${this.#hash.copy().digest("hex")}`;
  }

  async write(data: Uint8Array): Promise<void> {
    for (let at = 0; at < data.length; ) at += (await this.#opened.write(data, at)).bytesWritten;
    this.#hash.update(data);
    this.offset += data.length;
    this.updated = Date.now();
  }

  /** Starts again. */
  async truncate(): Promise<void> {
    await this.close(false);
    await this.open();
    this.#hash = createHash("sha256");
    this.offset = 0;
  }

  /** Checks size (0: unknown) and digest ("": whatever it is), and makes the blob visible. Throws RpcError failedPrecondition. */
  async commit(size: number, expected: string): Promise<void> {
    const { digest } = this;
    if (size > 0 && size !== this.offset)
      throw new RpcError(Code.failedPrecondition, `${this.ref} has ${this.offset} bytes, expected ${size}`);
    if (expected !== "" && expected !== digest)
      throw new RpcError(Code.failedPrecondition, `${this.ref} is ${digest}, expected ${expected}`);
    await this.#opened.close();
    this.#file = undefined;
    await fs.rename(this.#path, blobFile(this.#store.dir, digest));
    await this.close();
  }

  /** Removes what was not committed. */
  async close(forget = true): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    if (file !== undefined) {
      await file.close().catch(() => undefined);
      await fs.rm(this.#path, { force: true }).catch(() => undefined);
    }
    if (forget) this.#onClose();
  }

  get #opened(): fs.FileHandle {
    if (this.#file === undefined) throw new RpcError(Code.failedPrecondition, `${this.ref} is closed`);
    return this.#file;
  }
}
