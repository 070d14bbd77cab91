// Decides which buildkitd a run talks to: the one asked for, one that is already there, else the embedded one.
import { join } from "node:path";
import { dockerAnswers } from "../connect/index.ts";
import type { Environment } from "../directories.ts";
import { type DaemonOptions, ensureDaemon } from "./daemon.ts";
import { answers } from "./process.ts";

/** A daemon that is there: `flag` is --buildkit, `env` BUILDKIT_HOST, `standard` on a standard socket, `docker` the one inside Docker. */
export interface RunningDaemon {
  readonly address: string;
  readonly from: "flag" | "env" | "standard" | "docker";
}

/** A daemon to talk to, and why this one. */
export interface FoundDaemon {
  readonly address: string;
  readonly from: RunningDaemon["from"] | "embedded";
  /** Whether it was started just now. */
  readonly started: boolean;
}

export interface FindOptions extends DaemonOptions {
  /** What --buildkit says; taken as it is. */
  readonly explicit?: string | undefined;
  /** Where relative directories of the environment start; default process.cwd(). */
  readonly cwd?: string;
}

/** The one that `lookForDaemon` finds, else the embedded daemon, which is started. */
export async function findDaemon(options: FindOptions): Promise<FoundDaemon> {
  const running = await lookForDaemon(options);
  if (running !== undefined) return { ...running, started: false };
  return { ...(await ensureDaemon(options)), from: "embedded" };
}

/**
 * Looks in this order: `explicit`, BUILDKIT_HOST, the standard sockets, Docker's own BuildKit. The first two are not tried out: the
 * connection says best what is wrong with them. A Docker that does not answer is passed over.
 */
export async function lookForDaemon(options: FindOptions): Promise<RunningDaemon | undefined> {
  const { env } = options;
  if (options.explicit !== undefined && options.explicit !== "") return { address: options.explicit, from: "flag" };
  const host = env.BUILDKIT_HOST;
  if (host !== undefined && host !== "") return { address: host, from: "env" };
  for (const socket of standardSockets(env)) {
    if (await answers(socket)) return { address: `unix://${socket}`, from: "standard" };
  }
  return (await dockerAnswers(env, options.cwd)) ? { address: "docker://", from: "docker" } : undefined;
}

/** Where a buildkitd of this machine listens unless told otherwise: the system's, and the user's own rootless one. */
function standardSockets(env: Environment): readonly string[] {
  const runtime = env.XDG_RUNTIME_DIR;
  const user = runtime === undefined || runtime === "" ? [] : [join(runtime, "buildkit/buildkitd.sock")];
  return ["/run/buildkit/buildkitd.sock", ...user];
}
