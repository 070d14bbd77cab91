// Turns what a user imports into staged blobs: a root directory, an OCI layout, or an archive of docker or OCI kind.

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { createGunzip } from "node:zlib";
import { inputError } from "../../compiler/diagnostic.ts";
import { type Archive, compressionOf, readArchive } from "./archive.ts";
import { damaged, type Staged, type Staging } from "./blobs.ts";
import { archiveContent, type Content, directoryContent, documentObject, smallFile } from "./content.ts";
import { namesOf, platformManifests } from "./layout.ts";
import { broken, type Descriptor, isIndex, isObject, type Json, media, parseObject, readConfig, readIndex, readManifest } from "./oci.ts";
import { hostPlatform, normalize, type Platform } from "./platform.ts";
import { type Packed, packDirectory } from "./tar.ts";

/** How to import. All but `name` and `signal` describe an image made of a root directory; other sources bring their own config. */
export interface ImportOptions {
  /** Which image of an archive or layout with several; default: the one with the reference itself. */
  readonly name?: string;
  readonly platform?: Platform;
  /** `NAME=value`; PATH is set unless it is given. */
  readonly env?: readonly string[];
  /** Absolute path in the image. */
  readonly workdir?: string;
  readonly user?: string;
  readonly entrypoint?: readonly string[];
  readonly cmd?: readonly string[];
  readonly signal?: AbortSignal;
}

/** An image whose every blob is staged. */
export interface StagedImage {
  readonly root: Descriptor;
  readonly blobs: readonly Staged[];
  readonly platforms: readonly Platform[];
  /** Paths that were left out because no image can hold them. */
  readonly skipped: readonly string[];
}

const defaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Stages the image at `source`. Throws UserError when it is none, is damaged, or does not say which of several is meant. */
export async function stageImage(ref: string, source: string, staging: Staging, options: ImportOptions): Promise<StagedImage> {
  const found = await stat(source).catch(() => undefined);
  if (found === undefined) throw inputError({ code: "image-source-missing", message: `${source} does not exist`, at: [] });
  const names = found.isDirectory() ? await readdir(source) : [];
  if (found.isDirectory() && !names.includes("oci-layout")) return stageRoot(source, names, staging, options);
  refuseRootOptions(source, options);
  if (found.isDirectory()) return stageLayout(ref, directoryContent(source, staging, options.signal), options);
  if (!found.isFile()) {
    throw inputError({ code: "image-source-unknown", message: `${source} is neither a directory nor a file`, at: [] });
  }
  const archive = await readArchive(source, staging, options.signal);
  // Docker writes both kinds into one archive since version 25; the OCI one has the original digests.
  if (archive.file("index.json") !== undefined) return stageLayout(ref, archiveContent(source, archive), options);
  const manifest = archive.file("manifest.json");
  if (manifest !== undefined)
    return stageDocker(ref, source, archive, await smallFile(manifest.file, `manifest.json in ${source}`), staging, options);
  throw inputError({
    code: "image-source-unknown",
    message: `${source} is a tar archive, but not of an image: it has neither index.json (OCI) nor manifest.json (docker save)`,
    at: [],
    hint: "If it holds a root filesystem, unpack it and import the directory",
  });
}

async function stageRoot(source: string, names: readonly string[], staging: Staging, options: ImportOptions): Promise<StagedImage> {
  if (names.length === 0) {
    throw inputError({ code: "image-source-empty", message: `${source} is an empty directory, so there is nothing to import`, at: [] });
  }
  const packed: Packed = { entries: 0, skipped: [] };
  const layer = await staging.write(packDirectory(source, packed), options.signal);
  const platform = normalize(options.platform ?? hostPlatform());
  const config = await staging.write(Buffer.from(JSON.stringify(rootConfig(layer.digest, platform, options))));
  const manifest = await stageManifest(staging, config, [describe(layer, media.layer)]);
  return { root: describe(manifest, media.manifest), blobs: [layer, config, manifest], platforms: [platform], skipped: packed.skipped };
}

// No time of its own: the same directory and options give the same image.
function rootConfig(diffId: string, platform: Platform, options: ImportOptions): Json {
  const { env = [], workdir, user, entrypoint, cmd } = options;
  for (const entry of env) {
    if (!/^[^=\0]+=/.test(entry))
      throw inputError({ code: "image-option", message: `Environment of an image is NAME=value, got ${JSON.stringify(entry)}`, at: [] });
  }
  if (workdir !== undefined && !workdir.startsWith("/")) {
    throw inputError({
      code: "image-option",
      message: `The working directory of an image is an absolute path, got ${JSON.stringify(workdir)}`,
      at: [],
    });
  }
  return {
    ...platform,
    created: "1970-01-01T00:00:00Z",
    config: {
      Env: env.some((entry) => entry.startsWith("PATH=")) ? env : [defaultPath, ...env],
      ...(workdir === undefined ? {} : { WorkingDir: workdir }),
      ...(user === undefined ? {} : { User: user }),
      ...(entrypoint === undefined ? {} : { Entrypoint: entrypoint }),
      ...(cmd === undefined ? {} : { Cmd: cmd }),
    },
    rootfs: { type: "layers", diff_ids: [diffId] },
    history: [{ created: "1970-01-01T00:00:00Z", created_by: "dagger image import" }],
  };
}

function refuseRootOptions(source: string, options: ImportOptions): void {
  const given = (["platform", "env", "workdir", "user", "entrypoint", "cmd"] as const).filter((name) => options[name] !== undefined);
  if (given.length === 0) return;
  const message = `${given.join(", ")}: only an image made of a root directory takes this, and ${source} brings its own`;
  throw inputError({ code: "image-option", message, at: [] });
}

async function stageLayout(ref: string, content: Content, options: ImportOptions): Promise<StagedImage> {
  const what = `index.json in ${content.name}`;
  const { manifests } = readIndex(parseObject(await content.index(), what), what);
  const candidates = manifests.map((descriptor) => ({ names: namesOf(descriptor), descriptor }));
  const { annotations: _, ...root } = choose(ref, content.name, candidates, options).descriptor;
  const images = await platformManifests(content, root);
  if (images.length === 0) throw broken(content.name, "none of its platforms is there");
  const blobs = await stageTree(content, root);
  return { root, blobs, platforms: images.map((image) => image.platform), skipped: [] };
}

/** Stages everything below a descriptor, each blob once. */
async function stageTree(content: Content, root: Descriptor): Promise<readonly Staged[]> {
  const staged = new Map<string, Staged>();
  const visit = async (descriptor: Descriptor): Promise<void> => {
    if (staged.has(descriptor.digest)) return;
    const blob = await content.stage(descriptor);
    staged.set(descriptor.digest, blob);
    const what = `${descriptor.digest} in ${content.name}`;
    const document = await documentObject(content, descriptor);
    if (isIndex(document)) {
      for (const child of readIndex(document, what).manifests) if (await content.has(child.digest)) await visit(child);
      return;
    }
    const manifest = readManifest(document, what);
    for (const part of [manifest.config, ...manifest.layers])
      if (!staged.has(part.digest)) staged.set(part.digest, await content.stage(part));
  };
  await visit(root);
  return [...staged.values()];
}

interface DockerImage {
  readonly names: readonly string[];
  readonly config: string;
  readonly layers: readonly string[];
}

async function stageDocker(
  ref: string,
  source: string,
  archive: Archive,
  data: Uint8Array,
  staging: Staging,
  options: ImportOptions,
): Promise<StagedImage> {
  const image = choose(ref, source, readDockerManifest(data, source), options);
  const config = archive.file(image.config);
  if (config === undefined) throw broken(source, `the image config ${image.config} is missing`);
  // The config is named by its digest, in every version of docker save.
  const named = /([0-9a-f]{64})(\.json)?$/.exec(image.config)?.[1];
  if (named !== undefined && config.digest !== `sha256:${named}`)
    throw damaged(`${image.config} in ${source}`, `sha256:${named}`, config.digest);
  const { platform, diffIds } = readConfig(
    parseObject(await smallFile(config.file, `${image.config} in ${source}`), `${image.config} in ${source}`),
    source,
  );
  if (diffIds.length !== image.layers.length) {
    throw broken(source, `the image config lists ${String(diffIds.length)} layers, and the archive has ${String(image.layers.length)}`);
  }
  const layers: Descriptor[] = [];
  const blobs: Staged[] = [];
  for (const [at, name] of image.layers.entries()) {
    const layer = archive.file(name);
    if (layer === undefined) throw broken(source, `the layer ${name} is missing`);
    const gzipped = (await compressionOf(layer.file)) === "gzip";
    const diffId = gzipped ? await unpackedDigest(layer.file) : layer.digest;
    if (diffId !== diffIds[at]) throw damaged(`${name} in ${source}`, diffIds[at] ?? "", diffId);
    layers.push(describe(layer, gzipped ? media.layerGzip : media.layer));
    blobs.push(layer);
  }
  const manifest = await stageManifest(staging, config, layers);
  return { root: describe(manifest, media.manifest), blobs: [...blobs, config, manifest], platforms: [normalize(platform)], skipped: [] };
}

function readDockerManifest(data: Uint8Array, source: string): readonly DockerImage[] {
  const what = `manifest.json in ${source}`;
  const { images } = parseObject(Buffer.concat([Buffer.from('{"images":'), data, Buffer.from("}")]), what);
  if (!Array.isArray(images)) throw broken(what, "it is not a list");
  const strings = (value: unknown): string[] => (Array.isArray(value) ? value.filter((entry) => typeof entry === "string") : []);
  return (images as readonly unknown[]).map((image) => {
    if (!isObject(image) || typeof image["Config"] !== "string") throw broken(what, "an image has no Config");
    return { names: strings(image["RepoTags"]), config: image["Config"], layers: strings(image["Layers"]) };
  });
}

async function unpackedDigest(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file).pipe(createGunzip())) hash.update(chunk as Buffer);
  return `sha256:${hash.digest("hex")}`;
}

/** The image that is asked for by name, or has the reference itself as name, or is the only one. */
function choose<T extends { readonly names: readonly string[] }>(
  ref: string,
  source: string,
  candidates: readonly T[],
  { name }: ImportOptions,
): T {
  const [only] = candidates;
  if (only === undefined) throw broken(source, "there is no image in it");
  const wanted = name ?? ref;
  // Docker leaves out its own registry and the first part of official names.
  const same = (known: string): boolean => [known, `docker.io/${known}`, `docker.io/library/${known}`].includes(wanted);
  const named = candidates.find(({ names }) => names.some(same));
  if (named !== undefined) return named;
  if (name === undefined && candidates.length === 1) return only;
  const names = candidates.flatMap((candidate) => candidate.names);
  throw inputError({
    code: "image-choice",
    message: `${source} has no image named ${wanted}: it has ${names.length === 0 ? `${String(candidates.length)} images without a name` : names.join(", ")}`,
    at: [],
    hint: "Name the one that is meant with --name",
  });
}

async function stageManifest(staging: Staging, config: Staged, layers: readonly Descriptor[]): Promise<Staged> {
  const manifest = { schemaVersion: 2, mediaType: media.manifest, config: describe(config, media.config), layers };
  return staging.write(Buffer.from(JSON.stringify(manifest)));
}

function describe(blob: Staged, mediaType: string): Descriptor {
  return { mediaType, digest: blob.digest, size: blob.size };
}
