// Attributes of source ops, as client/llb writes them for the same options.
import { goJson } from "./gojson.ts";

type Attrs = Record<string, string>;

export interface ImageOptions {
  /** "default" writes nothing: the daemon looks for the image locally and in the registry, as it likes. */
  readonly resolveMode?: "default" | "pull" | "local";
  /** Only the first N layers. */
  readonly layerLimit?: number;
  /** The image must have this digest. */
  readonly checksum?: string;
}

/** Of `docker-image://REF`; REF comes from normalizeReference. */
export function imageAttrs({ resolveMode = "default", layerLimit, checksum }: ImageOptions): Attrs {
  const attrs: Attrs = {};
  if (resolveMode !== "default") attrs["image.resolvemode"] = resolveMode;
  if (layerLimit !== undefined) attrs["image.layerlimit"] = String(layerLimit);
  if (checksum) attrs["image.checksum"] = checksum;
  return attrs;
}

export interface LocalOptions {
  /** Patterns in `.dockerignore` syntax; empty lists say nothing. */
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  /** Paths whose symlinks are followed, so that what they point to is sent too. */
  readonly followPaths?: readonly string[];
  /** Transfers with the same hint reuse what was sent before. */
  readonly sharedKeyHint?: string;
  readonly differ?: "none" | "metadata";
  /** Ties the source to one session of the client. */
  readonly session?: string;
}

/** Of `local://NAME`. The marshaller adds `local.unique`. */
export function localAttrs({ include = [], exclude = [], followPaths = [], sharedKeyHint, differ, session }: LocalOptions): Attrs {
  const attrs: Attrs = {};
  if (session) attrs["local.session"] = session;
  if (include.length > 0) attrs["local.includepattern"] = goJson(include);
  if (followPaths.length > 0) attrs["local.followpaths"] = goJson(followPaths);
  if (exclude.length > 0) attrs["local.excludepatterns"] = goJson(exclude);
  if (sharedKeyHint) attrs["local.sharedkeyhint"] = sharedKeyHint;
  if (differ) attrs["local.differ"] = differ;
  return attrs;
}

export interface OciLayoutOptions {
  /** Session and store that hold the layout on the client. */
  readonly session?: string;
  readonly store?: string;
  readonly layerLimit?: number;
}

/** Of `oci-layout://REF`. */
export function ociLayoutAttrs({ session, store, layerLimit }: OciLayoutOptions): Attrs {
  const attrs: Attrs = {};
  if (session) attrs["oci.session"] = session;
  if (store) attrs["oci.store"] = store;
  if (layerLimit !== undefined) attrs["oci.layerlimit"] = String(layerLimit);
  return attrs;
}
