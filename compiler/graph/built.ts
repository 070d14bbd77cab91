// What a graph is built with, and what one program became in it.
import type { LocalSource } from "../job.ts";
import type { Program } from "../ops/program.ts";
import type { ExportFormat, LockNeed, WantedImage } from "../ops/spec.ts";
import type { OpBase } from "../ops/use.ts";
import type { State } from "./state.ts";
import type { Output, Platform, Ref, VertexMeta } from "./vertex.ts";

/** What the graph is built for and with. */
export interface BuildOptions {
  readonly platform: Platform;
  /** Absolute directory that no path may leave. */
  readonly workspace: string;
  /** Absolute directories outside of it that whoever runs the job names: they may be used, too. */
  readonly granted?: readonly string[];
  /** Absolute directory that relative paths start from: the config's. */
  readonly configDir: string;
  /** Where what is saved goes instead, when the config does not lie where its user works. */
  readonly destinations?: { readonly workspace: string; readonly configDir: string };
  /** Prefix for ids of caches without a name of their own, so that workspaces do not share them. */
  readonly cacheScope?: string;
  /** The platform of processes that the job itself needs; by default `platform`. */
  readonly runPlatform?: Platform;
  /** The directory on the client that holds `dagger-run` and other programs of ours for a platform. */
  readonly helper: (platform: Platform) => LocalSource;
  /** Lines of the client's known_hosts for `host[:port]`; undefined when it knows no key of it. */
  readonly knownHosts?: (host: string) => string | undefined;
  /** What names are to be taken as; asked for each of them. Left out where there is no lock. */
  readonly locked?: (need: LockNeed) => string | undefined;
  /** A name that no other run has: `always` steps carry it. Without it they are marked as not to be cached, which costs them their cache mounts. */
  readonly run?: string;
  /** Runs every step again, whatever the daemon's cache holds. */
  readonly noCache?: boolean;
  /** The directory (absolute) that the host step of a key left; undefined: it has not run. Without it all are taken to have run. */
  readonly hosts?: (key: string) => string | undefined;
  /** `local.unique` of a directory; without it the marshaller's is used for all. */
  readonly localUnique?: (dir: string) => string;
}

/** An exported value: `from` holds it as the file `/value`. */
export interface BuiltValue {
  readonly op: OpBase<string>;
  readonly format: ExportFormat;
  readonly from: Output;
}

/** A directory that goes to the client. */
export interface BuiltDir {
  readonly op: OpBase<string>;
  readonly meta: VertexMeta;
  readonly from: Ref;
  readonly src: string;
  /** Absolute, on the client. */
  readonly dest: string;
  /** What else lies there is removed. */
  readonly exact: boolean;
}

/** A verdict: `from` holds what failed as the file `/value`, which is empty when nothing did. */
export interface BuiltVerdict {
  readonly op: OpBase<string> & { readonly part?: string };
  readonly from: Output;
}

/** An image that leaves the job. */
export interface BuiltImage extends WantedImage {
  readonly op: OpBase<string>;
  readonly meta: VertexMeta;
  readonly state: State;
  /** The steps of the component before it. */
  readonly after: readonly Output[];
}

/** What one program became. */
export interface Built {
  readonly program: Program;
  readonly state: State;
  readonly values: readonly BuiltValue[];
  readonly dirs: readonly BuiltDir[];
  readonly verdicts: readonly BuiltVerdict[];
  readonly images: readonly BuiltImage[];
  /** Every filesystem on the way whose making may matter by itself: those of execs. */
  readonly steps: readonly Output[];
}
