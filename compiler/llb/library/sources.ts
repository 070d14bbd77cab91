// Where files come from: images, directories of the client, git, HTTP, OCI layouts, and nothing.
import type { Platform, SourceVertex } from "../../graph/vertex.ts";
import {
  type GitOptions as GitAttrs,
  gitAttrs,
  type HttpOptions as HttpAttrs,
  httpAttrs,
  type ImageOptions as ImageAttrs,
  imageAttrs,
  type LocalOptions as LocalAttrs,
  localAttrs,
  type OciLayoutOptions as OciLayoutAttrs,
  ociLayoutAttrs,
} from "../attributes.ts";
import { CAPS } from "../caps.ts";
import { type GitUrl, gitIdentifier, parseGitUrl } from "../giturl.ts";
import { cleanPath } from "../paths.ts";
import { normalizeReference, type Reference } from "../reference.ts";
import { fresh } from "./filesystem.ts";
import { withImageConfig } from "./image-config.ts";
import { later, ready } from "./lazy.ts";
import { invalid, type OpOptions, platformField, toBase } from "./options.ts";
import { State, stateOf } from "./state.ts";

/** Sources run nothing: they have no limits. Only images and OCI layouts have a platform. */
export type SourceOptions = Omit<OpOptions, "platform" | "resources">;

/** The empty filesystem. */
export function scratch(): State {
  return stateOf(null);
}

export interface ImageRequest {
  /** Complete, e.g. `docker.io/library/debian:12`. */
  readonly ref: string;
  readonly platform: Platform;
  readonly resolveMode: "default" | "pull" | "local";
}
export interface ImageAnswer {
  /** The OCI image config, JSON. */
  readonly config: Uint8Array;
  readonly digest?: string;
  /** Another reference to use in place of the one asked for. */
  readonly ref?: string;
}

export interface ImageOptions extends SourceOptions, ImageAttrs {
  readonly platform?: Platform | string;
  /**
   * Asks for the image's config when the state is marshalled: its environment, working directory and platform become the state's.
   * `Build.resolveImageConfig` of `cuellb/client` can answer. Without it the state inherits nothing from the image.
   */
  readonly resolve?: (request: ImageRequest) => Promise<ImageAnswer>;
  /** Pins the image to the digest that `resolve` gives, so that the build uses the very image whose config it took. */
  readonly resolveDigest?: boolean;
}

/** An image of a registry. Short references are completed as docker does. Throws UserError `llb-invalid` for one that no registry has. */
export function image(ref: string, options: ImageOptions = {}): State {
  const known = complete(ref);
  const { resolve, resolveDigest = false } = options;
  const asked = platformField(options.platform);
  const toVertex = (reference: string): SourceVertex => ({
    kind: "source",
    ...toBase(options),
    identifier: `docker-image://${reference}`,
    attrs: imageAttrs(options),
    ...asked,
  });
  const plain = fresh({ vertex: toVertex(known.reference), index: 0 }, asked.platform);
  if (resolve === undefined) return new State(ready(plain));
  const lazy = later(ready(plain), async (made, context) => {
    const { reference } = known;
    const platform = asked.platform ?? context.platform;
    const answer = await resolve({ ref: reference, platform, resolveMode: options.resolveMode ?? "default" });
    if (known.digest !== undefined || !resolveDigest) {
      const { out, values } = withImageConfig(made, answer.config);
      return { out, values };
    }
    const pinned = fresh({ vertex: toVertex(pin(answer.ref ?? reference, answer.digest)), index: 0 }, asked.platform);
    const { out, values } = withImageConfig(pinned, answer.config);
    return { out, values };
  });
  return new State(lazy);
}

/** `ref` with a digest; its tag is kept when it was written. */
function pin(ref: string, digest: string | undefined): string {
  const { domain, path, tag, digest: own } = complete(ref);
  const exact = digest ?? own;
  return `${domain}/${path}${hasTag(ref) ? `:${tag}` : ""}${exact === undefined ? "" : `@${exact}`}`;
}

function hasTag(ref: string): boolean {
  const name = ref.split("@")[0] ?? "";
  return name.includes(":", name.lastIndexOf("/") + 1);
}

type Complete = Extract<Reference, { ok: true }>;

function complete(ref: string): Complete {
  const reference = normalizeReference(ref);
  if (!reference.ok) throw invalid(`Unknown image ${JSON.stringify(ref)}: ${reference.problem}`);
  return reference;
}

export interface LocalOptions extends SourceOptions, Omit<LocalAttrs, "differ"> {
  /** How changed files are found; `required` refuses daemons that cannot. */
  readonly differ?: "none" | "metadata" | { readonly type: "none" | "metadata"; readonly required: boolean };
  /** In place of the marshalling's `localUniqueId`: keeps this directory apart from the same one of other builds. */
  readonly uniqueId?: string;
}

/** The directory that the client's session serves as `name`. */
export function local(name: string, options: LocalOptions = {}): State {
  const { differ, uniqueId } = options;
  const required = typeof differ === "object" && differ.required;
  const type = typeof differ === "object" ? differ.type : differ;
  const attrs = localAttrs({ ...without(options, "differ"), ...(type === undefined ? {} : { differ: type }) });
  const unique: Record<string, string> = uniqueId === undefined || "local.session" in attrs ? {} : { "local.unique": uniqueId };
  return source(`local://${name}`, { ...attrs, ...unique }, options, required ? [CAPS.localDiffer] : []);
}

export interface GitOptions extends SourceOptions, Omit<GitAttrs, "knownHosts"> {
  /** Branch, tag or commit; the remote's default branch when not given. */
  readonly ref?: string;
  /** Only this directory of the repository. */
  readonly subdir?: string;
  /** ssh only: lines as in `~/.ssh/known_hosts`. client/llb asks the host for its keys when there are none; this library does not. */
  readonly knownHosts?: string | readonly string[];
}

/**
 * A git repository. `remote` is an http, https, ssh or git URL, `user@host:path`, or `host/path`, which means https.
 * Its fragment is `ref[:subdir]`; the options win. Throws UserError `llb-invalid` for what git cannot fetch.
 */
export function git(remote: string, options: GitOptions = {}): State {
  const url = readUrl(remote);
  const [fragmentRef, fragmentDir] = cutOnce(decodeURIComponent(url.fragment), ":");
  const { ref = fragmentRef, subdir = cleanPath(`/${fragmentDir}`).slice(1), knownHosts, authToken, authHeader } = options;
  const hosts = (typeof knownHosts === "string" ? [knownHosts] : (knownHosts ?? [])).map((lines) => `${lines.replace(/\n$/, "")}\n`);
  const attrs = gitAttrs(url, { ...without(options, "knownHosts"), ...(hosts.length === 0 ? {} : { knownHosts: hosts.join("") }) });
  const named = authToken !== undefined || authHeader !== undefined;
  const asksForAuth = named && ("git.authtokensecret" in attrs || "git.authheadersecret" in attrs);
  return source(gitIdentifier(url, ref, subdir), attrs, options, asksForAuth ? [CAPS.gitHttpAuth] : []);
}

function readUrl(remote: string): GitUrl {
  const reading = parseGitUrl(remote);
  if (!reading.ok) throw invalid(`Invalid git remote ${JSON.stringify(remote)}: ${reading.problem}`);
  return reading.url;
}

export interface HttpOptions extends SourceOptions, HttpAttrs {}

/** One file by HTTP. */
export function http(url: string, options: HttpOptions = {}): State {
  if (!/^https?:\/\//.test(url)) throw invalid(`Invalid URL ${JSON.stringify(url)}: it must start with http:// or https://`);
  const headers = options.accept !== undefined || options.userAgent !== undefined;
  const caps = [...(headers ? [CAPS.httpHeader] : []), ...(options.signature === undefined ? [] : [CAPS.httpSignature])];
  return source(url, httpAttrs(options), options, caps);
}

export interface OciLayoutOptions extends SourceOptions, OciLayoutAttrs {
  readonly platform?: Platform | string;
}

/** An image of an OCI layout that the client's session serves. `ref` is `name@sha256:…`; the store is `name` when not given. */
export function ociLayout(ref: string, options: OciLayoutOptions = {}): State {
  return source(`oci-layout://${ref}`, ociLayoutAttrs(options), options, [], platformField(options.platform).platform);
}

export interface BlobOptions extends SourceOptions, Pick<HttpAttrs, "filename" | "mode" | "uid" | "gid"> {}

/** One blob of a registry as a file. `ref` has a digest and no tag. */
export function imageBlob(ref: string, options: BlobOptions = {}): State {
  return source(`docker-image+blob://${blobReference(ref)}`, httpAttrs(blobFile(options)), options);
}

/** One blob of an OCI layout as a file. */
export function ociLayoutBlob(ref: string, options: BlobOptions & Pick<OciLayoutAttrs, "session" | "store"> = {}): State {
  const { session, store } = options;
  const place = ociLayoutAttrs({ ...(session === undefined ? {} : { session }), ...(store === undefined ? {} : { store }) });
  return source(`oci-layout+blob://${blobReference(ref)}`, { ...httpAttrs(blobFile(options)), ...place }, options);
}

function blobReference(ref: string): string {
  const { reference, digest } = complete(ref);
  if (digest === undefined) throw invalid(`The blob ${JSON.stringify(ref)} has no digest: write name@sha256:…`);
  if (hasTag(ref)) throw invalid(`The blob ${JSON.stringify(ref)} has a tag, but only its digest counts: write name@sha256:…`);
  return reference;
}

function blobFile({ filename, mode, uid, gid }: BlobOptions): HttpAttrs {
  return {
    ...(filename === undefined ? {} : { filename }),
    ...(mode === undefined ? {} : { mode }),
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
  };
}

function source(
  identifier: string,
  attrs: Readonly<Record<string, string>>,
  options: SourceOptions,
  caps: readonly string[] = [],
  platform?: Platform,
): State {
  const asked = platform === undefined ? {} : { platform };
  const vertex: SourceVertex = { kind: "source", ...toBase(options), identifier, attrs, ...asked, ...(caps.length === 0 ? {} : { caps }) };
  return stateOf({ vertex, index: 0 }, platform);
}

function without<T extends object, K extends keyof T>(object: T, name: K): Omit<T, K> {
  const { [name]: _, ...rest } = object;
  return rest;
}

function cutOnce(text: string, mark: string): [front: string, rest: string] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}
