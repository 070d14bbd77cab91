// Where the embedded buildkitd and its binary are on this machine.
import { createHash } from "node:crypto";
import { access, constants, stat } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { UserError } from "../../compiler/diagnostic.ts";
import { cacheDir, type Environment } from "../directories.ts";

/** Paths of one embedded daemon; all below `dir`, but for the socket when `dir` is too long a name for one. */
export interface Location {
  readonly dir: string;
  /** buildkitd's own state: snapshots, content, cache. Survives the daemon. */
  readonly root: string;
  readonly socket: string;
  readonly traceSocket: string;
  readonly config: string;
  /** Without root: rootlesskit's own directory, and XDG_RUNTIME_DIR of the daemon. */
  readonly stateDir: string;
  readonly runtimeDir: string;
  /** What buildkitd keeps for moments, mounts of secrets among it. Undefined when its name is too long for the sockets in there: then it is the system's. */
  readonly temporary: string | undefined;
  readonly log: string;
  readonly record: string;
  readonly lock: string;
}

// sun_path is 108 bytes with its final zero.
const longestSocket = 107;

/** What BuildKit adds to its temporary directory for the socket of an SSH agent; the number has up to ten digits. */
const agentSocket = ".buildkit-ssh-sock4294967295/ssh_auth_sock";

/** Where the embedded daemon of this user lies. Throws UserError when that directory cannot hold one. */
export function locate(env: Environment): Location {
  const dir = join(cacheDir(env), "buildkitd");
  if (/[:,\\\n]/.test(dir)) {
    throw new UserError(3, [
      {
        code: "daemon-path",
        message: `The embedded daemon cannot live in ${dir}: overlay mounts do not take a path with a colon, comma, backslash or newline`,
        at: [],
        hint: "Set DAGGER_CACHE_DIR to another directory",
      },
    ]);
  }
  const temporary = join(dir, "tmp");
  const sockets = Buffer.byteLength(join(dir, "buildkitd.sock")) <= longestSocket ? dir : shortDir(dir, env);
  return {
    dir,
    root: join(dir, "root"),
    socket: join(sockets, "buildkitd.sock"),
    traceSocket: join(sockets, "otel.sock"),
    config: join(dir, "buildkitd.toml"),
    stateDir: join(dir, "rootlesskit"),
    runtimeDir: join(dir, "run"),
    temporary: Buffer.byteLength(join(temporary, agentSocket)) <= longestSocket ? temporary : undefined,
    log: join(dir, "buildkitd.log"),
    record: join(dir, "buildkitd.json"),
    lock: join(dir, "lock"),
  };
}

// /run is there, short, and nobody but root may write in it; a user has one of its own, or none.
function shortDir(dir: string, env: Environment): string {
  const run = process.getuid?.() === 0 ? "/run" : (env.XDG_RUNTIME_DIR ?? "");
  if (run === "") {
    const message = `The embedded daemon cannot live in ${dir}: the name is too long for a socket, and XDG_RUNTIME_DIR is not set`;
    throw new UserError(3, [{ code: "daemon-path", message, at: [], hint: "Set DAGGER_CACHE_DIR to a directory with a shorter name" }]);
  }
  return join(run, `dagger-${createHash("sha256").update(dir).digest("hex").slice(0, 16)}`);
}

/** PATH with the directories of system programs, which a root shell opened by `su` lacks. */
export function searchPath(env: Environment): string {
  const dirs = (env.PATH ?? "").split(delimiter).filter((dir) => dir !== "");
  for (const dir of ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/local/bin", "/usr/bin", "/bin"])
    if (!dirs.includes(dir)) dirs.push(dir);
  return dirs.join(delimiter);
}

/** The buildkitd to run: $DAGGER_BUILDKITD, else what `make` built beside this code, else the one on PATH; undefined when there is none. */
export async function findBuildkitd(env: Environment): Promise<string | undefined> {
  const explicit = env.DAGGER_BUILDKITD;
  if (explicit !== undefined && explicit !== "") return (await isExecutable(explicit)) ? explicit : undefined;
  for (let dir = dirname(fileURLToPath(import.meta.url)); dir !== dirname(dir); dir = dirname(dir)) {
    const built = join(dir, "dist/bin/buildkitd");
    if (await isExecutable(built)) return built;
  }
  return onPath("buildkitd", env);
}

/** Absolute path of a program, or undefined. */
export async function onPath(name: string, env: Environment): Promise<string | undefined> {
  for (const dir of searchPath(env).split(delimiter)) {
    const file = join(dir, name);
    if (await isExecutable(file)) return file;
  }
  return undefined;
}

async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}
