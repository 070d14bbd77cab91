// What an image says of its own making: the fields of `attest` in `push-container` and `save-image`.
import type { Attest } from "../job.ts";
import type { Field } from "../value.ts";
import { concrete, optional, readRecord, wrongType } from "./fields.ts";
import { reference } from "./reference.ts";
import type { FieldSpec, FieldType, ReadContext } from "./spec.ts";
import { boolean, mapOf, name, oneOf, string } from "./types.ts";

type Options = Readonly<Record<string, string>>;

const provenanceFields = {
  mode: optional(oneOf("min", "max")),
  version: optional(oneOf("v0.2", "v1")),
  builderId: optional(name),
  reproducible: optional(boolean),
  completeMaterials: optional(boolean),
};

const provenance: FieldType<Options | false> = {
  words: `true, false, "min", "max" or {mode, version, builderId, reproducible, completeMaterials}`,
  read: (field, context) => {
    const value = concrete(field, context);
    if (value === undefined) return undefined;
    if (typeof value.scalar === "boolean") return value.scalar ? {} : false;
    if (value.scalar === "min" || value.scalar === "max") return { mode: value.scalar };
    if (value.kind !== "struct") return wrongType(field, provenance.words, context);
    return readStruct("provenance", provenanceFields, field, context, ({ builderId, completeMaterials, ...same }) => ({
      ...same,
      ...(builderId === undefined ? {} : { "builder-id": builderId }),
      ...(completeMaterials === undefined ? {} : { "complete-materials": completeMaterials }),
    }));
  },
};

const sbomFields = { generator: optional(reference), parameters: optional(mapOf(string)) };

const sbom: FieldType<Options | false> = {
  words: "true, false or {generator, parameters}",
  read: (field, context) => {
    const value = concrete(field, context);
    if (value === undefined) return undefined;
    if (typeof value.scalar === "boolean") return value.scalar ? {} : false;
    if (value.kind !== "struct") return wrongType(field, sbom.words, context);
    return readStruct("sbom", sbomFields, field, context, ({ generator, parameters = [] }) => ({
      // A parameter never stands in for the generator.
      ...Object.fromEntries((parameters as readonly (readonly [string, string])[]).filter(([key]) => key !== "generator")),
      ...(generator === undefined ? {} : { generator }),
    }));
  },
};

/** Options as BuildKit has them: everything is text. */
function readStruct(
  words: string,
  specs: Readonly<Record<string, FieldSpec<unknown>>>,
  field: Field,
  context: ReadContext,
  convert: (given: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>,
): Options | undefined {
  const given = readRecord(words, specs, field, context);
  if (given === undefined) return undefined;
  return Object.fromEntries(Object.entries(convert(given)).map(([key, value]) => [key, String(value)]));
}

/** Options of both kinds, `false` for what the image must not have. */
export const attest: FieldType<Attest> = {
  words: "{provenance, sbom}",
  read: (field, context) => {
    const value = concrete(field, context);
    if (value === undefined) return undefined;
    if (value.kind !== "struct") return wrongType(field, attest.words, context);
    return readRecord("attest", { provenance: optional(provenance), sbom: optional(sbom) }, field, context);
  },
};
