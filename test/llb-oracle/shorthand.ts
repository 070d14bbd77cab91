// Short ways to write vertices in the cases: every field has its plainest value unless given.
import type {
  DiffVertex,
  ExecVertex,
  FileAction,
  FileVertex,
  MergeVertex,
  Mount,
  Output,
  Platform,
  Ref,
  SourceVertex,
  Vertex,
  VertexMeta,
} from "../../compiler/graph/vertex.ts";
import type { MarshalOptions } from "../../compiler/llb/index.ts";
import type { Case } from "./graph.ts";

export const AMD64: Platform = { os: "linux", architecture: "amd64" };
export const ARM64: Platform = { os: "linux", architecture: "arm64" };
export const ARM_V7: Platform = { os: "linux", architecture: "arm", variant: "v7" };
export const OPTIONS: MarshalOptions = { platform: AMD64, localUniqueId: "unique-of-this-job" };

const META: VertexMeta = { name: "", component: "", at: [] };

export function of(title: string, terminal: Ref, options: Partial<MarshalOptions> = {}): Case {
  return { title, terminal, options: { ...OPTIONS, ...options } };
}

export function out(vertex: Vertex, index = 0): Output {
  return { vertex, index };
}

export function source(identifier: string, attrs: Readonly<Record<string, string>> = {}, more: Partial<SourceVertex> = {}): Output {
  return out({ kind: "source", meta: META, identifier, attrs, ...more });
}

export function image(name = "docker.io/library/debian:12", more: Partial<SourceVertex> = {}): Output {
  return source(`docker-image://${name}`, {}, more);
}

export function exec(root: Ref, more: Partial<ExecVertex> = {}): ExecVertex {
  return {
    kind: "exec",
    meta: META,
    args: ["make", "all"],
    env: [],
    cwd: "/",
    user: "",
    extraHosts: [],
    network: "sandbox",
    insecure: false,
    validExitCodes: [],
    ulimits: [],
    devices: [],
    secretEnv: [],
    root,
    mounts: [],
    platform: AMD64,
    ...more,
  };
}

export function file(base: Ref, ...actions: FileAction[]): FileVertex {
  return { kind: "file", meta: META, base, actions };
}

export function merge(...inputs: Output[]): MergeVertex {
  return { kind: "merge", meta: META, inputs };
}

export function diff(lower: Ref, upper: Ref): DiffVertex {
  return { kind: "diff", meta: META, lower, upper };
}

type Of<Kind extends string, T extends { kind: string }> = Extract<T, { kind: Kind }>;

export function copy(from: Ref, more: Partial<Of<"copy", FileAction>> = {}): FileAction {
  return {
    kind: "copy",
    from,
    src: "/",
    dest: "/",
    followSymlinks: false,
    dirCopyContents: false,
    attemptUnpack: false,
    createDestPath: false,
    allowWildcard: false,
    allowEmptyWildcard: false,
    include: [],
    exclude: [],
    alwaysReplaceExistingDestPaths: false,
    requiredPaths: [],
    ...more,
  };
}

export function mkfile(path: string, data: string | Uint8Array = "", more: Partial<Of<"mkfile", FileAction>> = {}): FileAction {
  return { kind: "mkfile", path, mode: 0o644, data: typeof data === "string" ? Buffer.from(data) : data, ...more };
}

export function mkdir(path: string, more: Partial<Of<"mkdir", FileAction>> = {}): FileAction {
  return { kind: "mkdir", path, mode: 0o755, makeParents: false, ...more };
}

export function bind(dest: string, from: Ref, more: Partial<Of<"bind", Mount>> = {}): Mount {
  return { kind: "bind", dest, from, selector: "", readonly: false, output: true, ...more };
}

export function cache(dest: string, more: Partial<Of<"cache", Mount>> = {}): Mount {
  return { kind: "cache", dest, id: "an-id", sharing: "shared", from: null, selector: "", ...more };
}

export function secret(dest: string, more: Partial<Of<"secret", Mount>> = {}): Mount {
  return { kind: "secret", dest, id: "token", uid: 0, gid: 0, mode: 0o400, optional: false, ...more };
}

export function ssh(dest: string, more: Partial<Of<"ssh", Mount>> = {}): Mount {
  return { kind: "ssh", dest, id: "default", uid: 0, gid: 0, mode: 0o600, optional: false, ...more };
}
