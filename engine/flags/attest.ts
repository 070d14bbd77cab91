// What images say of their own making: --attest flags, in the syntax of buildx, and the `attest` of ops, as the options of a build.
import { type Attest, inputError, nearest, normalizeReference } from "../../compiler/index.ts";
import type { BuildOptions } from "../../runtime/solve/index.ts";
import { splitCsv } from "./csv.ts";

type Kind = keyof Attest;
type Options = Readonly<Record<string, string>>;

const kinds: readonly Kind[] = ["provenance", "sbom"];
const provenanceOptions = [
  "mode",
  "version",
  "builder-id",
  "reproducible",
  "complete-materials",
  "capture-usage",
  "inline-only",
  "filename",
];
const choices: Readonly<Record<string, readonly string[]>> = { mode: ["min", "max"], version: ["v0.2", "v1"] };

/** `type=provenance,mode=max`, `type=sbom,generator=IMAGE`, `type=…,disabled=true`. Throws UserError (2) `bad-attest-flag`. */
export function parseAttest(flags: readonly string[]): Attest {
  const read: { -readonly [K in Kind]?: Options | false } = {};
  for (const flag of flags) {
    const { kind, options } = parseOne(flag);
    if (read[kind] !== undefined) throw bad(flag, `the type ${kind} is given twice`);
    read[kind] = options;
  }
  return read;
}

function parseOne(flag: string): { kind: Kind; options: Options | false } {
  const fields = new Map<string, string>();
  for (const field of splitCsv(flag)) {
    const cut = field.indexOf("=");
    if (cut <= 0) throw bad(flag, `${JSON.stringify(field)} is not KEY=VALUE`);
    fields.set(field.slice(0, cut).trim(), field.slice(cut + 1));
  }
  const type = fields.get("type");
  const kind = kinds.find((known) => known === type);
  if (kind === undefined) throw bad(flag, type === undefined ? "it has no type" : unknown("type", type, kinds));
  fields.delete("type");
  const disabled = fields.get("disabled");
  fields.delete("disabled");
  if (disabled !== undefined && !/^(true|false|1|0)$/i.test(disabled)) throw bad(flag, "disabled must be true or false");
  if (disabled !== undefined && /^(true|1)$/i.test(disabled)) return { kind, options: false };
  return { kind, options: kind === "provenance" ? checkProvenance(flag, fields) : checkSbom(flag, fields) };
}

function checkProvenance(flag: string, fields: ReadonlyMap<string, string>): Options {
  for (const [key, value] of fields) {
    if (!provenanceOptions.includes(key)) throw bad(flag, unknown("option of provenance", key, provenanceOptions));
    const allowed = choices[key];
    if (allowed !== undefined && !allowed.includes(value)) throw bad(flag, `${key} must be ${allowed.join(" or ")}`);
  }
  return Object.fromEntries(fields);
}

/** All but the generator are parameters of the scanner. */
function checkSbom(flag: string, fields: ReadonlyMap<string, string>): Options {
  const generator = fields.get("generator");
  if (generator === undefined) return Object.fromEntries(fields);
  const reference = normalizeReference(generator);
  if (!reference.ok) throw bad(flag, `${JSON.stringify(generator)} is no image: ${reference.problem}`);
  return { ...Object.fromEntries(fields), generator: reference.reference };
}

/** What one image carries: a kind that the command line names is as it says there, as with buildx; else as the op says. */
export function attestationsOf(own: Attest, given: Attest): NonNullable<BuildOptions["attestations"]> {
  const both: Attest = { ...own, ...given };
  const options = (kind: Kind): Partial<Record<Kind, string>> => {
    const wanted = both[kind];
    return wanted === undefined || wanted === false ? {} : { [kind]: toCsv(wanted) };
  };
  return { ...options("provenance"), ...options("sbom") };
}

function toCsv(options: Options): string {
  return Object.entries(options)
    .map(([key, value]) => `${key}=${value}`)
    .map((field) => (/[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field))
    .join(",");
}

function unknown(what: string, name: string, known: readonly string[]): string {
  const [near] = nearest(name, known);
  return `there is no ${what} ${JSON.stringify(name)}${near === undefined ? "" : `, did you mean ${near}?`}`;
}

function bad(flag: string, why: string): Error {
  return inputError({
    code: "bad-attest-flag",
    message: `Cannot read --attest ${JSON.stringify(flag)}: ${why}`,
    at: [],
    hint: "Write for example: --attest type=provenance,mode=max or --attest type=sbom,generator=registry.example.com/scanner",
  });
}
