// What an op is to the compiler: its name, its fields, how it reads, and what it adds to the graph.
import type { Diagnostic, Position } from "../diagnostic.ts";
import type { State } from "../graph/state.ts";
import type { Output, Platform, Ref, VertexMeta } from "../graph/vertex.ts";
import type { Attest, Definition, HostService, ImageTarget } from "../job.ts";
import type { Frontends, ImageRequest, ResolvedImage } from "../ports.ts";
import type { Field, Missing, Value } from "../value.ts";
import type { Computed, From, OpBase, SecretRef, Text } from "./use.ts";

/** Programs that come with dagger, for processes in containers. */
export type ToolName = "dagger-run" | "gomplate" | "jsonnet";

/** Everything there is to know about one op. One file per op makes one of these. */
export interface OpSpec<Op extends OpBase<string>> {
  readonly do: Op["do"];
  readonly fields: Fields<Op>;
  /** Checks that no single field can tell, e.g. two fields that exclude each other. */
  readonly check?: (op: Op, field: Field, context: ReadContext) => void;
  /** The op in words, for progress and printing, without its component. */
  readonly words: (op: Op) => string;
  /** The image that has to be resolved before the op can be lowered. */
  readonly image?: (op: Op, context: ImageContext) => ImageNeed | undefined;
  /** Adds the op to the graph: the state after it. The state before it stays as it is. A promise when the daemon has to be asked. */
  readonly lower: (op: Op, state: State, context: LowerContext) => State | Promise<State>;
}

/** One spec per own field of the op. */
export type Fields<Op> = { readonly [Name in Exclude<keyof Op, keyof OpBase<string>>]-?: FieldSpec<Exclude<Op[Name], undefined>> };

export interface FieldSpec<T> {
  readonly type: FieldType<T>;
  readonly required: boolean;
  /** Taken when the field is not there. */
  readonly standard?: T;
}

/** The type of a field: what it is called in messages, and how it is read. undefined: a problem or a missing value was noted. */
export interface FieldType<T> {
  readonly words: string;
  readonly read: (field: Field, context: ReadContext) => T | undefined;
}

/** Where reading an op notes what it finds. */
export interface ReadContext {
  /** Fields of the component itself that nothing gave a value. */
  readonly open: readonly Missing[];
  /** An op whose fields have only a constraint waits for them. */
  readonly gradual: boolean;
  /** What a person calls a value: the place in the config's data that refers to it. */
  nameOf(value: Value): string;
  problem(diagnostic: Diagnostic): void;
  /** The program cannot be built before these have values. */
  missing(missing: readonly Missing[]): void;
  /** The program needs the filesystem of another one, or its value. */
  use(field: Field, gives: "artifact" | "value"): void;
}

export interface ImageContext {
  readonly platform: Platform;
  readonly directory: (path: string, op: OpBase<string>, field: string) => string | undefined;
  problem(diagnostic: Diagnostic): void;
}

export type ImageNeed =
  | ({ readonly kind: "image" } & ImageRequest)
  | {
      readonly kind: "layout";
      readonly dir: string;
      readonly tag?: string;
      readonly digest?: string;
      readonly platform: Platform;
      readonly at: readonly Position[];
    };

/** `secret` is the id of the one that holds the password. */
export interface Login {
  readonly target: string;
  readonly username: string;
  readonly secret: string;
  readonly at: readonly Position[];
}

/** A git ref, an address, or an image that a Dockerfile names: nothing in the config decides what is behind it. */
export interface LockNeed {
  readonly kind: "git" | "http" | "images";
  /** `https://host/repository.git#v1`, `https://host/file`, a normalised reference. */
  readonly name: string;
  /** The source as it is without a lock. */
  readonly identifier: string;
  readonly attrs: Readonly<Record<string, string>>;
  readonly at: readonly Position[];
  /** What it stands for, where the daemon has said so already. */
  readonly value?: string;
}

/** What lowering an op may ask of the graph under construction. */
export interface LowerContext {
  /** The platform of the job. */
  readonly platform: Platform;
  /** Prefix of ids that must not be shared with other workspaces, e.g. of unnamed caches. */
  readonly cacheScope: string;
  /** CUE path of the component that the op belongs to. */
  readonly component: string;
  meta(op: OpBase<string>, name: string): VertexMeta;
  problem(diagnostic: Diagnostic): void;
  /** The state that a component or a list of inline ops ends with. */
  load(from: From): State;
  /** A filesystem with nothing but the file `/value`: what the component exported. */
  computed(text: Computed): Ref;
  image(op: OpBase<string>): ResolvedImage | undefined;
  /** Absolute path of a directory of the config; undefined (and a problem) when it leaves the workspace. */
  directory(path: string, op: OpBase<string>, field: string): string | undefined;
  /** Serves a directory of the client as `local://<name>`; `unique` is its `local.unique` when the job decides it per directory. */
  local(dir: string, at: readonly Position[]): { readonly name: string; readonly unique?: string };
  /** The platform of processes that the job itself needs, whatever the filesystem is for. */
  readonly runPlatform: Platform;
  /** A filesystem with a program of ours in it, e.g. `/gomplate`. */
  tool(program: ToolName, platform: Platform): Output;
  /** A filesystem with `/dagger-run`, the helper that puts computed values into a process. */
  helper(platform: Platform): Output;
  /** The directory that a process on the client leaves, started in `state`. Undefined: it has not run yet, and nothing can follow it. */
  host(op: OpBase<string>, state: State, process: HostProcess): Output | undefined;
  /** Asks the daemon while the graph is built; undefined (and a problem) where none may be asked. */
  frontends(op: OpBase<string>): Promise<Frontends | undefined>;
  /** A filesystem of the graph as a Definition of its own, as `frontends` takes it. */
  define(fs: Output): Definition;
  secret(id: string, optional: boolean, at: readonly Position[]): void;
  /** Notes a registry's login; two different ones for a host are a problem. */
  login(login: Login): void;
  ssh(id: string, optional: boolean, at: readonly Position[]): void;
  /** Id of a secret that nobody has and that no earlier run named, for steps that no earlier run's result may stand in for. */
  readonly never: string | undefined;
  /**
   * What a name is to be taken as that may come to mean something else: a commit, a checksum, a digest. Undefined: as it is. Not there
   * when nobody wants to know by which names things are taken. Throws UserError (2) where an image has to be locked and is not.
   */
  readonly locked: ((need: LockNeed) => string | undefined) | undefined;
  /** Lines of the client's known_hosts for `host[:port]`; undefined when it knows no key of it. */
  knownHosts(host: string): string | undefined;
  entitlement(name: "network.host" | "security.insecure" | "device"): void;
  exportValue(op: OpBase<string>, format: ExportFormat, from: Output): void;
  /** `exact`: what else lies at `dest` is removed. */
  saveDir(op: OpBase<string>, from: Ref, src: string, dest: string, exact: boolean): void;
  /** A file `/value`, whose text, where there is any, is what failed. */
  verdict(op: OpBase<string> & { readonly part?: string }, from: Output): void;
  /** The state as an image that leaves the job. */
  outputImage(op: OpBase<string>, state: State, wanted: WantedImage): void;
}

/** A process on the client. Times are milliseconds. */
export interface HostProcess {
  /** What a person agrees to: the command line with its variables. */
  readonly line: string;
  readonly args: readonly Text[];
  readonly env: readonly (readonly [name: string, value: Text | SecretRef])[];
  /** Absolute, in the filesystem. */
  readonly dir: string;
  readonly stdin?: Text | Uint8Array;
  readonly validExitCodes: readonly number[];
  /** Of one try. */
  readonly timeout?: number;
  /** Tries after the first one, and the pause before the first of them: twice as long before each further one. */
  readonly retry?: { readonly count: number; readonly backoff: number };
  /** It goes on after the run. */
  readonly service?: HostService;
  /** OCI image config (JSON) of the image that it runs in, in a container. */
  readonly imageConfig?: Uint8Array;
}

/** An image as its op wants it; `platforms` where the op says for which. */
export interface WantedImage {
  readonly target: ImageTarget;
  readonly platforms: readonly Platform[] | undefined;
  readonly attest: Attest;
  /** Milliseconds that it may take, once it is made. */
  readonly timeout?: number;
}

export type ExportFormat = "string" | "json" | "yaml" | "number" | "boolean";
