// What hooks would lack, found out before anything runs: they are compiled as if something had happened, and no daemon is asked.
import type { Hook, Ports, ResolvedImage } from "../../compiler/index.ts";
import type { Evaluation, Fill } from "../../runtime/cue/index.ts";
import { compileConfig } from "../config/config.ts";
import { requireSsh } from "../flags/ssh.ts";
import { requireConsent } from "../hosts/index.ts";
import type { RunParts } from "../passes/parts.ts";
import { scopeOf } from "../secrets/provider.ts";
import { requireSecrets } from "../secrets/sources.ts";
import { rootOf } from "../workspace/find.ts";
import type { HookEvent } from "./event.ts";

/** The values of `event` fields, as CUE takes them. */
export function fillsOf(due: readonly { readonly hook: Hook; readonly event: HookEvent }[]): Fill[] {
  return due.flatMap(({ hook, event }) =>
    hook.event === undefined
      ? []
      : [{ path: hook.event, json: JSON.stringify(event), origin: `what happened, for ${hook.path}`, elements: true }],
  );
}

/** Throws UserError (2): mistakes, secrets and agents that nobody gave, steps on this machine that nobody agreed to. */
export async function checkHooks(hooks: readonly Hook[], evaluation: Evaluation, parts: RunParts): Promise<void> {
  const { config, request, secrets, secretPlaces, ssh } = parts;
  const due = hooks.map((hook) => ({ hook, event: sample(hook) }));
  const filled = await evaluation.fill(fillsOf(due));
  const job = await compileConfig(config, filled, noImages, { env: request.env, targets: hooks.map(({ path }) => path) });
  for (const { id, at } of job.secrets) secretPlaces.set(id, at);
  requireSecrets(job, secrets);
  requireSsh(job, ssh);
  if (job.onHost.length > 0) await requireConsent(job.onHost, { ...scopeOf(request), root: rootOf(request) });
}

function sample({ on, of }: Hook): HookEvent {
  const status = { start: "running", error: "failure", success: "success", exit: "success" } as const;
  const failure = { component: of[0] ?? "", code: "command-failed", message: "It failed", exitCode: 1, log: "" };
  return { on, status: status[on], of, failures: on === "error" ? [failure] : [] };
}

/** Images whose configs say nothing: what they are is looked up when a hook runs. */
const noImages: Ports = {
  images: {
    image: async ({ ref }) => ({ ...unknown, identifier: `docker-image://${ref}` }),
    layout: async () => unknown,
  },
};

const unknown: ResolvedImage = { identifier: "oci-layout://unknown", attrs: {}, config: new TextEncoder().encode("{}") };
