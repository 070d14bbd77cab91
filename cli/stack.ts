// Which config a command is about: the directory that it is given, or that of the stack which -s, -e and their variables name.
import type { ReadyStack } from "../engine/index.ts";
import type { Context, ReadingFlags } from "./context.ts";
import { surroundings } from "./context.ts";
import { UsageError } from "./failure.ts";

/** -s and -e. */
export interface StackFlags {
  readonly stack?: string;
  readonly env?: string;
}

/** These flags as the engine takes them. */
export function wishOf({ stack, env }: StackFlags): { readonly stack?: string; readonly environment?: string } {
  return { ...(stack === undefined ? {} : { stack }), ...(env === undefined ? {} : { environment: env }) };
}

interface ConfigPlace extends Omit<ReadyStack, "stack"> {
  readonly stack?: ReadyStack["stack"];
}

/** Parts of a request: where the config is, what its stack sets, and the secrets and sockets of both the stack and the flags. */
export async function placeOf(
  context: Context,
  dir: string | undefined,
  flags: ReadingFlags & { readonly secret?: readonly string[]; readonly ssh?: readonly string[] },
): Promise<ConfigPlace> {
  const { secret = [], ssh = [], offline } = flags;
  const wish = wishOf(flags);
  if (dir !== undefined) {
    if (flags.stack === undefined && flags.env === undefined) return { dir, secrets: secret, ssh };
    throw new UsageError({
      code: "conflicting-flags",
      message: "Both a directory and a stack say which config is meant",
      at: [],
      hint: "Leave the directory out, or -s and -e",
    });
  }
  const { findWorkspace, loadStacks } = await import("../engine/index.ts");
  const { env, cwd } = context.io;
  const isAsked = flags.stack !== undefined || flags.env !== undefined || (env["DAGGER_STACK"] ?? "") !== "";
  // Most runs are about no stack, and start without what stacks need.
  if (!isAsked && findWorkspace(cwd) === undefined) return { dir: ".", secrets: secret, ssh };
  const { overKept, readyStack } = await loadStacks();
  const ready = await readyStack({
    ...surroundings(context),
    ...wish,
    ...(offline === undefined ? {} : { offline }),
    signal: context.signal,
  });
  if (ready === undefined) return { dir: ".", secrets: secret, ssh };
  return { ...ready, secrets: overKept(secret, ready.secrets), ssh: overKept(ssh, ready.ssh) };
}
