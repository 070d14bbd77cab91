// pb.SourceOp: an image, a client's directory, a git repository, a file by HTTP. Capabilities follow from the scheme and the attributes.
import type { SourceVertex } from "../graph/vertex.ts";
import { CAPS } from "./caps.ts";
import type { MarshalOptions, OpCodec } from "./codec.ts";

type Attrs = Readonly<Record<string, string>>;

export const source: OpCodec<SourceVertex> = {
  validate(vertex) {
    return vertex.identifier === "" ? "a source needs an identifier" : undefined;
  },
  inputs() {
    return [];
  },
  encode(vertex, { options }) {
    const { identifier } = vertex;
    const attrs = withUniqueId(vertex, options);
    return {
      op: { $case: "source", value: { identifier, attrs: { ...attrs } } },
      inputs: [],
      caps: [...sourceCaps(identifier, attrs), ...(vertex.caps ?? [])],
      ...(hasPlatform(identifier) ? { platform: vertex.platform ?? options.platform } : {}),
    };
  },
};

function hasPlatform(identifier: string): boolean {
  return identifier.startsWith("docker-image://") || identifier.startsWith("oci-layout://");
}

function withUniqueId({ identifier, attrs }: SourceVertex, { localUniqueId }: MarshalOptions): Attrs {
  if (!identifier.startsWith("local://") || "local.session" in attrs || "local.unique" in attrs) return attrs;
  return { ...attrs, "local.unique": localUniqueId };
}

/** Capability per attribute. Those missing here need none of their own. */
const ATTR_CAPS: Readonly<Record<string, string>> = {
  "image.layerlimit": CAPS.imageLayerLimit,
  "image.checksum": CAPS.imageChecksum,
  "local.unique": CAPS.localUnique,
  "local.session": CAPS.localSession,
  "local.includepattern": CAPS.localInclude,
  "local.excludepatterns": CAPS.localExclude,
  "local.followpaths": CAPS.localFollowPaths,
  "local.sharedkeyhint": CAPS.localSharedKeyHint,
  "local.metadatatransfer": CAPS.localMetadataTransfer,
  "git.keepgitdir": CAPS.gitKeepDir,
  "git.fullurl": CAPS.gitFullUrl,
  "git.knownsshhosts": CAPS.gitKnownHosts,
  "git.mountsshsock": CAPS.gitSshSocket,
  "git.checksum": CAPS.gitChecksum,
  "git.skipsubmodules": CAPS.gitSkipSubmodules,
  "git.mtime": CAPS.gitMTime,
  "git.fetchbycommit": CAPS.gitFetchByCommit,
  "git.bundle": CAPS.gitBundle,
  "git.checkoutbundle": CAPS.gitCheckoutBundle,
  "git.sig.pubkey": CAPS.gitSignature,
};

/** HTTP attributes are shared with blobs, where they need no capability: so they count for http and https only. */
const HTTP_CAPS: Readonly<Record<string, string>> = {
  "http.checksum": CAPS.httpChecksum,
  "http.perm": CAPS.httpPerm,
  "http.uid": CAPS.httpOwner,
  "http.gid": CAPS.httpOwner,
  "http.authheadersecret": CAPS.httpAuth,
  "http.sig.pubkey": CAPS.httpSignature,
  "http.sig.signature": CAPS.httpSignature,
};

const SCHEME_CAPS: Readonly<Record<string, string>> = {
  "docker-image": CAPS.image,
  "docker-image+blob": CAPS.imageBlob,
  "oci-layout": CAPS.ociLayout,
  "oci-layout+blob": CAPS.imageBlob,
  local: CAPS.local,
  git: CAPS.git,
  http: CAPS.http,
  https: CAPS.http,
};

export function sourceCaps(identifier: string, attrs: Attrs): string[] {
  const scheme = identifier.slice(0, Math.max(0, identifier.indexOf("://")));
  const base = SCHEME_CAPS[scheme];
  const caps = base === undefined ? [] : [base];
  const perAttr = base === CAPS.http ? HTTP_CAPS : ATTR_CAPS;
  for (const name of Object.keys(attrs)) {
    const cap = Object.hasOwn(perAttr, name) ? perAttr[name] : undefined;
    if (cap !== undefined) caps.push(cap);
  }
  // A preference needs no support; only "always pull" must not be ignored.
  if (attrs["image.resolvemode"] === "pull") caps.push(CAPS.imageResolveMode);
  if (base === CAPS.http && Object.keys(attrs).some((name) => name.startsWith("http.header."))) caps.push(CAPS.httpHeader);
  if (base === CAPS.git && asksForGitAuth(attrs)) caps.push(CAPS.gitHttpAuth);
  // With ssh a daemon must be able to check host keys, also when none are given.
  if ("git.mountsshsock" in attrs) caps.push(CAPS.gitKnownHosts);
  return caps;
}

/** The default secret names are always written and looked up only if there: they ask for nothing. */
function asksForGitAuth(attrs: Attrs): boolean {
  const token = attrs["git.authtokensecret"];
  const header = attrs["git.authheadersecret"];
  if (token === undefined && header === undefined) return false;
  return token !== "GIT_AUTH_TOKEN" || header !== "GIT_AUTH_HEADER";
}
