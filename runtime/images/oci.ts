// The JSON documents of OCI images, read with care: they come from archives and directories that anybody may have written.
import { inputError } from "../../compiler/diagnostic.ts";
import { checkDigest } from "./blobs.ts";
import type { Platform } from "./platform.ts";

/** Points to a blob. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: Platform;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface Index {
  readonly manifests: readonly Descriptor[];
}

export interface Manifest {
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

/** Of an image config only what the store reads; the bytes are kept as they are. */
export interface ImageConfig {
  readonly platform: Platform;
  readonly diffIds: readonly string[];
}

export const media = {
  index: "application/vnd.oci.image.index.v1+json",
  manifest: "application/vnd.oci.image.manifest.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar",
  layerGzip: "application/vnd.oci.image.layer.v1.tar+gzip",
} as const;

/** The annotation with an image's name or tag in index.json. */
export const refName = "org.opencontainers.image.ref.name";

export type Json = { readonly [name: string]: unknown };

/** Parses JSON that must be an object; `what` names it in the error. */
export function parseObject(data: Uint8Array, what: string): Json {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(data).toString("utf8"));
  } catch (cause) {
    throw broken(what, `it is not JSON (${cause instanceof Error ? cause.message : String(cause)})`);
  }
  if (!isObject(value)) throw broken(what, "it is not a JSON object");
  return value;
}

/** Whether a document is an index (a list of manifests) rather than a manifest. Old ones have no media type inside. */
export function isIndex(document: Json): boolean {
  return Array.isArray(document["manifests"]);
}

export function readIndex(document: Json, what: string): Index {
  return { manifests: list(document["manifests"], what, "manifests").map((entry) => readDescriptor(entry, what)) };
}

export function readManifest(document: Json, what: string): Manifest {
  return {
    config: readDescriptor(document["config"], what),
    layers: list(document["layers"], what, "layers").map((entry) => readDescriptor(entry, what)),
  };
}

export function readConfig(document: Json, what: string): ImageConfig {
  const rootfs = document["rootfs"];
  const diffIds = isObject(rootfs) && Array.isArray(rootfs["diff_ids"]) ? rootfs["diff_ids"].filter((id) => typeof id === "string") : [];
  const platform = readPlatform(document);
  if (platform === undefined) throw broken(what, "the image config has no os and architecture");
  return { platform, diffIds };
}

/** Finding about a document that is not what it should be. */
export function broken(what: string, why: string): ReturnType<typeof inputError> {
  return inputError({ code: "image-broken", message: `Cannot read ${what}: ${why}`, at: [] });
}

function readDescriptor(value: unknown, what: string): Descriptor {
  if (!isObject(value)) throw broken(what, "a descriptor is missing");
  const { mediaType, digest, size, annotations } = value;
  if (typeof digest !== "string") throw broken(what, "a descriptor has no digest");
  const platform = isObject(value["platform"]) ? readPlatform(value["platform"]) : undefined;
  const notes = isObject(annotations)
    ? Object.entries(annotations).filter((entry): entry is [string, string] => typeof entry[1] === "string")
    : [];
  return {
    mediaType: typeof mediaType === "string" ? mediaType : "",
    digest: checkDigest(digest),
    size: typeof size === "number" ? size : 0,
    ...(platform === undefined ? {} : { platform }),
    ...(notes.length === 0 ? {} : { annotations: Object.fromEntries(notes) }),
  };
}

function readPlatform({ os, architecture, variant }: Json): Platform | undefined {
  if (typeof os !== "string" || typeof architecture !== "string") return undefined;
  return { os, architecture, ...(typeof variant === "string" && variant !== "" ? { variant } : {}) };
}

function list(value: unknown, what: string, name: string): readonly unknown[] {
  if (!Array.isArray(value)) throw broken(what, `it has no list of ${name}`);
  return value as readonly unknown[];
}

export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
