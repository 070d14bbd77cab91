// The mounts of an exec as pb.Mount: sorted, their inputs placed, their outputs numbered.
import {
  CacheSharingOpt,
  MountContentCache,
  MountType,
  type Mount as PbMount,
} from "../../proto/gen/github.com/moby/buildkit/solver/pb/ops.ts";
import type { ExecVertex, Mount, Ref } from "../graph/vertex.ts";
import { CAPS } from "./caps.ts";
import { type InputList, NONE, vertexError } from "./codec.ts";
import { compareUtf8 } from "./wire.ts";

type FileMount = Extract<Mount, { kind: "bind" | "cache" | "tmpfs" }>;
type SecretMount = Extract<Mount, { kind: "secret" }>;
type SshMount = Extract<Mount, { kind: "ssh" }>;

/** Mounts with files, the root included, in the order of client/llb: by destination, equal ones as given. */
export function fileMounts(vertex: ExecVertex): FileMount[] {
  const root: FileMount = {
    kind: "bind",
    dest: "/",
    from: vertex.root,
    selector: "",
    readonly: vertex.rootReadonly ?? false,
    output: true,
  };
  const mounts: FileMount[] = [root];
  for (const mount of vertex.mounts) {
    if (mount.kind === "bind" || mount.kind === "cache" || mount.kind === "tmpfs") mounts.push(mount);
  }
  return mounts.sort((a, b) => compareUtf8(a.dest, b.dest));
}

/** What a mount takes its files from. */
export function mountSource(mount: FileMount): Ref {
  return mount.kind === "tmpfs" ? null : mount.from;
}

/**
 * Index of the output that holds what the exec leaves at `dest` ("/" for the root): count it from the sorted writable binds.
 * Throws UserError `llb-invalid` when nothing that can be used afterwards is mounted there.
 */
export function execOutputIndex(vertex: ExecVertex, dest: string): number {
  const index = fileMounts(vertex)
    .filter(hasOutput)
    .findIndex((mount) => mount.dest === dest);
  if (index < 0) throw vertexError(vertex, `no writable mount with an output at ${JSON.stringify(dest)}`);
  return index;
}

/** Index of the output of one of an exec's mounts, the root when none is given; -1 when it has none. */
export function outputIndexOf(vertex: ExecVertex, mount?: Mount): number {
  const isIt = (candidate: FileMount): boolean => (mount === undefined ? !vertex.mounts.includes(candidate) : candidate === mount);
  return fileMounts(vertex).filter(hasOutput).findIndex(isIt);
}

/** Number of outputs that an exec has. */
export function execOutputCount(vertex: ExecVertex): number {
  return fileMounts(vertex).filter(hasOutput).length;
}

/** All mounts: those with files first, then secrets, then ssh sockets. */
export function encodeMounts(vertex: ExecVertex, inputs: InputList): PbMount[] {
  let outputs = 0;
  const files = fileMounts(vertex).map((mount) => {
    const output = hasOutput(mount) ? BigInt(outputs++) : NONE;
    return encodeFileMount(mount, inputs.add(mountSource(mount)), output);
  });
  const secrets = secretMounts(vertex).map((mount) => ({ ...session(mount), mountType: MountType.SECRET, secretOpt: sessionOpt(mount) }));
  const sockets = sshMounts(vertex).map((mount) => ({ ...session(mount), mountType: MountType.SSH, SSHOpt: sessionOpt(mount) }));
  return [...files, ...secrets, ...sockets];
}

/** SSH mounts with their sockets' paths filled in. */
export function sshMounts(vertex: ExecVertex): SshMount[] {
  return vertex.mounts
    .filter((mount) => mount.kind === "ssh")
    .map((mount, i) => (mount.dest === "" ? { ...mount, dest: `/run/buildkit/ssh_agent.${i}` } : mount));
}

export function mountCaps(vertex: ExecVertex): string[] {
  const caps: string[] = [];
  for (const mount of fileMounts(vertex)) {
    if (mount.kind === "tmpfs") {
      caps.push(CAPS.mountTmpfs);
      if (mount.size > 0) caps.push(CAPS.mountTmpfsSize);
      continue;
    }
    if (mount.selector !== "") caps.push(CAPS.mountSelector);
    if (mount.kind === "cache") caps.push(CAPS.mountCache, CAPS.mountCacheSharing);
    else if (mount.from !== null) caps.push(CAPS.mountBind);
    if (mount.contentCache !== undefined) caps.push(CAPS.mountContentCache);
  }
  if (secretMounts(vertex).length > 0 || vertex.secretEnv.length > 0) caps.push(CAPS.mountSecret);
  if (vertex.secretEnv.length > 0) caps.push(CAPS.execSecretEnv);
  if (vertex.mounts.some((mount) => mount.kind === "ssh")) caps.push(CAPS.mountSsh);
  return caps;
}

function hasOutput(mount: FileMount): boolean {
  return mount.kind === "bind" && mount.output && !mount.readonly;
}

function secretMounts(vertex: ExecVertex): SecretMount[] {
  return vertex.mounts.filter((mount) => mount.kind === "secret");
}

const SHARING = {
  shared: CacheSharingOpt.SHARED,
  private: CacheSharingOpt.PRIVATE,
  locked: CacheSharingOpt.LOCKED,
} as const;

const CONTENT_CACHE = { on: MountContentCache.ON, off: MountContentCache.OFF } as const;

const EMPTY: PbMount = {
  input: NONE,
  selector: "",
  dest: "",
  output: 0n,
  readonly: false,
  mountType: MountType.BIND,
  TmpfsOpt: undefined,
  cacheOpt: undefined,
  secretOpt: undefined,
  SSHOpt: undefined,
  resultID: "",
  contentCache: MountContentCache.DEFAULT,
};

function encodeFileMount(mount: FileMount, input: bigint, output: bigint): PbMount {
  const base = { ...EMPTY, dest: mount.dest, input, output, readonly: mount.readonly ?? false };
  if (mount.kind === "tmpfs") return { ...base, mountType: MountType.TMPFS, TmpfsOpt: { size: BigInt(mount.size) } };
  const contentCache = mount.contentCache ? CONTENT_CACHE[mount.contentCache] : MountContentCache.DEFAULT;
  const files = { ...base, selector: mount.selector, contentCache };
  if (mount.kind === "bind") return files;
  return { ...files, mountType: MountType.CACHE, cacheOpt: { ID: mount.id, sharing: SHARING[mount.sharing] } };
}

/** Unlike other mounts without a result, those of the session have output 0 and not -1. */
function session(mount: SecretMount | SshMount): PbMount {
  return { ...EMPTY, dest: mount.dest };
}

function sessionOpt({ id, uid, gid, mode, optional }: SecretMount | SshMount): NonNullable<PbMount["secretOpt"]> {
  return { ID: id, uid, gid, mode, optional };
}
