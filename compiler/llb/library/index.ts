// `cuellb/llb`: LLB graphs by hand. States are immutable; `marshal` makes of one what a daemon solves. See docs/llb-library.md.

export type { Diagnostic, Position } from "../../diagnostic.ts";
export { UserError } from "../../diagnostic.ts";
export type { Chown, Owner, Platform, ProgressGroup, Resources, SourceFile, SourceLocation, SourcePlace } from "../../graph/vertex.ts";
export type { Definition } from "../../job.ts";
export type { GitSignature } from "../attributes.ts";
export { describeDefinition, type OpDescription } from "../describe.ts";
export { formatPlatform, normalizePlatform, parsePlatform } from "../platform.ts";
export { printDefinition } from "../print.ts";
export { normalizeReference, type Reference } from "../reference.ts";
export { diff, merge, passthrough } from "./combine.ts";
export type { ProxyOptions, RunOptions } from "./exec.ts";
export {
  BoundActions,
  type CopyOptions,
  type CopySource,
  copy,
  FileActions,
  type MadeOptions,
  type MkdirOptions,
  mkdir,
  mkfile,
  type RmOptions,
  rm,
  symlink,
} from "./file-actions.ts";
export type { ExtraHost, NetworkMode, SecurityMode, Ulimit } from "./filesystem.ts";
export { readDefinition } from "./import.ts";
export { type MarshalOptions, marshal } from "./marshal.ts";
export {
  type BindMount,
  type BindOptions,
  bind,
  type CacheMount,
  type CacheOptions,
  cache,
  type MountSpec,
  type SecretMount,
  type SessionOptions,
  type SshMount,
  type SshOptions,
  secret,
  ssh,
  type TmpfsMount,
  tmpfs,
} from "./mounts.ts";
export { type OpOptions, SourceText, sourceFile } from "./options.ts";
export { shellWords } from "./shell-words.ts";
export {
  type BlobOptions,
  type GitOptions,
  git,
  type HttpOptions,
  http,
  type ImageAnswer,
  type ImageOptions,
  type ImageRequest,
  image,
  imageBlob,
  type LocalOptions,
  local,
  type OciLayoutOptions,
  ociLayout,
  ociLayoutBlob,
  type SourceOptions,
  scratch,
} from "./sources.ts";
export { ExecState, type PlainOptions, State, type StateValues } from "./state.ts";
