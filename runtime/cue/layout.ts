// What reading an instance finds on disk, and what it hands to the evaluator: data only. And the port to packages of other modules.
import type { Position } from "../../compiler/diagnostic.ts";
import type { ModuleDep, Package, Tags } from "./protocol.ts";

/** An instance and all it imports, in memory: plain data, so that its hash is the identity of what is evaluated. */
export interface Source {
  /** Absolute directory of the instance. */
  readonly dir: string;
  /** Absolute directory of the module, when there is one. */
  readonly moduleRoot?: string;
  /** The instance itself first. */
  readonly packages: readonly Package[];
  /** Left out when the user gave no tags. */
  readonly tags?: Tags;
}

/** A module on disk. */
export interface Module {
  /** Absolute directory that has cue.mod. */
  readonly root: string;
  /** Without the major version, e.g. `example.com/app`; empty when module.cue names none. */
  readonly path: string;
  /** Major version, e.g. `v0`; empty when there is no path. */
  readonly major: string;
  /** Language version, e.g. `v0.9.0`; empty means the newest. */
  readonly version: string;
  /** By module path with the major version. */
  readonly deps: Readonly<Record<string, ModuleDep>>;
  /** Major versions of module paths that imports leave open. */
  readonly defaults: Readonly<Record<string, string>>;
  /** cue.mod/module.cue as data, when there is one. */
  readonly file?: ModuleData & { /** cue.mod/local-module.cue. */ readonly local?: ModuleData };
}

export interface ModuleData {
  /** As messages show it. */
  readonly name: string;
  readonly data: unknown;
}

/** Where packages of other modules come from: the one seam between reading an instance and modules. */
export interface ModuleResolver {
  /** What answers depend on besides the files that are read: settings of the environment. */
  readonly identity: string;
  /** The package in each module that has it: none, the one that is meant, or several, which is ambiguous. Throws UserError (2, 3). */
  find(wanted: ModuleImport): Promise<readonly FoundPackage[]>;
}

export interface ModuleImport {
  readonly main: Module;
  /** Import path without major version and package name. */
  readonly path: string;
  /** Major version in the import path, e.g. `v1`. */
  readonly major?: string;
  /** The module with the import, when that is a dependency. */
  readonly from?: FoundPackage["module"];
  /** Only modules that the main module itself asks for. */
  readonly rootsOnly?: boolean;
  readonly at: Position;
}

export interface FoundPackage {
  /** Absolute. */
  readonly dir: string;
  /** Absolute directory of its module. */
  readonly root: string;
  readonly module: { readonly path: string; readonly version: string };
  /** Language version of its module. */
  readonly language: string;
  /** Under which name it is in the build. */
  readonly importPath: string;
  /** Other files that the answer depends on. */
  readonly watch?: readonly string[];
}

/** Where the files of a package lie. */
export interface PackageDir {
  readonly dirs: readonly string[];
  /** The package is the user's own: in the main module, and not vendored. */
  readonly own: boolean;
  /** The module that its imports are looked up for: its own, or the main module for what is vendored there. */
  readonly module?: Module;
  /** The package is in a module that the main module depends on. */
  readonly dependency?: FoundPackage;
  /** Path of the module that may embed files; empty when the package may not. */
  readonly embeds: string;
  /** Files of the same package in parents up to here belong to it. */
  readonly root?: string;
  /** How its files are shown when that is not their path. */
  readonly shownAs?: (file: string) => string;
}

/** A file that was read. */
export interface CueFile {
  /** Absolute path. */
  readonly path: string;
  readonly name: string;
  readonly text: string;
}
