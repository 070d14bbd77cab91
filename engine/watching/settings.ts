// What an environment sets while it is watched: it may change with every run.
import { flagsOf, overKept } from "../settings/fills.ts";
import { openStack, runOf } from "../settings/run.ts";
import type { WatchRequest } from "./events.ts";

/** The request with what its environment sets now, in place of what it set when the watch began. Throws UserError (2) when that is not there any more. */
export async function withSettings(request: WatchRequest): Promise<WatchRequest> {
  const { env, store, stack, signal, secrets = [], ssh = [] } = request;
  if (stack === undefined) return request;
  const before = flagsOf(stack.settings, stack.root);
  const around = { env, cwd: stack.root, signal, ...(store === undefined ? {} : { store }) };
  const now = runOf(await openStack({ ...around, stack: stack.stack, environment: stack.environment }), stack.cached);
  const given = (all: readonly string[], kept: readonly string[]): readonly string[] => all.filter((one) => !kept.includes(one));
  return {
    ...request,
    stack: now.stack,
    secrets: overKept(given(secrets, before.secrets), now.secrets),
    ssh: overKept(given(ssh, before.ssh), now.ssh),
  };
}
