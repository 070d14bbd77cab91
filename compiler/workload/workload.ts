// Workloads: what of a config another system can run, such as Docker Compose or Kubernetes: processes, what they take and what they hand on.
import type { Diagnostic, Position } from "../diagnostic.ts";
import type { Platform } from "../graph/vertex.ts";
import type { ReadyProbe, Trigger } from "../job.ts";
import type { PublishedPort } from "../ops/published.ts";

/** A process: a task, which ends, or a daemon, which goes on. */
export interface Workload {
  readonly kind: "task" | "daemon";
  /** CUE path of its component. */
  readonly path: string;
  readonly at: readonly Position[];
  /** What it is called in its workspace; only daemons are. */
  readonly name?: string;
  /** What makes it run; `auto` for daemons. */
  readonly trigger: Trigger;
  readonly image: WorkloadImage;
  readonly process: WorkloadProcess;
  readonly mounts: readonly WorkloadMount[];
  /** Workloads that come before it, with their CUE paths: what it takes outputs of, and what it only comes after. */
  readonly needs: readonly string[];
  readonly outputs: readonly WorkloadOutput[];
  /** Only of daemons. Times are milliseconds. */
  readonly daemon?: {
    readonly ready?: ReadyProbe;
    readonly restart: "never" | "on-failure" | "always";
    readonly grace: number;
    readonly onStart: readonly string[];
    readonly onExit: readonly string[];
    /** Of its container; none where it is a process of a machine. */
    readonly ports: readonly PublishedPort[];
  };
}

/** What a process starts in. */
export interface WorkloadImage {
  /** Undefined: nothing in the config gives it a name. */
  readonly ref?: string;
  /** An archive on the client that the image is saved to, in place of a registry: absolute or relative to the config. */
  readonly archive?: string;
  /** CUE path of the op that makes what the image has to hold, and its lines; where `ref` is missing. */
  readonly lacks?: { readonly path: string; readonly at: readonly Position[]; readonly what: string };
  /** Directories that it has to have, beyond what it holds. */
  readonly dirs: readonly string[];
  readonly files: readonly WorkloadFile[];
  readonly platform?: Platform;
}

/** A file whose content the config says; `path` is absolute. */
export interface WorkloadFile {
  readonly path: string;
  readonly content: string;
  /** Octal bits. */
  readonly mode: number;
}

export interface WorkloadProcess {
  readonly args: readonly string[];
  readonly env: readonly (readonly [name: string, value: string | { readonly secret: string; readonly optional: boolean }])[];
  /** Absolute; undefined: where the image says. */
  readonly dir?: string;
  /** "" or undefined: as the image says. */
  readonly user?: string;
  readonly hosts: readonly (readonly [host: string, ip: string])[];
  readonly hostname?: string;
  readonly network: "sandbox" | "host" | "none";
  /** With all rights of the machine. */
  readonly insecure: boolean;
  /** Nothing can be written but to mounts. */
  readonly readonly: boolean;
  readonly ulimits: readonly (readonly [name: string, limit: { readonly soft: number; readonly hard: number }])[];
  /** Bytes, and a number of processors. */
  readonly limits: { readonly memory?: number; readonly cpus?: number };
  /** Milliseconds, of one try. */
  readonly timeout?: number;
  /** Tries after the first one. */
  readonly retries: number;
}

/** Paths are absolute; sizes bytes, 0 for no limit. */
export type WorkloadMount =
  | { readonly kind: "output"; readonly dest: string; readonly of: string; readonly output: string; readonly at: readonly Position[] }
  | { readonly kind: "files"; readonly dest: string; readonly files: readonly WorkloadFile[] }
  | {
      readonly kind: "secret";
      readonly dest: string;
      readonly secret: string;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
      readonly optional: boolean;
    }
  /** What outlives the container: a volume with a name, or an absolute directory of the machine that it runs on. */
  | { readonly kind: "volume"; readonly dest: string; readonly what: string }
  | { readonly kind: "tmpfs"; readonly dest: string; readonly size: number }
  | { readonly kind: "cache"; readonly dest: string; readonly readonly: boolean };

/** A file or directory that a task hands on: whoever takes it finds a file in a directory, or what is in the directory. */
export interface WorkloadOutput {
  /** CUE path of its component. */
  readonly path: string;
  /** What of the path tells it from the other outputs of the task. */
  readonly name: string;
  /** Absolute, in the filesystem of the task. */
  readonly from: string;
  /** Where a run saves it on this machine. */
  readonly save?: string;
  readonly at: readonly Position[];
}

/** What was read of a config. */
export interface Workloads {
  /** Those that were asked for and what they take, each after its needs. */
  readonly workloads: readonly Workload[];
  /** The path of the workload behind each component that was named, in their order; undefined for those that were not asked for. */
  readonly named: readonly (string | undefined)[];
  /** What no other system does: told as warnings, with what is lost. */
  readonly losses: readonly Diagnostic[];
}
