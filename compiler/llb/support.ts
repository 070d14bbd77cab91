// Holds a Definition against what a daemon can do, before anything runs: an old daemon skips what it does not know, or stops halfway.
import type { Op } from "../../proto/gen/github.com/moby/buildkit/solver/pb/ops.ts";
import { type Diagnostic, UserError } from "../diagnostic.ts";
import type { Vertex } from "../graph/vertex.ts";
import type { Definition } from "../job.ts";
import { CAPS } from "./caps.ts";
import { decodeDefinition } from "./definition.ts";

/** What is known about a daemon. */
export interface Daemon {
  /** For messages, e.g. `BuildKit v0.12.5` or `Docker 20.10.24`. */
  readonly name: string;
  /** Ids of the LLB capabilities that it has. */
  readonly caps: ReadonlySet<string>;
}

/**
 * Capabilities that exist and that client/llb does not ask for in every case: a daemon without them would do something else than was
 * asked. `file.copy.modestring` is left out: daemons up to 0.32 at least can do it, and do not list it.
 */
const UNRECORDED = {
  rmWildcard: "file.rm.wildcard",
  includeExclude: "file.copy.includeexcludepatterns",
  requiredPaths: "file.copy.requiredpaths",
  replaceExisting: "file.copy.alwaysreplaceexistingdestpaths",
  symlink: "file.symlink.create",
  cgroupParent: "exec.meta.cgroup.parent",
  gitSubdir: "source.git.subdir",
} as const;

/** What people call them; the others are told by their ids alone. */
const WORDS: Readonly<Record<string, string>> = {
  [CAPS.merge]: "merging filesystems",
  [CAPS.diff]: "the difference of filesystems",
  [CAPS.passthrough]: "ordering without files",
  [CAPS.ociLayout]: "images of the client",
  [CAPS.imageBlob]: "single blobs of images",
  [CAPS.imageChecksum]: "checksums of images",
  [CAPS.gitChecksum]: "checksums of git commits",
  [CAPS.gitSkipSubmodules]: "git without submodules",
  [CAPS.gitSignature]: "signatures of git commits",
  [CAPS.httpAuth]: "logins for HTTP",
  [CAPS.httpHeader]: "HTTP headers",
  [CAPS.execUlimit]: "ulimits",
  [CAPS.execDevices]: "devices",
  [CAPS.execResources]: "limits of memory and CPU",
  [CAPS.execValidExitCodes]: "exit codes other than 0",
  [CAPS.execSecretEnv]: "secrets in the environment",
  [CAPS.mountTmpfsSize]: "the size of a tmpfs",
  [CAPS.mountContentCache]: "the choice of how a mount is cached",
  [UNRECORDED.rmWildcard]: "wildcards in rm",
  [UNRECORDED.includeExclude]: "include and exclude in copies",
  [UNRECORDED.requiredPaths]: "required paths in copies",
  [UNRECORDED.replaceExisting]: "copies that replace what is there",
  [UNRECORDED.symlink]: "making symlinks",
  [UNRECORDED.cgroupParent]: "control groups of execs",
  [UNRECORDED.gitSubdir]: "subdirectories of git repositories",
};

/** Throws UserError (exit 3) `daemon-lacks` with every op that asks for more than the daemon has. */
export function checkDaemon(definition: Definition, daemon: Daemon): void {
  if (knowsAll(daemon.caps)) return;
  const problems: Diagnostic[] = [];
  for (const [index, { op, metadata }] of decodeDefinition(definition.encoded).ops.entries()) {
    const needed = [...Object.keys(metadata?.caps ?? {}), ...unrecorded(op)];
    const lacking = [...new Set(needed)].filter((cap) => !daemon.caps.has(cap)).sort();
    if (lacking.length === 0) continue;
    // Equal ops of several places are one op: whoever mends one has to mend all.
    const vertices = definition.nodes[index]?.vertices ?? [];
    if (vertices.length === 0) problems.push(problem(undefined, lacking, daemon));
    for (const vertex of vertices) problems.push(problem(vertex, lacking, daemon));
  }
  if (problems.length > 0) throw new UserError(3, problems);
}

/** Whether ops come out the same for a daemon with these capabilities as for one of which nothing is known. */
export function takesUsualGraph(caps: ReadonlySet<string>): boolean {
  return caps.has(CAPS.execDefaultPath);
}

/** Every capability that a graph of ours can ask for. */
export function allCapabilities(): readonly string[] {
  return [...Object.values(CAPS), ...Object.values(UNRECORDED)];
}

/** The usual case, with a daemon of our time. */
function knowsAll(caps: ReadonlySet<string>): boolean {
  return allCapabilities().every((cap) => caps.has(cap));
}

function problem(vertex: Vertex | undefined, lacking: readonly string[], daemon: Daemon): Diagnostic {
  const what = lacking.map((cap) => (WORDS[cap] === undefined ? cap : `${WORDS[cap]} (${cap})`)).join(", ");
  const component = vertex?.meta.component ?? "";
  return {
    code: "daemon-lacks",
    message: `\`${vertex?.meta.name ?? "the job"}\` needs ${what}, which ${daemon.name} does not have`,
    ...(component === "" ? {} : { path: component }),
    at: vertex?.meta.at ?? [],
    hint: "Use a newer daemon with --buildkit or BUILDKIT_HOST; `dagger engine start` starts one and prints its address",
  };
}

function unrecorded(op: Op): string[] {
  switch (op.op?.$case) {
    case "file":
      return op.op.value.actions.flatMap(({ action }) => actionCaps(action));
    case "exec":
      return (op.op.value.meta?.cgroupParent ?? "") === "" ? [] : [UNRECORDED.cgroupParent];
    case "source":
      return /^git:\/\/[^#]*#[^:]*:./.test(op.op.value.identifier) ? [UNRECORDED.gitSubdir] : [];
    default:
      return [];
  }
}

type Action = Extract<NonNullable<Op["op"]>, { $case: "file" }>["value"]["actions"][number]["action"];

function actionCaps(action: Action): string[] {
  if (action?.$case === "symlink") return [UNRECORDED.symlink];
  if (action?.$case === "rm") return action.value.allowWildcard ? [UNRECORDED.rmWildcard] : [];
  if (action?.$case !== "copy") return [];
  const { include_patterns, exclude_patterns, required_paths, alwaysReplaceExistingDestPaths } = action.value;
  return [
    ...(include_patterns.length + exclude_patterns.length > 0 ? [UNRECORDED.includeExclude] : []),
    ...(required_paths.length > 0 ? [UNRECORDED.requiredPaths] : []),
    ...(alwaysReplaceExistingDestPaths ? [UNRECORDED.replaceExisting] : []),
  ];
}
