// Decides which buildkitd a run talks to: the one asked for, one that is already there, else the embedded one.
import { join } from "node:path";
import type { Environment } from "../directories.ts";
import { type DaemonOptions, ensureDaemon } from "./daemon.ts";
import { answers } from "./process.ts";

/** A daemon to talk to, and why this one: `flag` is --buildkit, `env` BUILDKIT_HOST, `standard` one that was found running. */
export interface FoundDaemon {
  readonly address: string;
  readonly from: "flag" | "env" | "standard" | "embedded";
  /** Whether it was started just now. */
  readonly started: boolean;
}

export interface FindOptions extends DaemonOptions {
  /** What --buildkit says; taken as it is. */
  readonly explicit?: string | undefined;
}

/**
 * Looks in this order: `explicit`, BUILDKIT_HOST, the standard sockets, the embedded daemon (which it starts). The first two
 * are not tried out: the connection says best what is wrong with them.
 */
export async function findDaemon(options: FindOptions = {}): Promise<FoundDaemon> {
  const env = options.env ?? process.env;
  if (options.explicit !== undefined && options.explicit !== "") return { address: options.explicit, from: "flag", started: false };
  const host = env.BUILDKIT_HOST;
  if (host !== undefined && host !== "") return { address: host, from: "env", started: false };
  for (const socket of standardSockets(env)) {
    if (await answers(socket)) return { address: `unix://${socket}`, from: "standard", started: false };
  }
  return { ...(await ensureDaemon(options)), from: "embedded" };
}

/** Where a buildkitd of this machine listens unless told otherwise: the system's, and the user's own rootless one. */
export function standardSockets(env: Environment): readonly string[] {
  const runtime = env.XDG_RUNTIME_DIR;
  const user = runtime === undefined || runtime === "" ? [] : [join(runtime, "buildkit/buildkitd.sock")];
  return ["/run/buildkit/buildkitd.sock", ...user];
}
