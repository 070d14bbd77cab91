// Where dagger keeps its things on this machine, below the user's own directories.
import { homedir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";

/** The environment variables a function reads; a parameter, so that a test or an embedding program has its own. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Things that may be lost at any time (the embedded daemon and its caches): $DAGGER_CACHE_DIR, else $XDG_CACHE_HOME/dagger, else ~/.cache/dagger. */
export function cacheDir(env: Environment): string {
  return own(env, "DAGGER_CACHE_DIR") ?? join(own(env, "XDG_CACHE_HOME") ?? join(home(env), ".cache"), "dagger");
}

/** Things the user put here (images): $DAGGER_DATA_DIR, else $XDG_DATA_HOME/dagger, else ~/.local/share/dagger. */
export function dataDir(env: Environment): string {
  return own(env, "DAGGER_DATA_DIR") ?? join(own(env, "XDG_DATA_HOME") ?? join(home(env), ".local/share"), "dagger");
}

/** Where docker keeps its settings: $DOCKER_CONFIG, else ~/.docker; a relative one starts at `cwd` (default: the process's directory). */
export function dockerConfigDir(env: Environment, cwd = ""): string {
  return resolve(cwd, env["DOCKER_CONFIG"] || join(home(env), ".docker"));
}

// The XDG specification has relative paths ignored.
function own(env: Environment, name: string): string | undefined {
  const value = env[name];
  return value !== undefined && isAbsolute(value) ? value : undefined;
}

function home(env: Environment): string {
  return own(env, "HOME") ?? homedir();
}
