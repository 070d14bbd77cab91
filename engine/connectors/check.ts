// dagger connector check: connects to services with the credentials that runs would use, and says what came of it.
import { type Diagnostic, type ExitCode, inputError, UserError } from "../../compiler/index.ts";
import type { SecretScope } from "../secrets/provider.ts";
import { Scrubber } from "../secrets/scrubber.ts";
import { resolveReference } from "../secrets/sources.ts";
import { openWorkspace } from "../workspace/workspace.ts";
import type { CheckScope } from "./checks/reach.ts";
import { type Connector, findConnector, readConnectors } from "./connector.ts";
import { readCredential } from "./provider.ts";
import type { ConnectorType } from "./types.ts";

export interface CheckedConnector {
  readonly name: string;
  readonly type: ConnectorType;
  readonly ok: boolean;
  /** What was reached, in words; "" where it failed. */
  readonly reached: string;
  /** Why it failed: who has to act, and what they can do. */
  readonly problem?: { readonly exit: ExitCode; readonly diagnostic: Diagnostic };
}

export interface CheckRequest extends SecretScope {
  /** Names; none means all. */
  readonly names: readonly string[];
  /** Milliseconds for each. Default 15,000. */
  readonly timeout?: number;
}

/** All at once, in the order of their names. Throws UserError: 2 for a name that is not there, 130 when it is ended. */
export async function checkConnectors(request: CheckRequest): Promise<readonly CheckedConnector[]> {
  const { names, cwd } = request;
  const workspace = await openWorkspace(".", cwd);
  const all =
    names.length === 0 ? await readConnectors(workspace, cwd) : await Promise.all(names.map((name) => findConnector(workspace, name, cwd)));
  if (all.length === 0) {
    throw inputError({
      code: "missing-connector",
      message: "The workspace has no connectors yet",
      at: [],
      hint: "Make one: dagger connector add TYPE NAME",
    });
  }
  const run = {};
  return Promise.all(all.map((connector) => checkOne(connector, { ...request, run, cwd: workspace.root })));
}

async function checkOne(connector: Connector, request: CheckRequest): Promise<CheckedConnector> {
  const { name, type } = connector;
  const scrubber = new Scrubber();
  const limit = AbortSignal.timeout(request.timeout ?? 15_000);
  const scope: SecretScope = { ...request, resolve: (reference, cwd) => resolveReference(reference, { ...request, cwd }) };
  const about: CheckScope = {
    env: request.env,
    cwd: request.cwd,
    signal: request.signal === undefined ? limit : AbortSignal.any([limit, request.signal]),
    read: async (secret) => {
      const value = await readCredential(connector, secret, scope);
      if (value !== undefined) scrubber.learn(value);
      return value;
    },
  };
  try {
    return { name, type, ok: true, reached: scrubber.text(await (await checks[type]())(connector, about)) };
  } catch (error) {
    if (!(error instanceof UserError) || error.exit === 130) throw scrubber.data(error);
    const [diagnostic] = scrubber.data(error.diagnostics);
    if (diagnostic === undefined) throw error;
    // The one that is meant.
    const hint = diagnostic.hint?.replace("connector edit NAME", `connector edit ${name}`);
    return {
      name,
      type,
      ok: false,
      reached: "",
      problem: { exit: error.exit, diagnostic: { ...diagnostic, ...(hint === undefined ? {} : { hint }) } },
    };
  }
}

type Check = (connector: Connector, scope: CheckScope) => Promise<string>;

const checks: Readonly<Record<ConnectorType, () => Promise<Check>>> = {
  registry: async () => (await import("./checks/registry.ts")).checkRegistry,
  git: async () => (await import("./checks/git.ts")).checkGit,
  s3: async () => (await import("./checks/s3.ts")).checkS3,
  kubernetes: async () => (await import("./checks/kubernetes.ts")).checkKubernetes,
  ssh: async () => (await import("./checks/ssh.ts")).checkSsh,
  webhook: async () => (await import("./checks/webhook.ts")).checkWebhook,
};
