// `fetch-git`: the files of a git repository at a ref. The daemon fetches them: by commit, so that nothing runs again for an old one.
import type { State } from "../graph/state.ts";
import { emptyState } from "../graph/state.ts";
import type { GitUrl } from "../llb/index.ts";
import { cleanPath, gitAttrs, gitIdentifier, normalizeReference } from "../llb/index.ts";
import type { Field } from "../value.ts";
import type { GitSignatureSpec } from "./fetch-git-fields.ts";
import { commit, gitRef, parts, remote, signature, subdirectory } from "./fetch-git-fields.ts";
import { optional, required, standard } from "./fields.ts";
import { given } from "./files.ts";
import { secretField } from "./secret.ts";
import type { LowerContext, OpSpec, ReadContext } from "./spec.ts";
import { boolean, name, oneOf } from "./types.ts";
import type { OpBase, SecretRef } from "./use.ts";

export interface FetchGitOp extends OpBase<"fetch-git"> {
  readonly remote: string;
  /** A branch, tag or commit. */
  readonly ref: string;
  /** Relative to the repository's root. */
  readonly subdir?: string;
  readonly keepGitDir: boolean;
  readonly submodules: boolean;
  /** The commit that `ref` must be, or how it begins. */
  readonly checksum?: string;
  readonly authToken?: SecretRef;
  readonly authHeader?: SecretRef;
  /** Id of the agent. */
  readonly ssh?: string;
  /** Lines as in `~/.ssh/known_hosts`. */
  readonly knownHosts?: string;
  readonly mtime?: "checkout" | "commit";
  readonly fetchByCommit: boolean;
  /** Reference of a blob in a registry. */
  readonly bundle?: string;
  readonly checkoutBundle: boolean;
  readonly signature?: GitSignatureSpec;
}

export const fetchGit: OpSpec<FetchGitOp> = {
  do: "fetch-git",
  fields: {
    remote: required(remote),
    ref: required(gitRef),
    subdir: optional(subdirectory),
    keepGitDir: standard(boolean, false),
    submodules: standard(boolean, true),
    checksum: optional(commit),
    authToken: optional(secretField),
    authHeader: optional(secretField),
    ssh: optional(name),
    knownHosts: optional(name),
    mtime: optional(oneOf("checkout", "commit")),
    fetchByCommit: standard(boolean, false),
    bundle: optional(name),
    checkoutBundle: standard(boolean, false),
    signature: optional(signature),
  },
  words: (op) => `fetch-git ${op.remote} ${op.ref}${op.subdir === undefined ? "" : `:${op.subdir}`}`,
  check: (op, field, context) => {
    for (const [label, message, hint] of conflicts(op)) {
      const given = field.value.fields.get(label);
      context.problem({ code: "wrong-type", message, path: `${field.path}.${label}`, at: given?.at ?? field.at, hint });
    }
    checkBundle(op, field, context);
  },
  lower: (op, _state, context) => source(op, context),
};

/** Fields that exclude or need each other: the one to blame, what is wrong, what to do. */
function* conflicts(op: FetchGitOp): Generator<readonly [label: string, message: string, hint: string]> {
  const { scheme } = parts(op.remote);
  if (scheme !== "ssh" && op.ssh !== undefined) {
    yield ["ssh", `Op fetch-git uses ssh only for an ssh remote, got one of ${scheme}`, "Write the remote as git@host:path, or remove ssh"];
  }
  if (scheme !== "ssh" && op.knownHosts !== undefined) {
    yield ["knownHosts", `Op fetch-git checks known hosts only of an ssh remote, got one of ${scheme}`, "Remove knownHosts"];
  }
  for (const label of ["authToken", "authHeader"] as const) {
    if (op[label] === undefined || scheme === "https" || scheme === "http") continue;
    yield [label, `Op fetch-git sends ${label} only over https, got a remote of ${scheme}`, "Write the remote as https://host/path"];
  }
  if (op.authToken !== undefined && op.authHeader !== undefined) {
    yield ["authHeader", "Op fetch-git takes authToken or authHeader, got both", "Remove one: authToken is sent as basic authentication"];
  }
  if (op.fetchByCommit && !isCommit(op.checksum ?? op.ref)) {
    yield [
      "fetchByCommit",
      "Op fetch-git fetches by commit only when it knows the whole commit",
      "Set checksum to all 40 digits of the commit",
    ];
  }
  if (op.checkoutBundle && (op.keepGitDir || op.subdir !== undefined)) {
    yield [
      "checkoutBundle",
      "Op fetch-git gives a bundle or files, got checkoutBundle with keepGitDir or subdir",
      "Remove the other field",
    ];
  }
}

function isCommit(text: string): boolean {
  return /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(text);
}

function checkBundle(op: FetchGitOp, field: Field, context: ReadContext): void {
  if (op.bundle === undefined) return;
  const reading = normalizeReference(op.bundle);
  const problem = reading.ok
    ? reading.digest === undefined || op.checksum === undefined
      ? "it needs a digest, and the op a checksum"
      : undefined
    : reading.problem;
  if (problem === undefined) return;
  context.problem({
    code: "invalid-reference",
    message: `Invalid reference of a git bundle ${JSON.stringify(op.bundle)}: ${problem}`,
    path: `${field.path}.bundle`,
    at: field.value.fields.get("bundle")?.at ?? field.at,
    hint: "Write it as registry/repository@sha256:…, and the commit as checksum",
  });
}

function source(op: FetchGitOp, context: LowerContext): State {
  const { ref, authToken, authHeader } = op;
  const url = parts(op.remote);
  for (const auth of [authToken, authHeader]) if (auth !== undefined) context.secret(auth.secret, auth.optional, op.place.at);
  const attrs = gitAttrs(url, {
    keepGitDir: op.keepGitDir,
    skipSubmodules: !op.submodules,
    fetchByCommit: op.fetchByCommit,
    checkoutBundle: op.checkoutBundle,
    ...given("authToken", authToken?.secret),
    ...given("authHeader", authHeader?.secret),
    ...given("checksum", op.checksum),
    ...given("mtime", op.mtime),
    ...given("bundle", bundleOf(op)),
    ...given("signature", op.signature),
    ...ssh(op, url, context),
  });
  // The daemon knows HEAD by no name: without a ref it takes what the remote's HEAD points to.
  const subdir = op.subdir === undefined ? "" : cleanPath(`/${op.subdir}`).slice(1);
  const plain = gitIdentifier(url, ref === "HEAD" ? "" : ref, subdir);
  const open = op.checksum === undefined && op.bundle === undefined && !isCommit(ref);
  const need = { kind: "git", name: `${op.remote}#${ref}`, identifier: plain, attrs, at: op.place.at } as const;
  const commit = open ? context.locked?.(need) : undefined;
  const identifier = commit === undefined ? plain : gitIdentifier(url, commit, subdir);
  const vertex = { kind: "source", identifier, attrs, meta: context.meta(op, fetchGit.words(op)) } as const;
  return { ...emptyState(context.platform), fs: { vertex, index: 0 } };
}

function bundleOf({ bundle }: FetchGitOp): string | undefined {
  const reading = bundle === undefined ? undefined : normalizeReference(bundle);
  return reading?.ok === true ? `docker-image+blob://${reading.reference}` : undefined;
}

/** The agent and the host's keys. Without keys the daemon would take any host for the right one, so that is refused. */
function ssh(op: FetchGitOp, { scheme, host }: GitUrl, context: LowerContext): { readonly ssh?: string; readonly knownHosts?: string } {
  if (scheme !== "ssh") return {};
  const id = op.ssh ?? "default";
  context.ssh(id, false, op.place.fields.get("ssh") ?? op.place.at);
  const knownHosts = op.knownHosts ?? context.knownHosts(host);
  if (knownHosts === undefined) {
    context.problem({
      code: "unknown-host-key",
      message: `No key is known of the ssh host ${host}, so nobody could tell it from another`,
      path: `${op.place.path}.remote`,
      at: op.place.fields.get("remote") ?? op.place.at,
      hint: `Connect to it once with ssh, or set knownHosts to what ssh-keyscan ${keyscan(host)} prints`,
    });
  }
  return { ssh: id, ...given("knownHosts", knownHosts) };
}

function keyscan(host: string): string {
  const [, name = host, port] = /^(.*):(\d+)$/.exec(host) ?? [];
  return port === undefined ? name : `-p ${port} ${name}`;
}
