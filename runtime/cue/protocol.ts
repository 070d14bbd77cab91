// The border between TypeScript and the shim. Twin of shim/protocol.go: change both or neither.
// One request is one JSON object; its answer is one JSON object: a result, `findings`, or `internal`.
import type { Kind } from "../../compiler/value.ts";

export type Request =
  | ScanRequest
  | DataRequest
  | ModuleRequest
  | LoadRequest
  | ShowRequest
  | FillRequest
  | FormatRequest
  | DepsRequest
  | DocRequest
  | PrepareRequest;

/** Parse files and say what they need. The shim keeps the syntax trees for a load of the same text. */
export interface ScanRequest {
  readonly call: "scan";
  readonly files: readonly File[];
  /** What the user gave as tags, each NAME or NAME=VALUE; a bare name is what `@if` asks for. */
  readonly tags: readonly string[];
  /** Language version of the files' module, e.g. `v0.9.0`; empty means the newest. */
  readonly version: string;
}

/** One file that stands alone, such as a registry configuration, as JSON. */
export interface DataRequest {
  readonly call: "data";
  readonly files: readonly [File];
}

/** Read cue.mod/module.cue, with cue.mod/local-module.cue behind it when there is one. */
export interface ModuleRequest {
  readonly call: "module";
  readonly files: readonly File[];
}

/** Build the instance `packages[0]`, fill it and export it. */
export interface LoadRequest extends Partial<Tags> {
  readonly call: "load";
  readonly packages: readonly Package[];
  readonly fills: readonly Fill[];
  /** Labels of definitions whose values are exported and below which references are shared, e.g. `#up`. */
  readonly follow: readonly string[];
}

/** As `load`; what is asked for comes back as text for people. */
export interface ShowRequest extends Omit<LoadRequest, "call"> {
  readonly call: "show";
  readonly show: Show;
}

/** What is to be shown of an instance, and how. */
export interface Show {
  /** Evaluated in the scope of the instance; empty means the instance itself. */
  readonly expression: string;
  readonly format: "cue" | "json" | "yaml" | "text";
  /** Hidden and optional fields, too; only for `cue`. */
  readonly all: boolean;
  /** A value that is not known is an error; that it is for the other formats anyway. */
  readonly concrete: boolean;
}

/** Files in the standard format. */
export interface FormatRequest {
  readonly call: "format";
  readonly files: readonly File[];
  /** Language version of the files' module; empty means the newest. */
  readonly version: string;
}

/** Module files with other versions in their deps; comments, the order and all else stay. */
export interface DepsRequest {
  readonly call: "deps";
  readonly files: readonly File[];
  /** All modules with their versions, by name with the major version. */
  readonly deps: Readonly<Record<string, string>>;
}

/** What the files of one package say to people. */
export interface DocRequest {
  readonly call: "doc";
  readonly files: readonly File[];
  /** Language version of the files' module; empty means the newest. */
  readonly version: string;
}

/** What comes into fields with `@tag(NAME)`. */
export interface Tags {
  /** What the user gave, each NAME or NAME=VALUE. */
  readonly tags: readonly string[];
  /** Tags that some `@if` of the user's module has asked for. */
  readonly knownTags: readonly string[];
  /** Values for `@tag(var=NAME)` that no tag has set, by name; left out when they are not wanted. */
  readonly vars?: Readonly<Record<string, Var>>;
}

/** A value of the machine or the moment. */
export interface Var {
  readonly kind: "string" | "int";
  readonly text: string;
}

/** The loaded instance with other fills: all of them, not only the new ones. */
export interface FillRequest {
  readonly call: "fill";
  readonly fills: readonly Fill[];
}

/** Compile packages that a later load will probably import, and forget everything else. Used while a snapshot is made. */
export interface PrepareRequest {
  readonly call: "prepare";
  readonly packages: readonly Package[];
  readonly follow: readonly string[];
}

/** A CUE file in memory; `name` is what positions show. */
export interface File {
  readonly name: string;
  readonly text: string;
  /** What its `@embed` attributes ask for. */
  readonly embedded?: readonly Embedded[];
}

/** A file that a CUE file embeds, or something that it must not. */
export interface Embedded {
  /** Relative to the directory of the CUE file, with slashes. */
  readonly path: string;
  /** "elsewhere": it lies in another module. */
  readonly kind: "file" | "directory" | "none" | "elsewhere";
  /** What positions in it show. */
  readonly name: string;
  /** Contents in base64. */
  readonly data?: string;
}

/** One instance. */
export interface Package {
  /** With the package name when that differs from its last element, e.g. `example.com/x:main`. */
  readonly importPath: string;
  readonly name: string;
  /** The files are the user's, not a library's. */
  readonly own: boolean;
  readonly version: string;
  /** Path of its module; only packages of modules embed files. */
  readonly module?: string;
  readonly files: readonly File[];
  /** Each import path, as the files write it, with an index of `packages`; builtin packages are left out. */
  readonly imports: Readonly<Record<string, number>>;
}

/** One value put at a CUE path: `text` is a string where the field admits one, else a CUE literal; `json` is data. */
export interface Fill {
  readonly path: string;
  readonly text?: string;
  readonly json?: string;
  /** Shown as the file in conflicts, e.g. `-i name=…`. One value that goes to several places has one origin. */
  readonly origin: string;
  /** The path may lead through elements of lists that are there. */
  readonly elements?: boolean;
}

export interface Scanned {
  readonly name: string;
  readonly package: string;
  /** Its `@if` or `@ignore` attribute leaves the file out. */
  readonly ignored: boolean;
  readonly imports: readonly Import[];
  /** Those that its `@if` asks for. */
  readonly tags: readonly string[];
  /** Those that its `@tag` attributes name. */
  readonly vars: readonly string[];
  readonly embeds: readonly Embed[];
}

/** One import: `path` is what the file has, the rest is its parts. */
export interface Import {
  readonly path: string;
  readonly at: WirePosition;
  /** Without version and package name. */
  readonly location: string;
  /** A major version such as `v1`, or empty. */
  readonly version: string;
  readonly package: string;
  /** Why it is no import path at all. */
  readonly wrong?: string;
}

/** A path, or a pattern of paths, relative to the file that embeds it. */
export interface Embed {
  readonly path: string;
  readonly glob: boolean;
}

/** What a module says of itself. */
export interface ModuleFile {
  /** With the major version; empty when the file names none. */
  readonly module: string;
  /** Version of CUE; empty when the file names none, as those of old CUE do. */
  readonly language: string;
  /** By module path with the major version. */
  readonly deps: Readonly<Record<string, ModuleDep>>;
  /** Major versions of module paths that imports leave open. */
  readonly defaults: Readonly<Record<string, string>> | null;
}

export interface ModuleDep {
  readonly version: string;
  readonly default: boolean;
  /** Another module, or a directory when it starts with `.` or `/`. */
  readonly replaceWith: string;
  readonly at: WirePosition;
}

export interface WirePosition {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface Finding {
  readonly code: string;
  readonly message: string;
  readonly path?: string;
  readonly at: readonly WirePosition[];
  /** One thing to do next. */
  readonly hint?: string;
}

/** A package as its files describe it. */
export interface Documented {
  /** Empty for files without a package clause. */
  readonly package: string;
  /** What the comments of its package clauses say. */
  readonly doc: string;
  /** In the order of the files. */
  readonly fields: readonly DocField[] | null;
}

/** A field or a definition, as it is declared. Hidden ones, and those with a computed label, are left out. */
export interface DocField {
  /** As CUE writes it; a pattern in brackets. */
  readonly name: string;
  /** "!" must be given, "?" may be left out. */
  readonly mark: "" | "!" | "?";
  /** CUE text; empty for a struct whose fields are told. */
  readonly type: string;
  /** CUE text; empty when there is none. */
  readonly default: string;
  readonly doc: string;
  /** As they are written, e.g. `@tag(version)`. */
  readonly attributes?: readonly string[];
  /** It has ops. */
  readonly component?: boolean;
  /** The comprehension that it stands in, e.g. `if x != _|_`: it is not always there. */
  readonly when?: string;
  readonly fields?: readonly DocField[];
}

export interface Answer {
  readonly scanned?: readonly Scanned[];
  /** Answer to `data`. */
  readonly data?: unknown;
  /** Answer to `module`, and what each of its files says as it is. */
  readonly module?: ModuleFile;
  readonly raw?: readonly unknown[];
  /** Answer to `format` and `deps`, one text per file, in order. */
  readonly formatted?: readonly string[];
  /** Answer to `doc`. */
  readonly documented?: Documented;
  /** Answer to `show`. */
  readonly shown?: string;
  readonly findings?: readonly Finding[];
  /** A bug in the shim or in CUE: text for a bug report. */
  readonly internal?: string;
  /** The place that was evaluated when it happened, where that is known. */
  readonly during?: readonly WirePosition[];
}

/** What `load` and `fill` answer: tables, and nodes that point into them; `nodes[0]` is the root. */
export interface Exported {
  readonly files: readonly string[];
  readonly texts: readonly string[];
  readonly attributes: readonly (readonly (readonly [name: string, body: string])[])[];
  readonly nodes: readonly Node[];
  /** What is wrong with the values; then the nodes only serve to find more that is wrong. */
  readonly findings?: readonly Finding[];
  /** References to nothing stand in the nodes as any value. */
  readonly guessed?: boolean;
}

export interface Node {
  readonly k: Kind;
  /** Scalar as text, bytes as base64. */
  readonly s?: string;
  /** Path, only when it differs from the path of the node's first use in the order of `nodes`. */
  readonly p?: string;
  readonly f?: readonly Use[];
  readonly i?: readonly Use[];
  /** Constraint as CUE text. */
  readonly t?: string;
  readonly m?: readonly (readonly [path: string, type: string, places: readonly number[]])[];
  readonly e?: readonly Finding[];
}

/**
 * One use of a value. `target` is the index of a node, or a scalar written in place; `places` are numbers, three for each place:
 * index of the file, line, column; `doc` and `attributes` are indexes, -1 for none.
 */
export type Use = readonly [
  label: string,
  target: number | readonly [kind: Kind, text: string],
  places: readonly number[],
  doc: number,
  attributes: number,
];
