// Attributes of source ops, as client/llb writes them for the same options.
import type { GitUrl } from "./giturl.ts";
import { goJson } from "./gojson.ts";

type Attrs = Record<string, string>;

export interface ImageOptions {
  /** "default" writes nothing: the daemon looks for the image locally and in the registry, as it likes. */
  readonly resolveMode?: "default" | "pull" | "local";
  /** Only the first N layers. */
  readonly layerLimit?: number;
  /** The image must have this digest. */
  readonly checksum?: string;
  /** The daemon's cache lists it as made for itself, not for a user. */
  readonly internal?: boolean;
}

/** Of `docker-image://REF`; REF comes from normalizeReference. */
export function imageAttrs({ resolveMode = "default", layerLimit, checksum, internal }: ImageOptions): Attrs {
  const attrs: Attrs = {};
  if (resolveMode !== "default") attrs["image.resolvemode"] = resolveMode;
  if (internal) attrs["image.recordtype"] = "internal";
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
  /** Sends names, sizes and times only, and the content just of the files that `except` matches. */
  readonly metadataOnly?: { readonly except?: readonly string[] };
  /** Ties the source to one session of the client. */
  readonly session?: string;
}

/** Of `local://NAME`. The marshaller adds `local.unique`. */
export function localAttrs(options: LocalOptions): Attrs {
  const { include = [], exclude = [], followPaths = [], sharedKeyHint, differ, metadataOnly, session } = options;
  const attrs: Attrs = {};
  if (session) attrs["local.session"] = session;
  if (include.length > 0) attrs["local.includepattern"] = goJson(include);
  if (followPaths.length > 0) attrs["local.followpaths"] = goJson(followPaths);
  if (exclude.length > 0) attrs["local.excludepatterns"] = goJson(exclude);
  if (sharedKeyHint) attrs["local.sharedkeyhint"] = sharedKeyHint;
  if (differ) attrs["local.differ"] = differ;
  if (metadataOnly !== undefined) attrs["local.metadatatransfer"] = "true";
  if (metadataOnly?.except?.length) attrs["local.metadatatransferexclude"] = goJson(metadataOnly.except);
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

export interface GitOptions {
  readonly keepGitDir?: boolean;
  /** Ids of secrets that the daemon asks for; "" asks for none. By default those that every git source tries: they need not exist. */
  readonly authToken?: string;
  readonly authHeader?: string;
  /** ssh only: the agent's id, and lines as in `~/.ssh/known_hosts`. Without them the daemon checks no host key. */
  readonly ssh?: string;
  readonly knownHosts?: string;
  /** The commit must be this one; a prefix will do. */
  readonly checksum?: string;
  readonly skipSubmodules?: boolean;
  readonly mtime?: "checkout" | "commit";
  readonly fetchByCommit?: boolean;
  /** A blob that holds a git bundle, `docker-image+blob://…` or `oci-layout+blob://…`, in place of the remote; with the layout's place. */
  readonly bundle?: string;
  readonly bundleSession?: string;
  readonly bundleStore?: string;
  /** Gives the file `bundle` in place of a checkout. */
  readonly checkoutBundle?: boolean;
  /** A commit or tag must be signed by this key. client/llb has no option for it. */
  readonly signature?: GitSignature;
}

export interface GitSignature {
  /** Armored. */
  readonly pubKey: string;
  readonly rejectExpired?: boolean;
  readonly requireSignedTag?: boolean;
  readonly ignoreSignedTag?: boolean;
}

/** Of `git://…` (see gitIdentifier). */
export function gitAttrs({ scheme, remote }: Pick<GitUrl, "scheme" | "remote">, options: GitOptions = {}): Attrs {
  const { authToken = "GIT_AUTH_TOKEN", authHeader = "GIT_AUTH_HEADER" } = options;
  const attrs: Attrs = { "git.fullurl": remote };
  if (options.keepGitDir) attrs["git.keepgitdir"] = "true";
  if (authToken) attrs["git.authtokensecret"] = authToken;
  if (authHeader) attrs["git.authheadersecret"] = authHeader;
  if (scheme === "ssh") {
    if (options.knownHosts) attrs["git.knownsshhosts"] = options.knownHosts;
    attrs["git.mountsshsock"] = options.ssh || "default";
  }
  if (options.checksum) attrs["git.checksum"] = options.checksum;
  if (options.skipSubmodules) attrs["git.skipsubmodules"] = "true";
  if (options.mtime) attrs["git.mtime"] = options.mtime;
  if (options.fetchByCommit) attrs["git.fetchbycommit"] = "true";
  if (options.bundle) attrs["git.bundle"] = options.bundle;
  if (options.bundleSession) attrs["oci.session"] = options.bundleSession;
  if (options.bundleStore) attrs["oci.store"] = options.bundleStore;
  if (options.checkoutBundle) attrs["git.checkoutbundle"] = "true";
  return options.signature === undefined ? attrs : { ...attrs, ...signatureAttrs(options.signature) };
}

function signatureAttrs({ pubKey, rejectExpired, requireSignedTag, ignoreSignedTag }: GitSignature): Attrs {
  const attrs: Attrs = { "git.sig.pubkey": pubKey };
  if (rejectExpired) attrs["git.sig.rejectexpired"] = "true";
  if (requireSignedTag) attrs["git.sig.requiresignedtag"] = "true";
  if (ignoreSignedTag) attrs["git.sig.ignoresignedtag"] = "true";
  return attrs;
}

export interface HttpOptions {
  /** Digest of the file, `sha256:…`. */
  readonly checksum?: string;
  /** Name of the file; by default the one that the server or the URL tells. */
  readonly filename?: string;
  /** Permission bits, of which 0o777 count; 0 is the daemon's default, 0600. */
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** Id of a secret that holds the whole Authorization header. */
  readonly authHeader?: string;
  /** "" is the same as none, but asks the daemon to know headers. */
  readonly accept?: string;
  readonly userAgent?: string;
  /** A detached signature of the file and the key that made it, both armored. */
  readonly signature?: { readonly pubKey: string; readonly signature: string };
}

/** Of `http://…` and `https://…`. */
export function httpAttrs({ checksum, filename, mode = 0, uid, gid, authHeader, accept, userAgent, signature }: HttpOptions): Attrs {
  const attrs: Attrs = {};
  if (checksum) attrs["http.checksum"] = checksum;
  if (filename) attrs["http.filename"] = filename;
  if (mode & 0o777) attrs["http.perm"] = `0${(mode & 0o777).toString(8)}`;
  if (uid) attrs["http.uid"] = String(uid);
  if (gid) attrs["http.gid"] = String(gid);
  if (authHeader) attrs["http.authheadersecret"] = authHeader;
  if (accept) attrs["http.header.accept"] = accept;
  if (userAgent) attrs["http.header.user-agent"] = userAgent;
  if (signature?.pubKey) attrs["http.sig.pubkey"] = signature.pubKey;
  if (signature?.signature) attrs["http.sig.signature"] = signature.signature;
  return attrs;
}
