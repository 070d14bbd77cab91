// OCI image configs: as state, and state as the config of an image.

import type { State } from "../graph/state.ts";
import { addEnv, emptyState } from "../graph/state.ts";
import type { Platform, Ref, VertexMeta } from "../graph/vertex.ts";
import { normalizePlatform } from "../llb/index.ts";
import type { ResolvedImage } from "../ports.ts";

interface ImageConfig {
  readonly os?: string;
  readonly architecture?: string;
  readonly variant?: string;
  readonly config?: { readonly Env?: readonly string[] | null; readonly WorkingDir?: string; readonly User?: string };
}

/** The state that an image starts with: its files, environment, working directory and user, and what its config says besides. */
export function imageState(image: ResolvedImage, platform: Platform, meta: VertexMeta): State {
  const vertex = { kind: "source", identifier: image.identifier, attrs: image.attrs, platform, meta } as const;
  return configState(image.config, { vertex, index: 0 }, platform);
}

/** The state of a filesystem with an OCI image config (JSON). */
export function configState(json: Uint8Array, fs: Ref, platform: Platform): State {
  const config = JSON.parse(new TextDecoder().decode(json)) as ImageConfig;
  const { Env, WorkingDir, User, ...image } = config.config ?? {};
  const env = (Env ?? []).map((entry): [string, string] => {
    const at = entry.indexOf("=");
    return at < 0 ? [entry, ""] : [entry.slice(0, at), entry.slice(at + 1)];
  });
  return {
    ...emptyState(platformOf(config) ?? platform),
    fs,
    env: addEnv([], env),
    dir: WorkingDir || "/",
    user: User ?? "",
    image,
  };
}

/** The OCI image config (JSON) of a state. Variables whose values the job computes are left out. Layers are the daemon's business. */
export function stateConfig({ env, dir, user, platform, image }: State): Uint8Array {
  const known = env.flatMap(([name, value]) => (typeof value === "string" ? [`${name}=${value}`] : []));
  const { os, architecture, variant } = platform;
  const config = {
    architecture,
    os,
    ...(variant === undefined ? {} : { variant }),
    config: { ...(user === "" ? {} : { User: user }), ...(known.length === 0 ? {} : { Env: known }), WorkingDir: dir, ...image },
    rootfs: { type: "layers", diff_ids: [] },
  };
  return new TextEncoder().encode(JSON.stringify(config));
}

function platformOf({ os, architecture, variant }: ImageConfig): Platform | undefined {
  if (!os || !architecture) return undefined;
  return normalizePlatform({ os, architecture, ...(variant ? { variant } : {}) });
}
