// State: what a list of ops has made so far. Immutable: every op gives a new one.
import type { Text } from "../ops/use.ts";
import type { Platform, Ref } from "./vertex.ts";

export interface State {
  /** The filesystem; null is the empty one. */
  readonly fs: Ref;
  /** In order of assignment; a name assigned again moves to the end, as in client/llb. */
  readonly env: readonly (readonly [name: string, value: Text])[];
  /** Absolute: relative paths of later ops start here. */
  readonly dir: string;
  /** "" is the daemon's default: root. */
  readonly user: string;
  readonly platform: Platform;
  /**
   * What an image of it says beyond env, dir and user: the other fields of an OCI image's `config`, e.g. Entrypoint, Cmd, Labels, as OCI
   * writes them.
   */
  readonly image: Readonly<Record<string, unknown>>;
  /** The platforms that an image of it is for when nobody says: those of the docker-build that it comes from. */
  readonly platforms?: readonly Platform[];
}

export function emptyState(platform: Platform): State {
  return { fs: null, env: [], dir: "/", user: "", platform, image: {} };
}

/** `env` with more assignments. */
export function addEnv(env: State["env"], more: State["env"]): State["env"] {
  if (more.length === 0) return env;
  const merged = new Map(env);
  for (const [name, value] of more) {
    merged.delete(name);
    merged.set(name, value);
  }
  return [...merged];
}
