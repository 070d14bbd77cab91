// `fetch-container`: an image of a registry, with its environment, working directory and user.

import { emptyState } from "../graph/state.ts";
import type { Platform } from "../graph/vertex.ts";
import { imageAttrs } from "../llb/index.ts";
import { optional, required, standard } from "./fields.ts";
import { imageState } from "./image.ts";
import { platform } from "./platform.ts";
import { reference } from "./reference.ts";
import type { OpSpec } from "./spec.ts";
import { oneOf } from "./types.ts";
import type { OpBase } from "./use.ts";

export interface FetchContainerOp extends OpBase<"fetch-container"> {
  /** Normalised: `debian:12` is read as `docker.io/library/debian:12`. */
  readonly ref: string;
  readonly platform?: Platform;
  readonly resolveMode: "default" | "pull" | "local";
}

export const fetchContainer: OpSpec<FetchContainerOp> = {
  do: "fetch-container",
  fields: {
    ref: required(reference),
    platform: optional(platform),
    resolveMode: standard(oneOf("default", "pull", "local"), "default"),
  },
  words: (op) => `fetch-container ${op.ref}`,
  image: (op, context) => ({
    kind: "image",
    ref: op.ref,
    platform: op.platform ?? context.platform,
    resolveMode: op.resolveMode,
    at: op.place.at,
  }),
  lower: (op, _state, context) => {
    const image = context.image(op);
    const wanted = op.platform ?? context.platform;
    if (image === undefined) return emptyState(wanted);
    // How to look for the image matters to the daemon only when the image still comes from a registry.
    const registry = image.identifier.startsWith("docker-image://");
    const attrs = { ...(registry ? imageAttrs({ resolveMode: op.resolveMode }) : {}), ...image.attrs };
    return imageState({ ...image, attrs }, wanted, context.meta(op, fetchContainer.words(op)));
  },
};
