// The request of a run that a saved plan asks for: that of then; of a stack's environment, with what it sets now.
import type { UpRequest } from "../request.ts";
import { overKept } from "../settings/fills.ts";
import { readyStack } from "../settings/run.ts";
import type { SavedPlan } from "./saved.ts";

/** Throws UserError as `readyStack`: when the stack is not there any more, say. */
export async function plannedRequest({ request: planned }: SavedPlan, request: UpRequest): Promise<Partial<UpRequest>> {
  const { stack, ...rest } = planned;
  if (stack === undefined) return rest;
  const { secrets = [], ssh = [], env, offline, signal, store } = request;
  const wish = {
    env,
    ...(store === undefined ? {} : { store }),
    cwd: stack.root,
    stack: stack.stack,
    environment: stack.environment,
    signal,
  };
  const ready = await readyStack({ ...wish, ...(offline === undefined ? {} : { offline }) });
  if (ready === undefined) return rest;
  // Where the config is may have been changed since: then its files are not those of the plan.
  return { ...rest, dir: ready.dir, stack: ready.stack, secrets: overKept(secrets, ready.secrets), ssh: overKept(ssh, ready.ssh) };
}
