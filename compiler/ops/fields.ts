// Reads the fields of an op by its spec: every misspelt, missing or wrongly typed field becomes a diagnostic.
import type { Diagnostic, Position } from "../diagnostic.ts";
import type { Field, Missing, Value } from "../value.ts";
import { howToGive, shorten, writeAs } from "./give.ts";
import { nearest } from "./near.ts";
import type { FieldSpec, Fields, FieldType, ReadContext } from "./spec.ts";
import type { OpBase } from "./use.ts";

export function required<T>(type: FieldType<T>): FieldSpec<T> {
  return { type, required: true };
}

/** Not there means the key is not there. */
export function optional<T>(type: FieldType<T>): FieldSpec<T> {
  return { type, required: false };
}

export function standard<T>(type: FieldType<T>, value: T): FieldSpec<T> {
  return { type, required: false, standard: value };
}

/** Reads one op. undefined when something was wrong or missing; `context` knows what. */
export function readFields<Op extends OpBase<string>>(
  name: Op["do"],
  fields: Fields<Op>,
  field: Field,
  context: ReadContext,
): Op | undefined {
  const place = {
    path: field.path,
    at: field.at,
    // Few are ever asked for.
    get fields(): OpBase<string>["place"]["fields"] {
      return linesOf(field);
    },
  };
  // The fields are typed by `Fields<Op>`, so these and the fields together are an Op.
  return readRecord(`op ${name}`, fields, field, context, ["do"], { do: name, place } satisfies OpBase<string>) as Op | undefined;
}

function linesOf(field: Field): OpBase<string>["place"]["fields"] {
  return new Map([...field.value.fields].map(([label, { at }]) => [label, at]));
}

type Specs = Readonly<Record<string, FieldSpec<unknown>>>;

/** Of specs, which thousands of ops share. */
const labelsOf = new WeakMap<Specs, ReadonlySet<string>>();

function labels(specs: Specs): ReadonlySet<string> {
  const found = labelsOf.get(specs) ?? new Set(Object.keys(specs));
  labelsOf.set(specs, found);
  return found;
}

/** Reads the labels of a struct by their specs into `record`; `known` are labels that somebody else reads. */
export function readRecord(
  words: string,
  specs: Specs,
  field: Field,
  context: ReadContext,
  known: readonly string[] = [],
  record: Record<string, unknown> = {},
): Record<string, unknown> | undefined {
  const names = labels(specs);
  const meant = checkLabels(words, names, field, context, known);
  let complete = meant === undefined;
  for (const label of names) {
    const spec = specs[label] as FieldSpec<unknown>;
    const given = field.value.fields.get(label);
    if (given === undefined) {
      if (spec.required) {
        // The misspelt name was told already.
        if (meant?.has(label) !== true) context.problem(missingField(words, label, spec, field));
        complete = false;
      } else if (spec.standard !== undefined) record[label] = spec.standard;
      continue;
    }
    if (isUnset(field.value, label, given.value)) {
      if (tellLostReference(given.value, context)) complete = false;
      else if (isOpenReference(given, context)) context.missing(context.open);
      else if (context.gradual) context.missing(missingOf(given).map((one) => ({ ...one, at: [...field.at, ...one.at] })));
      else context.problem(unsetField(words, label, spec, field, given));
      complete = false;
      continue;
    }
    const read = spec.type.read(given, context);
    if (read === undefined) complete = false;
    else record[label] = read;
  }
  return complete ? record : undefined;
}

/** Tells labels that are no fields; gives the fields that they probably mean, undefined when there are no such labels. */
function checkLabels(
  words: string,
  names: ReadonlySet<string>,
  field: Field,
  context: ReadContext,
  known: readonly string[],
): ReadonlySet<string> | undefined {
  const meant = new Set<string>();
  let complete = true;
  for (const [label, given] of field.value.fields) {
    if (label.startsWith("#") || label.startsWith("_") || known.includes(label) || names.has(label)) continue;
    const [near] = nearest(label, [...names]);
    context.problem({
      code: "unknown-field",
      message: `Unknown field ${label} in ${words}`,
      path: given.path,
      at: given.at,
      hint: near === undefined ? `Fields of ${words}: ${[...names].join(", ")}` : `Did you mean ${near}?`,
    });
    complete = false;
    if (near !== undefined) meant.add(near);
  }
  return complete ? undefined : meant;
}

function missingField(words: string, label: string, spec: FieldSpec<unknown>, field: Field): Diagnostic {
  return {
    code: "missing-field",
    message: `Field ${label} of ${words} is missing`,
    path: field.path,
    at: field.at,
    hint: `Add ${label}: ${spec.type.words}`,
  };
}

/** Left open where the op is written, or never set since its definition, and no reference to what is declared elsewhere. */
function isUnset(op: Value, label: string, value: Value): boolean {
  if (value.kind !== "incomplete" || value.fields.has("#up") || value.path !== `${op.path}.${label}`) return false;
  return (value.missing ?? []).every((missing) => missing.path === value.path);
}

/**
 * CUE does not tell which field a reference to an unset required field (`x!:`) means. When the component has such fields and the user
 * wrote something here without a type of its own, it is these that are missing.
 */
function isOpenReference(given: Field, context: ReadContext): boolean {
  const { type = "_" } = given.value;
  return context.open.length > 0 && type === "_" && given.at.every(({ file }) => !file.startsWith("cuellb.dev/"));
}

function unsetField(words: string, label: string, spec: FieldSpec<unknown>, field: Field, given: Field): Diagnostic {
  const type = given.value.type === undefined || given.value.type === "_" ? "" : `, only the constraint ${given.value.type}`;
  return {
    code: "missing-field",
    message: `Field ${label} of ${words} has no value${type}`,
    path: given.path,
    at: [...field.at, ...given.at],
    hint: `Give it ${spec.type.words}`,
  };
}

/** The field's value once CUE could compute it; else notes what it waits for, or what is wrong with it. */
export function concrete(field: Field, context: ReadContext): Value | undefined {
  const { value } = field;
  if (value.kind === "incomplete") {
    if (!tellLostReference(value, context)) context.missing(missingOf(field));
    return undefined;
  }
  if (value.kind === "error") {
    for (const error of value.errors ?? []) context.problem(error);
    if (value.errors === undefined || value.errors.length === 0) {
      context.problem({ code: "cue-error", message: `CUE cannot compute ${field.path}`, path: field.path, at: field.at });
    }
    return undefined;
  }
  return value;
}

/** Tells of a reference to a field that is not there, when the value waits for nothing that could still bring it. */
function tellLostReference(value: Value, context: ReadContext): boolean {
  const { errors = [], missing = [] } = value;
  if (context.gradual || errors.length === 0 || missing.some(({ path }) => path !== value.path)) return false;
  for (const error of errors) context.problem(error);
  return true;
}

/** What an incomplete field waits for: at least itself. */
export function missingOf(field: Field): readonly Missing[] {
  const { value } = field;
  if (value.missing !== undefined && value.missing.length > 0) return value.missing;
  return [{ path: value.path, at: field.at, type: value.type ?? "_" }];
}

/** The error for a value that nothing can give: what it is, where it is declared, and who needs it. */
export function describeMissing(missing: Missing, component: string, at: readonly Position[]): Diagnostic {
  // What needs several lines says less than the declaration that is shown.
  const type = /^_?$|\n/.test(missing.type) ? "" : ` (${missing.type})`;
  return {
    code: "missing-value",
    message:
      missing.path === component
        ? `Missing value: nothing gives ${missing.path}${type}`
        : `Missing value: ${missing.path}${type} is needed by ${component}, but nothing gives it`,
    path: missing.path,
    at: [...missing.at, ...at],
    hint: howToGive(missing),
  };
}

/** Notes that a field has the wrong type. */
export function wrongType(field: Field, words: string, context: ReadContext, hint?: string): undefined {
  context.problem({
    code: "wrong-type",
    message: `Field ${field.path} takes ${words}, got ${describe(field.value)}`,
    path: field.path,
    at: field.at,
    hint: hint ?? writeAs(field.value, words),
  });
  return undefined;
}

/** A value in words: `a string`, `the number 7`. */
export function describe(value: Value): string {
  switch (value.kind) {
    case "null":
      return "null";
    case "bool":
      return `the boolean ${String(value.scalar)}`;
    case "int":
    case "number":
      return `the number ${String(value.scalar)}`;
    case "string":
      return `the string ${shorten(JSON.stringify(value.scalar))}`;
    case "bytes":
      return "bytes";
    case "list":
      return value.items.length === 0 ? "an empty list" : "a list";
    case "struct":
      return value.fields.has("#up") ? "a component" : "a struct";
    default:
      return value.type ?? "a value that is not known yet";
  }
}
