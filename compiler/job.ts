// Job: what one compilation gives to the engine: one Definition, and how to serve and read everything around it.
import type { Position } from "./diagnostic.ts";
import type { ExecVertex, Output, Platform, Ref, Vertex } from "./graph/vertex.ts";
import type { ComponentOps } from "./ops/described.ts";
import type { Missing } from "./value.ts";

/** A directory on the client that the session serves as `local://<name>`. */
export interface LocalSource {
  readonly name: string;
  /** Absolute. */
  readonly dir: string;
  readonly at: readonly Position[];
}

/** One value that comes back: the file `file` of the result, decoded as `format`, is filled in at CUE path `path`. */
export interface ValueOutput {
  readonly file: string;
  readonly path: string;
  readonly format: "string" | "json" | "yaml" | "number" | "boolean";
  readonly at: readonly Position[];
}

/** One directory that comes back: the tree below `prefix` of the result is written to `dest` (absolute). */
export interface DirOutput {
  readonly prefix: string;
  readonly dest: string;
  /** What else lies at `dest` is removed. */
  readonly exact: boolean;
  readonly path: string;
  readonly at: readonly Position[];
}

/** The file `file` of the result is empty, or its text is what failed: read when all else is in place. */
export interface VerdictOutput {
  readonly file: string;
  /** CUE path of the op, or of the part of its component that fails by it. */
  readonly path: string;
  readonly at: readonly Position[];
}

/** Where an image goes: to a registry, or into an archive on the client (`dest` is absolute). References are normalised. */
export type ImageTarget =
  | { readonly kind: "push"; readonly ref: string }
  | { readonly kind: "save"; readonly ref: string; readonly dest: string; readonly format: "docker" | "oci" };

/** What an image says of its own making, in options as BuildKit names them (`mode`, `generator`); false: it must not say that. */
export interface Attest {
  readonly provenance?: Readonly<Record<string, string>> | false;
  readonly sbom?: Readonly<Record<string, string>> | false;
}

/** One image that leaves the job. Each is solved by itself, over the vertices of the job's graph. */
export interface ImageOutput {
  readonly target: ImageTarget;
  readonly attest: Attest;
  /** Milliseconds that it may take, once the image is made. */
  readonly timeout?: number;
  readonly platforms: readonly ImagePlatform[];
  /** What must have succeeded before, beyond what the image is made of: the steps before it in its component. */
  readonly after: Definition | undefined;
  /** Equal keys mean equal images at the same place. */
  readonly key: string;
  /** CUE paths that its digest becomes the value of. */
  readonly values: readonly string[];
  /** The component that it belongs to. */
  readonly component: string;
  /** CUE path of the op. */
  readonly path: string;
  /** The op in words. */
  readonly name: string;
  readonly at: readonly Position[];
}

export interface ImagePlatform {
  /** `os/architecture[/variant]`. */
  readonly platform: string;
  readonly fs: Ref;
  readonly definition: Definition;
  /** OCI image config as JSON. */
  readonly config: Uint8Array;
}

/** A component that waits for values: computed ones, for a later pass to compile it, or such that nothing gives. */
export interface Deferred {
  readonly path: string;
  /** CUE paths of the components whose host steps it waits for. */
  readonly hosts?: readonly string[];
  readonly missing: readonly Missing[];
  readonly at: readonly Position[];
}

/** A text that is known, or that lies in a file of the step's input. */
export type HostText = string | { readonly file: string };

/** A process on the client that can run now. What it leaves in the directory goes on in the next pass. Times are milliseconds. */
export interface HostStep {
  /** Tells it from all others of the job, in all passes: a digest of all that it does and takes. */
  readonly key: string;
  /** CUE path of the op. */
  readonly path: string;
  readonly component: string;
  /** The op in words. */
  readonly name: string;
  readonly at: readonly Position[];
  /** The command line, as a person agrees to it. */
  readonly line: string;
  /** What has to be computed before: `root/` holds the filesystem that it starts with, `values/` texts. Undefined when that is nothing. */
  readonly input: Definition | undefined;
  /** Whether the input has `root/`. */
  readonly files: boolean;
  readonly args: readonly HostText[];
  readonly env: readonly (readonly [name: string, value: HostText | { readonly secret: string; readonly optional: boolean }])[];
  /** Absolute, in the filesystem. */
  readonly dir: string;
  readonly stdin?: HostText | Uint8Array;
  readonly validExitCodes: readonly number[];
  /** Of one try. */
  readonly timeout?: number;
  readonly retry?: { readonly count: number; readonly backoff: number };
  /** It goes on after the run. */
  readonly service?: HostService;
  /** It runs in a container of this image; the filesystem is not brought to a directory then. */
  readonly image?: ImagePlatform;
}

/** A component that is a test, with the CUE paths of its reports. */
export interface Test {
  readonly path: string;
  readonly at: readonly Position[];
  readonly reports: readonly string[];
}

/** What makes a component run, when nobody names it. */
export type Trigger =
  | { readonly kind: "auto" | "manual" }
  /** As cron has it, in a time zone of the IANA; whoever keeps time knows whether they are right. */
  | { readonly kind: "schedule"; readonly schedule: string; readonly timezone: string; readonly at: readonly Position[] };

/** A component that runs when something has become of others. */
export interface Hook {
  readonly path: string;
  readonly on: "start" | "error" | "success" | "exit";
  /** CUE paths of the components that it is about, as far as they run; empty for the whole run. */
  readonly of: readonly string[];
  /** CUE paths of all that these need, and of themselves. */
  readonly needs: readonly string[];
  /** CUE path of its field that takes what happened. */
  readonly event?: string;
  readonly at: readonly Position[];
}

/** A component, or a field with several of them, that its trigger keeps from running. */
export interface Waiting {
  readonly path: string;
  readonly trigger: Trigger;
}

/** What there is to know of a process that goes on. Times are milliseconds. */
export interface HostService {
  readonly name: string;
  readonly ready?: ReadyProbe;
  readonly restart: "never" | "on-failure" | "always";
  /** Before it is started again; twice as long each further time. */
  readonly backoff: number;
  /** Between being told to end and being killed. */
  readonly grace: number;
  /** Commands before its start and after its end; empty for none. */
  readonly onStart: readonly string[];
  readonly onExit: readonly string[];
  /** It runs in a container, which gets this of the machine. */
  readonly container?: ServiceContainer;
}

export interface ServiceContainer {
  /** As container engines have them: `8080:80`, `127.0.0.1:8080:80/tcp`. */
  readonly ports: readonly string[];
  /** Where each is in the container, and what it is: the name of a volume, or an absolute directory of the machine. */
  readonly volumes: readonly (readonly [path: string, what: string])[];
  /** Of the engine, such as `host`. */
  readonly network?: string;
}

/** How one sees that a service is ready: an address, a command, or a pattern for a line of its output. */
export type ReadyProbe = { readonly timeout: number; readonly interval: number } & (
  | { readonly kind: "http" | "tcp" | "log"; readonly what: string }
  | { readonly kind: "command"; readonly what: readonly string[] }
);

/** The graph of a pass: the terminal vertex that collects every leaf, and the components in it. */
export interface Graph {
  readonly terminal: Ref;
  readonly components: readonly Component[];
  /** Images that leave the job beside the terminal vertex. */
  readonly images: readonly ImageOutput[];
  /** What follows the components, when something has become of them: no steps of this graph. */
  readonly hooks: readonly Hook[];
}

export interface Component {
  readonly path: string;
  readonly at: readonly Position[];
  /** The filesystem the component ends with. */
  readonly output: Ref;
  /** What a further process in it would start with. */
  readonly process: {
    readonly env: readonly (readonly [name: string, value: string])[];
    /** Variables that the job computes: each is the text of the file `/value` of its filesystem. */
    readonly computedEnv: readonly (readonly [name: string, value: Output])[];
    readonly dir: string;
    readonly user: string;
    readonly platform: Platform;
    /** The last exec of its ops: its mounts and network. */
    readonly like?: ExecVertex;
  };
  readonly doc: string;
}

/** A Definition in the fields of pb.Definition, plus what each digest is; encode with compiler/llb. */
export interface Definition {
  readonly ops: readonly Uint8Array[];
  /**
   * Per op of `ops` (same order): digest (`sha256:…`), the vertex it is named after, and all the vertices that became this op because
   * their bytes are equal; the last op is the terminal one without a vertex.
   */
  readonly nodes: readonly { readonly digest: string; readonly vertex?: Vertex; readonly vertices: readonly Vertex[] }[];
  /** The pb.Definition message: what is sent, and what `buildctl build` reads. */
  readonly encoded: Uint8Array;
}

/** A component as it is related to others, wherever it lies. */
export interface Part {
  /** CUE path. */
  readonly path: string;
  readonly at?: Position;
  readonly doc: string;
  /** A box of its own in pictures of components, also inside of another component: its ops are marked with `@dagger(box)`. */
  readonly box: boolean;
  /** `deferred`: it waits for values. `waiting`: its trigger keeps it from running, or it is a hook. */
  readonly state: "built" | "deferred" | "waiting";
  readonly needs: readonly PartNeed[];
}

/** What a component takes of another one: files, or the value that it exports; or what of it a hook follows. */
export interface PartNeed {
  /** CUE path of the other. */
  readonly path: string;
  readonly kind: "artifact" | "value" | `on ${Hook["on"]}`;
}

export interface Job {
  readonly graph: Graph;
  readonly definition: Definition;
  readonly values: readonly ValueOutput[];
  readonly dirs: readonly DirOutput[];
  readonly verdicts: readonly VerdictOutput[];
  readonly images: readonly ImageOutput[];
  readonly locals: readonly LocalSource[];
  /** Secret ids that the graph mounts, with the line that asks for each. */
  readonly secrets: readonly { readonly id: string; readonly optional: boolean; readonly at: readonly Position[] }[];
  /** SSH agents (and sockets) that the graph uses, as `secrets`. */
  readonly ssh: readonly { readonly id: string; readonly optional: boolean; readonly at: readonly Position[] }[];
  /** Processes that run on the client before what uses their files can be compiled. Empty where they are only assumed to have run. */
  readonly hosts: readonly HostStep[];
  /** All of them, also of components that wait for something else, as far as their ops are known. */
  readonly onHost: readonly Pick<HostStep, "path" | "component" | "line" | "at">[];
  readonly entitlements: readonly ("network.host" | "security.insecure" | "device")[];
  /** CUE paths of the components that were asked for, as far as this pass has them. */
  readonly wanted: readonly string[];
  readonly deferred: readonly Deferred[];
  /** What no pass can compute, because nothing gives the values that it misses; only of gradual compilations. */
  readonly undone: readonly Deferred[];
  /** The tests that run; only where tests were asked for. */
  readonly tests: readonly (Omit<Test, "reports"> & { readonly reports: readonly { readonly path: string; readonly dest: string }[] })[];
  readonly waiting: readonly Waiting[];
  /** The Definition of any output of the graph, for solving it apart from the rest. */
  readonly define: (output: Output) => Definition;
  /** What gives only the values and files of the components with these paths: for solving them apart from the others. */
  readonly part: (components: ReadonlySet<string>) => Pick<Job, "definition" | "values" | "dirs" | "verdicts">;
  /** The components, with what they take of each other. */
  readonly parts: () => readonly Part[];
  /** The ops that it was made from, of all components of the config, with the places of their fields. */
  readonly describe: () => readonly ComponentOps[];
}
