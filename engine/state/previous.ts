// The previous state of a config's environment, for fields that are marked with @dagger(previous): what a run reads of those before it.
import type { Diagnostic, Field, Value } from "../../compiler/index.ts";
import { inputError, UserError } from "../../compiler/index.ts";
import type { Evaluation, Fill } from "../../runtime/cue/index.ts";
import { placeOf } from "../history/place.ts";
import type { ReadRequest } from "../request.ts";
import type { Json, Output } from "../store/index.ts";
import { findValue, keyOf, mergedValues, readOutputs } from "./find.ts";
import { labelsOf } from "./path.ts";

/** `turn` resolves when no other run of the environment goes on. */
export type PreviousRequest = ReadRequest & { readonly turn?: Promise<void> };

/** A field that is marked; `of` is the CUE path of the value that it gets, "" for the config as a whole. */
interface Marked {
  readonly field: Field;
  readonly of: string;
}

/**
 * Fills in what the environment gave last. Where it gave nothing yet, and where an input says otherwise, the field keeps what the config
 * declares. Throws UserError (2) `previous-path`, `previous-mismatch`.
 */
export async function withPrevious(evaluation: Evaluation, request: PreviousRequest): Promise<Evaluation> {
  const marked = findMarked(evaluation.root);
  const place = placeOf(request);
  if (place === undefined || marked.length === 0) return evaluation;
  await request.turn;
  const { stack, env: environment } = place;
  const outputs = (await readOutputs(place.root, request, [{ stack, environment }])).get(keyOf({ stack, environment })) ?? [];
  const own = new Set(marked.map(({ field }) => labelsOf(field.path)[0] ?? ""));
  const taken = new Set(evaluation.fills.map(({ path }) => path));
  const fills = marked.flatMap((one) => fillsOf(one, outputs, own)).filter(({ path }) => !taken.has(path));
  if (fills.length === 0) return evaluation;
  try {
    return await evaluation.fill(fills);
  } catch (error) {
    throw error instanceof UserError ? new UserError(2, error.diagnostics.map(mismatch), { cause: error }) : error;
  }
}

function findMarked(root: Value): readonly Marked[] {
  const found: Marked[] = [];
  const wrong: Diagnostic[] = [];
  const seen = new Set<Value>();
  const open: Value[] = [root];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (seen.has(value)) continue;
    seen.add(value);
    for (const field of value.fields.values()) {
      if (field.label.startsWith("#")) continue;
      const mark = field.attributes.find(({ name, body }) => name === "dagger" && /^\s*previous\b/.test(body));
      if (mark === undefined) {
        open.push(field.value);
        continue;
      }
      const of = mark.body.replace(/^\s*previous\s*=?\s*/, "").trim();
      if (of === "" && field.value.scalar !== undefined) wrong.push(withoutPath(field));
      else found.push({ field, of });
    }
  }
  if (wrong.length > 0) throw inputError(...wrong);
  return found;
}

function fillsOf({ field, of }: Marked, outputs: readonly Output[], own: ReadonlySet<string>): Fill[] {
  const fill = (path: string, of: string, value: Json | undefined): Fill[] =>
    value === undefined ? [] : [{ path, json: JSON.stringify(value), origin: `previous ${of}` }];
  if (of !== "") return fill(field.path, of, findValue(outputs, of)?.value);
  const labels = [...field.value.fields.keys()].filter((label) => !/^[#_]/.test(label));
  if (labels.length > 0) return labels.flatMap((label) => fill(`${field.path}.${label}`, label, findValue(outputs, label)?.value));
  if (outputs.length === 0) return [];
  // What was itself filled in so would hold the state before that, and so on.
  const values = Object.entries(mergedValues(outputs) as Readonly<Record<string, Json>>).filter(([label]) => !own.has(label));
  return fill(field.path, "state", Object.fromEntries(values));
}

function withoutPath({ path, at }: Field): Diagnostic {
  const message = `${path} is marked with @dagger(previous), and nothing says whose previous value it gets`;
  return { code: "previous-path", message, path, at, hint: "Write the path of a value: @dagger(previous=app.version)" };
}

function mismatch(diagnostic: Diagnostic): Diagnostic {
  return {
    ...diagnostic,
    code: "previous-mismatch",
    message: `What the environment gave last does not fit: ${diagnostic.message}`,
    hint: `Let the field take it, or give it a value: -i ${diagnostic.path ?? "PATH"}=VALUE`,
  };
}
