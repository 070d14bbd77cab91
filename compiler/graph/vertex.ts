// Vertices of the graph, one interface per LLB op: frozen data with a `kind`. Built by compiler/ops, encoded by compiler/llb.
import type { Position } from "../diagnostic.ts";

/** An output of a vertex. `null` wherever a `Ref` is taken means scratch: the empty filesystem. */
export interface Output {
  readonly vertex: Vertex;
  readonly index: number;
}
export type Ref = Output | null;

export type Vertex =
  | SourceVertex
  | HostVertex
  | ExecVertex
  | FileVertex
  | MergeVertex
  | DiffVertex
  | BuildVertex
  | PassthroughVertex
  | RawVertex;

/** As containerd normalises it, e.g. { os: "linux", architecture: "arm64" }. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
  /** Of Windows images, e.g. `10.0.17763.1`. */
  readonly osVersion?: string;
  readonly osFeatures?: readonly string[];
}

/** A file that ops were made from, as the daemon is told (pb.SourceInfo). */
export interface SourceFile {
  readonly filename: string;
  /** As github-linguist names languages, e.g. `Dockerfile`; "" says nothing. */
  readonly language: string;
  /** Its text. All of it comes back inside the error of a failed solve, where 64 KiB are the most that Node receives: best left empty. */
  readonly data?: Uint8Array;
  /** The encoded Definition that the file comes from. */
  readonly definition?: Uint8Array;
}

/** Places in a source file that made an op. Lines start at 1, characters at 0. */
export interface SourceLocation {
  readonly file: SourceFile;
  readonly ranges: readonly { readonly start: SourcePlace; readonly end: SourcePlace }[];
}
export interface SourcePlace {
  readonly line: number;
  readonly character: number;
}

/** Vertices that progress shows as one line (pb.ProgressGroup). A weak member alone does not show it. */
export interface ProgressGroup {
  readonly id: string;
  readonly name: string;
  readonly weak?: boolean;
}

/** What a vertex carries besides its bytes: it never changes the digest (pb.OpMetadata and pb.Source). */
export interface VertexMeta {
  /** Shown in progress: `<component path>: <op in words>`. */
  readonly name: string;
  /** Path of the component it belongs to; becomes the progress group. */
  readonly component: string;
  /** The op's lines in CUE; become the LLB source map (names and ranges only, never text). */
  readonly at: readonly Position[];
  /** Places in files of other languages than CUE, after those of `at`. */
  readonly locations?: readonly SourceLocation[];
  /** In place of the group that `component` makes. */
  readonly group?: ProgressGroup;
  readonly ignoreCache?: boolean;
  /** Whether its result goes into an exported cache; undefined leaves it to the export's mode. */
  readonly exportCache?: boolean;
  /** Further texts for pb.OpMetadata.description; `llb.customname` is `name`. */
  readonly description?: Readonly<Record<string, string>>;
  /** Limits of an exec's cgroup. */
  readonly resources?: Resources;
}

/** pb.LinuxResources: memory in bytes, CPU times in microseconds, cpusets as `0-3,5`; 0 and "" mean no limit. */
export interface Resources {
  readonly memory?: bigint;
  readonly memorySwap?: bigint;
  readonly cpuShares?: bigint;
  readonly cpuPeriod?: bigint;
  readonly cpuQuota?: bigint;
  readonly cpusetCpus?: string;
  readonly cpusetMems?: string;
}

interface Base {
  readonly meta: VertexMeta;
  /** containerd filters that a worker must match (pb.WorkerConstraints). */
  readonly workerFilters?: readonly string[];
}

/**
 * pb.SourceOp. `attrs` are written as they are, except that a local source without `local.session` and `local.unique` gets the job's
 * `local.unique`. Only image and OCI sources have a platform.
 */
export interface SourceVertex extends Base {
  readonly kind: "source";
  readonly identifier: string;
  readonly attrs: Readonly<Record<string, string>>;
  readonly platform?: Platform;
  /** Capabilities that the daemon must have beyond those that `identifier` and `attrs` tell, e.g. `source.local.differ`. */
  readonly caps?: readonly string[];
}

/**
 * A process on the client, and the directory that it leaves. To the daemon it is a local source; what the process takes is known to the
 * graph only, where people see it.
 */
export interface HostVertex extends Base {
  readonly kind: "host";
  readonly identifier: string;
  readonly attrs: Readonly<Record<string, string>>;
  readonly inputs: readonly Output[];
}

/** pb.ExecOp. The first mount is the root ("/"); the marshaller orders mounts and numbers outputs as client/llb does. */
export interface ExecVertex extends Base {
  readonly kind: "exec";
  readonly args: readonly string[];
  readonly env: readonly (readonly [name: string, value: string])[];
  readonly cwd: string;
  readonly user: string;
  readonly hostname?: string;
  readonly cgroupParent?: string;
  readonly extraHosts: readonly { readonly host: string; readonly ip: string }[];
  readonly network: "sandbox" | "host" | "none";
  readonly insecure: boolean;
  readonly validExitCodes: readonly number[];
  readonly ulimits: readonly { readonly name: string; readonly soft: number; readonly hard: number }[];
  readonly devices: readonly { readonly name: string; readonly optional: boolean }[];
  readonly proxy?: { readonly http: string; readonly https: string; readonly ftp: string; readonly no: string; readonly all: string };
  readonly secretEnv: readonly { readonly id: string; readonly name: string; readonly optional: boolean }[];
  readonly root: Ref;
  /** A read-only root gives no output: what follows goes on from `root`. */
  readonly rootReadonly?: boolean;
  readonly mounts: readonly Mount[];
  /** undefined: the one that the job is for. */
  readonly platform?: Platform;
}

/**
 * A mount other than the root. `execOutputIndex(vertex, dest)` in compiler/llb tells the output index of a writable bind.
 * `from: null` mounts an empty directory; `selector` is a path below it, "" for all of it. Modes are octal bits, sizes bytes (0: no limit).
 */
export type Mount =
  | {
      readonly kind: "bind";
      readonly dest: string;
      readonly from: Ref;
      readonly selector: string;
      readonly readonly: boolean;
      /** false: what is written to it is thrown away. */
      readonly output: boolean;
      /** Whether the mount's content, not only its definition, may give a cache hit; undefined leaves it to the daemon. */
      readonly contentCache?: "on" | "off";
    }
  | {
      readonly kind: "cache";
      readonly dest: string;
      readonly id: string;
      readonly sharing: "shared" | "private" | "locked";
      readonly from: Ref;
      readonly selector: string;
      readonly readonly?: boolean;
      readonly contentCache?: "on" | "off";
    }
  | { readonly kind: "tmpfs"; readonly dest: string; readonly size: number; readonly readonly?: boolean }
  | SessionMount<"secret">
  /** dest "" means `/run/buildkit/ssh_agent.N`; the first one becomes SSH_AUTH_SOCK unless `env` sets it. */
  | SessionMount<"ssh">;

/** A file or socket that the client's session serves under `id`. */
interface SessionMount<Kind extends string> {
  readonly kind: Kind;
  readonly dest: string;
  readonly id: string;
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
  readonly optional: boolean;
}

/** pb.FileOp: a chain of actions on `base`, oldest first; the result is that of the last. */
export interface FileVertex extends Base {
  readonly kind: "file";
  readonly base: Ref;
  readonly actions: readonly FileAction[];
  /** Further inputs, after those of the actions, that no action reads: they only have to be made (client/llb has no word for it). */
  readonly also?: readonly Output[];
  readonly platform?: Platform;
}

/** A user or group: `{ name }` is looked up in the filesystem that the action works on, `{ id }` is taken as it is. */
export type Owner = { readonly id: number } | { readonly name: string };
export interface Chown {
  readonly user?: Owner;
  readonly group?: Owner;
}

/** Actions on a filesystem of their own, inside the op whose copy takes its files from their result; the same object is done once. */
export interface FileChain {
  readonly base: Ref;
  readonly actions: readonly FileAction[];
}

/** Timestamps are nanoseconds since 1970; undefined leaves what the daemon does by default. */
export type FileAction =
  | {
      readonly kind: "copy";
      readonly from: Ref;
      /** Takes the place of `from`, which is null then. */
      readonly chain?: FileChain;
      readonly src: string;
      readonly dest: string;
      readonly chown?: Chown;
      /** Octal bits; undefined keeps the source's. */
      readonly mode?: number;
      readonly modeStr?: string;
      readonly followSymlinks: boolean;
      readonly dirCopyContents: boolean;
      readonly attemptUnpack: boolean;
      readonly createDestPath: boolean;
      readonly allowWildcard: boolean;
      readonly allowEmptyWildcard: boolean;
      readonly include: readonly string[];
      readonly exclude: readonly string[];
      readonly alwaysReplaceExistingDestPaths: boolean;
      readonly requiredPaths: readonly string[];
      readonly timestamp?: bigint;
    }
  | {
      readonly kind: "mkfile";
      readonly path: string;
      readonly mode: number;
      readonly data: Uint8Array;
      readonly chown?: Chown;
      readonly timestamp?: bigint;
    }
  | {
      readonly kind: "mkdir";
      readonly path: string;
      readonly mode: number;
      readonly makeParents: boolean;
      readonly chown?: Chown;
      readonly timestamp?: bigint;
    }
  | { readonly kind: "rm"; readonly path: string; readonly allowNotFound: boolean; readonly allowWildcard: boolean }
  | { readonly kind: "symlink"; readonly oldpath: string; readonly newpath: string; readonly chown?: Chown; readonly timestamp?: bigint };

/** pb.MergeOp; `inputs` has at least two entries and no scratch. */
export interface MergeVertex extends Base {
  readonly kind: "merge";
  readonly inputs: readonly Output[];
}

/** pb.DiffOp. */
export interface DiffVertex extends Base {
  readonly kind: "diff";
  readonly lower: Ref;
  readonly upper: Ref;
}

/** pb.BuildOp: solve the Definition that lies in `from` under `filename`. */
export interface BuildVertex extends Base {
  readonly kind: "build";
  readonly from: Output;
  readonly filename?: string;
  /** undefined: the one that the job is for. */
  readonly platform?: Platform;
}

/** pb.PassthroughOp: hands some of its inputs on once all of them are made. Older daemons do not know it. */
export interface PassthroughVertex extends Base {
  readonly kind: "passthrough";
  /** Part of what it is: equal ids with equal inputs are one vertex. */
  readonly id: string;
  readonly inputs: readonly Output[];
  /** Output i is the input `outputs[i]`. */
  readonly outputs: readonly number[];
}

/**
 * An op of a Definition that somebody else made, e.g. the daemon's Dockerfile frontend: its bytes are kept as they are. `bytes` names the
 * ops below it by digest, so `inputs` must encode to exactly these digests.
 */
export interface RawVertex extends Base {
  readonly kind: "raw";
  readonly bytes: Uint8Array;
  /** Kind of the op in pb.Op, e.g. `exec`. */
  readonly op: string;
  /** In the order of pb.Op.inputs. */
  readonly inputs: readonly Output[];
  readonly caps: readonly string[];
}
