// What an OCI image config says about the processes of its containers, as state.

import type { State } from "../graph/state.ts";
import { addEnv, emptyState } from "../graph/state.ts";
import type { Platform, VertexMeta } from "../graph/vertex.ts";
import type { ResolvedImage } from "../job.ts";
import { normalizePlatform } from "../llb/index.ts";

interface ImageConfig {
  readonly os?: string;
  readonly architecture?: string;
  readonly variant?: string;
  readonly config?: { readonly Env?: readonly string[] | null; readonly WorkingDir?: string; readonly User?: string };
}

/** The state that an image starts with: its files, environment, working directory and user. */
export function imageState(image: ResolvedImage, platform: Platform, meta: VertexMeta): State {
  const vertex = { kind: "source", identifier: image.identifier, attrs: image.attrs, platform, meta } as const;
  const config = JSON.parse(new TextDecoder().decode(image.config)) as ImageConfig;
  const env = (config.config?.Env ?? []).map((entry): [string, string] => {
    const at = entry.indexOf("=");
    return at < 0 ? [entry, ""] : [entry.slice(0, at), entry.slice(at + 1)];
  });
  return {
    ...emptyState(platformOf(config) ?? platform),
    fs: { vertex, index: 0 },
    env: addEnv([], env),
    dir: config.config?.WorkingDir || "/",
    user: config.config?.User ?? "",
  };
}

function platformOf({ os, architecture, variant }: ImageConfig): Platform | undefined {
  if (!os || !architecture) return undefined;
  return normalizePlatform({ os, architecture, ...(variant ? { variant } : {}) });
}
