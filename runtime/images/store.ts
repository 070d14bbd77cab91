// The image store: one OCI layout under the user's data directory, shared by all dagger processes of that user.
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { inputError, UserError } from "../../compiler/diagnostic.ts";
import { dataDir, type Environment } from "../directories.ts";
import { withLock } from "../lock.ts";
import { blobPath, storeError, withStaging, writeAtomic } from "./blobs.ts";
import { directoryContent, documentObject, smallFile, statOf } from "./content.ts";
import { imageOf, type LayoutImage, platformManifests } from "./layout.ts";
import { type Descriptor, isIndex, media, parseObject, readIndex, readManifest, refName } from "./oci.ts";
import type { Platform } from "./platform.ts";
import { type ImportOptions, type StagedImage, stageImage } from "./source.ts";

/** An image in the store. */
export interface StoredImage {
  readonly ref: string;
  /** Digest of what was imported: a manifest, or an index of several. */
  readonly digest: string;
  readonly platforms: readonly Platform[];
  /** Bytes of all its blobs; other images may share them. */
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly imported: number;
}

/** References are taken as they are: normalise them first (`docker.io/library/debian:bookworm`). All throw UserError. */
export interface ImageStore {
  readonly dir: string;
  /** Adds an image, in place of one with the same reference. `skipped` are paths that no image can hold (sockets). */
  import(ref: string, source: string, options?: ImportOptions): Promise<StoredImage & { readonly skipped: readonly string[] }>;
  /** All images, by reference. */
  list(): Promise<readonly StoredImage[]>;
  /** Removes an image, and the blobs that no other image needs. */
  remove(ref: string): Promise<void>;
  /** The image for a platform; undefined when the store has no such reference, an error when it has it for other platforms only. */
  resolve(ref: string, platform: Platform): Promise<LayoutImage | undefined>;
}

// When an image was imported; other tools leave annotations alone that they do not know.
const importedAt = "dev.cuellb.imported";
const dayMs = 86_400_000;

/** The store's directory for this user: $DAGGER_DATA_DIR/images, else below $XDG_DATA_HOME or ~/.local/share. */
export function imagesDir(env: Environment): string {
  return join(dataDir(env), "images");
}

/** Opens the store in a directory. Nothing is made on disk before the first import. */
export function openImageStore(dir: string): ImageStore {
  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw storeError(dir, error);
    }
  };
  return {
    dir,
    import: (ref, source, options = {}) => guarded(() => importImage(dir, ref, source, options)),
    list: () => guarded(() => listImages(dir)),
    remove: (ref) => guarded(() => removeImage(dir, ref)),
    resolve: (ref, platform) => guarded(() => resolveImage(dir, ref, platform)),
  };
}

async function importImage(
  dir: string,
  ref: string,
  source: string,
  options: ImportOptions,
): Promise<StoredImage & { readonly skipped: readonly string[] }> {
  if (!/^[^\s\0]+$/.test(ref))
    throw inputError({ code: "image-reference", message: `${JSON.stringify(ref)} is not an image reference`, at: [] });
  return withStaging(dir, async (staging) => {
    // The long part needs no lock: what is staged is nobody's yet.
    const image = await stageImage(ref, source, staging, options);
    const entry = await withLock(join(dir, "lock"), () => commit(dir, ref, image), options.signal);
    return { ...(await describeImage(dir, entry)), skipped: image.skipped };
  });
}

// Blobs first, then the index that names them: a crash in between leaves garbage, never a name without an image.
async function commit(dir: string, ref: string, image: StagedImage): Promise<Descriptor> {
  await mkdir(join(dir, "blobs/sha256"), { recursive: true, mode: 0o700 });
  // An image may have the same layer twice.
  const files = new Map(image.blobs.map(({ file, digest }) => [digest, file]));
  for (const [digest, file] of files) await rename(file, blobPath(dir, digest));
  await writeAtomic(join(dir, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}\n');
  const entries = await readEntries(dir);
  const annotations = { [refName]: ref, [importedAt]: new Date().toISOString() };
  const entry: Descriptor = { ...image.root, annotations };
  await writeEntries(dir, [...entries.filter((other) => nameOf(other) !== ref), entry]);
  await collectGarbage(dir);
  return entry;
}

async function listImages(dir: string): Promise<readonly StoredImage[]> {
  const images: StoredImage[] = [];
  for (const entry of await readEntries(dir)) images.push(await describeImage(dir, entry));
  return images;
}

async function removeImage(dir: string, ref: string): Promise<void> {
  const missing = (): UserError =>
    inputError({
      code: "image-not-stored",
      message: `There is no image ${ref} in ${dir}`,
      at: [],
      hint: "`dagger image list` shows what there is",
    });
  if (statOf(dir) === undefined) throw missing();
  await withLock(join(dir, "lock"), async () => {
    const entries = await readEntries(dir);
    const kept = entries.filter((entry) => nameOf(entry) !== ref);
    if (kept.length === entries.length) throw missing();
    await writeEntries(dir, kept);
    await collectGarbage(dir);
  });
}

async function resolveImage(dir: string, ref: string, platform: Platform): Promise<LayoutImage | undefined> {
  const entry = (await readEntries(dir)).find((candidate) => nameOf(candidate) === ref);
  return entry === undefined ? undefined : imageOf(directoryContent(dir), dir, entry, platform, ref);
}

async function describeImage(dir: string, entry: Descriptor): Promise<StoredImage> {
  const sizes = new Map<string, number>();
  await visitBlobs(dir, entry, sizes);
  const platforms = await platformManifests(directoryContent(dir), entry);
  return {
    ref: nameOf(entry),
    digest: entry.digest,
    platforms: platforms.map((manifest) => manifest.platform),
    size: [...sizes.values()].reduce((sum, size) => sum + size, 0),
    imported: Date.parse(entry.annotations?.[importedAt] ?? "") || 0,
  };
}

/** Removes blobs that no image needs, and what imports left behind that died. Call it under the lock. */
async function collectGarbage(dir: string): Promise<void> {
  const needed = new Map<string, number>();
  for (const entry of await readEntries(dir)) await visitBlobs(dir, entry, needed);
  for (const name of await readdir(join(dir, "blobs/sha256"))) {
    if (!needed.has(`sha256:${name}`)) await rm(join(dir, "blobs/sha256", name), { force: true });
  }
  for (const name of await readdir(join(dir, "ingest")).catch((): string[] => [])) {
    // The name starts with the time; an import that takes a day is dead.
    const started = Number.parseInt(name, 10);
    if (!(Date.now() - started < dayMs)) await rm(join(dir, "ingest", name), { recursive: true, force: true });
  }
}

/** Adds the digests and sizes of all blobs below a descriptor that are there. */
async function visitBlobs(dir: string, descriptor: Descriptor, found: Map<string, number>): Promise<void> {
  if (found.has(descriptor.digest)) return;
  const content = directoryContent(dir);
  found.set(descriptor.digest, descriptor.size);
  const document = await documentObject(content, descriptor);
  const what = `${descriptor.digest} in ${dir}`;
  if (isIndex(document)) {
    for (const child of readIndex(document, what).manifests) if (await content.has(child.digest)) await visitBlobs(dir, child, found);
    return;
  }
  const { config, layers } = readManifest(document, what);
  for (const part of [config, ...layers]) found.set(part.digest, part.size);
}

async function readEntries(dir: string): Promise<readonly Descriptor[]> {
  const file = join(dir, "index.json");
  if (statOf(file) === undefined) return [];
  try {
    return readIndex(parseObject(await smallFile(file, file), file), file).manifests.filter((entry) => nameOf(entry) !== "");
  } catch (cause) {
    if (!(cause instanceof UserError)) throw cause;
    const message = `The image store is broken. ${cause.message}`;
    const hint = `Remove ${dir} and import the images again`;
    throw new UserError(3, [{ code: "image-store-broken", message, at: [], hint }], { cause });
  }
}

async function writeEntries(dir: string, entries: readonly Descriptor[]): Promise<void> {
  const manifests = [...entries].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  await writeAtomic(join(dir, "index.json"), `${JSON.stringify({ schemaVersion: 2, mediaType: media.index, manifests }, undefined, 2)}\n`);
}

function nameOf(entry: Descriptor): string {
  return entry.annotations?.[refName] ?? "";
}
