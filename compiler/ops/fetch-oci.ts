// `fetch-oci`: an image of an OCI layout on the client; no registry is asked.

import { emptyState } from "../graph/state.ts";
import type { Platform } from "../graph/vertex.ts";
import { optional, required, wrongType } from "./fields.ts";
import { given } from "./files.ts";
import { imageState } from "./image.ts";
import { platform } from "./platform.ts";
import type { FieldType, OpSpec } from "./spec.ts";
import { name, string } from "./types.ts";
import type { OpBase } from "./use.ts";

export interface FetchOciOp extends OpBase<"fetch-oci"> {
  /** The layout's directory, relative to the config's directory. */
  readonly dir: string;
  readonly tag?: string;
  readonly digest?: string;
  readonly platform?: Platform;
}

const digest: FieldType<string> = {
  words: `a digest such as "sha256:…" with 64 hexadecimal digits`,
  read: (field, context) => {
    const text = string.read(field, context);
    return text === undefined || /^sha256:[0-9a-f]{64}$/.test(text) ? text : wrongType(field, digest.words, context);
  },
};

export const fetchOci: OpSpec<FetchOciOp> = {
  do: "fetch-oci",
  fields: { dir: required(name), tag: optional(name), digest: optional(digest), platform: optional(platform) },
  words: (op) => `fetch-oci ${op.dir}${op.tag === undefined ? "" : `:${op.tag}`}`,
  check: (op, field, context) => {
    if (op.tag === undefined || op.digest === undefined) return;
    context.problem({
      code: "wrong-type",
      message: "Op fetch-oci takes a tag or a digest, got both",
      path: field.path,
      at: field.value.fields.get("digest")?.at ?? field.at,
      hint: "Remove one of them: a digest alone names the image",
    });
  },
  image: (op, context) => {
    const dir = context.directory(op.dir, op, "dir");
    if (dir === undefined) return undefined;
    return {
      kind: "layout",
      dir,
      ...given("tag", op.tag),
      ...given("digest", op.digest),
      platform: op.platform ?? context.platform,
      at: op.place.at,
    };
  },
  lower: (op, _state, context) => {
    const image = context.image(op);
    const wanted = op.platform ?? context.platform;
    return image === undefined ? emptyState(wanted) : imageState(image, wanted, context.meta(op, fetchOci.words(op)));
  },
};
