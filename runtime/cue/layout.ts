// What reading an instance finds on disk, and what it hands to the evaluator: data only.
import type { Package } from "./protocol.ts";

/** An instance and all it imports, in memory: plain data, so that its hash is the identity of what is evaluated. */
export interface Source {
  /** Absolute directory of the instance. */
  readonly dir: string;
  /** Absolute directory of the module, when there is one. */
  readonly moduleRoot?: string;
  /** The instance itself first. */
  readonly packages: readonly Package[];
}

export interface Module {
  /** Absolute directory that has cue.mod. */
  readonly root: string;
  /** Without the major version, e.g. `example.com/app`; empty when module.cue names none. */
  readonly path: string;
  /** Language version, e.g. `v0.9.0`; empty means the newest. */
  readonly version: string;
}

/** Where the files of a package lie. */
export interface PackageDir {
  readonly dirs: readonly string[];
  /** The package is the user's own: in the main module, and not vendored. */
  readonly own: boolean;
  /** Files of the same package in parents up to here belong to it. */
  readonly root?: string;
  /** How its files are shown when that is not their path. */
  readonly shownAs?: (file: string) => string;
}

/** A file that was read; `ancestor` says that it lies above the package's directory and counts only when it has its name. */
export interface CueFile {
  readonly name: string;
  readonly text: string;
  readonly ancestor: boolean;
}
