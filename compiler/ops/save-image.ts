// `save-image`: the filesystem as an image archive on the client.
import type { Attest } from "../job.ts";
import { attest } from "./attest.ts";
import { optional, required, standard } from "./fields.ts";
import { reference } from "./reference.ts";
import type { OpSpec } from "./spec.ts";
import { name, oneOf } from "./types.ts";
import type { OpBase } from "./use.ts";

export interface SaveImageOp extends OpBase<"save-image"> {
  /** Name of the image in the archive, normalised. */
  readonly tag: string;
  /** The archive: a file on the client, relative to the config's directory. */
  readonly dest: string;
  readonly format: "docker" | "oci";
  readonly attest?: Attest;
}

export const saveImage: OpSpec<SaveImageOp> = {
  do: "save-image",
  fields: { tag: required(reference), dest: required(name), format: standard(oneOf("docker", "oci"), "docker"), attest: optional(attest) },
  words: (op) => `save-image ${op.tag} → ${op.dest}`,
  check: (op, field, context) => {
    if (op.format === "docker" && (op.attest?.provenance || op.attest?.sbom)) {
      context.problem({
        code: "wrong-type",
        message: "Op save-image has `attest`, but archives in docker's format have no room for it",
        path: `${field.path}.attest`,
        at: field.value.fields.get("attest")?.at ?? field.at,
        hint: 'Write format: "oci", or remove the field',
      });
    }
    if (!op.dest.endsWith("/")) return;
    context.problem({
      code: "wrong-type",
      message: `Field ${field.path}.dest takes the name of a file, got the directory ${JSON.stringify(op.dest)}`,
      path: `${field.path}.dest`,
      at: field.value.fields.get("dest")?.at ?? field.at,
      hint: "Add the name of the archive, e.g. image.tar",
    });
  },
  lower: (op, state, context) => {
    const dest = context.directory(op.dest, op, "dest");
    if (dest === undefined) return state;
    const { tag: ref, format, attest } = op;
    context.outputImage(op, state, { target: { kind: "save", ref, dest, format }, platforms: undefined, attest: attest ?? {} });
    return state;
  },
};
