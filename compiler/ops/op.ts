// The ops: the union of all, and the table that the compiler insists on. A new op is one file and one line in each.

import type { BuildOp } from "./build.ts";
import { build } from "./build.ts";
import type { CopyOp } from "./copy.ts";
import { copy } from "./copy.ts";
import type { DiffOp } from "./diff.ts";
import { diff } from "./diff.ts";
import { dockerBuild } from "./docker-build.ts";
import type { DockerBuildOp } from "./docker-build-op.ts";
import type { DockerLoginOp } from "./docker-login.ts";
import { dockerLogin } from "./docker-login.ts";
import type { EnvOp } from "./env.ts";
import { env } from "./env.ts";
import { exec } from "./exec.ts";
import type { ExecOp } from "./exec-op.ts";
import type { ExportOp } from "./export.ts";
import { exportOp } from "./export.ts";
import type { FetchContainerOp } from "./fetch-container.ts";
import { fetchContainer } from "./fetch-container.ts";
import type { FetchGitOp } from "./fetch-git.ts";
import { fetchGit } from "./fetch-git.ts";
import type { FetchHttpOp } from "./fetch-http.ts";
import { fetchHttp } from "./fetch-http.ts";
import type { FetchOciOp } from "./fetch-oci.ts";
import { fetchOci } from "./fetch-oci.ts";
import type { HostOp } from "./host.ts";
import { host } from "./host.ts";
import type { ImageConfigOp } from "./image-config.ts";
import { imageConfig } from "./image-config.ts";
import type { LoadOp } from "./load.ts";
import { load } from "./load.ts";
import type { LocalOp } from "./local.ts";
import { local } from "./local.ts";
import type { MergeOp } from "./merge.ts";
import { merge } from "./merge.ts";
import type { MkdirOp } from "./mkdir.ts";
import { mkdir } from "./mkdir.ts";
import type { PushContainerOp } from "./push-container.ts";
import { pushContainer } from "./push-container.ts";
import type { RmOp } from "./rm.ts";
import { rm } from "./rm.ts";
import type { SaveDirOp } from "./save-dir.ts";
import { saveDir } from "./save-dir.ts";
import type { SaveImageOp } from "./save-image.ts";
import { saveImage } from "./save-image.ts";
import type { ScratchOp } from "./scratch.ts";
import { scratch } from "./scratch.ts";
import type { ServiceOp } from "./service.ts";
import { service } from "./service.ts";
import type { OpSpec } from "./spec.ts";
import type { StampOp } from "./stamp.ts";
import { stamp } from "./stamp.ts";
import type { SubdirOp } from "./subdir.ts";
import { subdir } from "./subdir.ts";
import type { SymlinkOp } from "./symlink.ts";
import { symlink } from "./symlink.ts";
import type { UserOp } from "./user.ts";
import { user } from "./user.ts";
import type { VerdictOp } from "./verdict.ts";
import { verdict } from "./verdict.ts";
import type { WorkdirOp } from "./workdir.ts";
import { workdir } from "./workdir.ts";
import type { WriteFileOp } from "./write-file.ts";
import { writeFile } from "./write-file.ts";

export type Op =
  | BuildOp
  | CopyOp
  | DiffOp
  | DockerBuildOp
  | DockerLoginOp
  | EnvOp
  | ExecOp
  | ExportOp
  | FetchContainerOp
  | FetchGitOp
  | FetchHttpOp
  | FetchOciOp
  | HostOp
  | ImageConfigOp
  | LoadOp
  | LocalOp
  | MergeOp
  | MkdirOp
  | PushContainerOp
  | RmOp
  | SaveDirOp
  | SaveImageOp
  | ScratchOp
  | ServiceOp
  | StampOp
  | SubdirOp
  | SymlinkOp
  | UserOp
  | VerdictOp
  | WorkdirOp
  | WriteFileOp;

const OPS: { readonly [Do in Op["do"]]: OpSpec<Extract<Op, { do: Do }>> } = {
  build,
  copy,
  diff,
  "docker-build": dockerBuild,
  "docker-login": dockerLogin,
  env,
  exec,
  export: exportOp,
  "fetch-container": fetchContainer,
  "fetch-git": fetchGit,
  "fetch-http": fetchHttp,
  "fetch-oci": fetchOci,
  host,
  "image-config": imageConfig,
  load,
  local,
  merge,
  mkdir,
  "push-container": pushContainer,
  rm,
  "save-dir": saveDir,
  "save-image": saveImage,
  scratch,
  service,
  stamp,
  subdir,
  symlink,
  user,
  verdict,
  workdir,
  "write-file": writeFile,
};

/** Names of all ops, sorted. */
export const opNames: readonly string[] = Object.keys(OPS).sort();

/** The spec of an op by its name; undefined for an unknown one. */
export function findSpec(name: string): OpSpec<Op> | undefined {
  // Each spec takes the op that was read by its own fields: the table's type says so, which TypeScript cannot follow through an index.
  return Object.hasOwn(OPS, name) ? (OPS[name as Op["do"]] as unknown as OpSpec<Op>) : undefined;
}

export function specOf(op: Op): OpSpec<Op> {
  return OPS[op.do] as unknown as OpSpec<Op>;
}
