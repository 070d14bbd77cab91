// What attributes of a config say of its components: `@dagger(test)`, `@dagger(report)`, what makes them run, and which are hooks.
import type { Diagnostic } from "../diagnostic.ts";
import type { Test, Trigger } from "../job.ts";
import { unquote } from "../ops/types.ts";
import { isComponent, isMention } from "../ops/use.ts";
import type { Attribute, Field, Value } from "../value.ts";

export interface Marks {
  /** In declaration order. */
  readonly tests: readonly Test[];
  /** Of components that do not run by themselves. */
  readonly triggers: ReadonlyMap<Value, Marked>;
  /** In declaration order. */
  readonly hooks: readonly HookMark[];
  readonly problems: readonly Diagnostic[];
}

/** A component with a field that says when it follows others: its fields marked with `@dagger(on)`, `@dagger(of)` and `@dagger(event)`. */
export interface HookMark {
  readonly field: Field;
  readonly on: Field;
  readonly of: Field | undefined;
  readonly event: Field | undefined;
  /** It lies in another component. */
  readonly inComponent: boolean;
}

/** What makes a component run, and the path of the field that says so: it holds for all that is below. */
export interface Marked {
  readonly trigger: Trigger;
  readonly path: string;
}

interface Place {
  readonly field: Field;
  readonly marked: Marked | undefined;
  readonly test: { readonly reports: string[] } | undefined;
  readonly inComponent: boolean;
}

/** Walks all fields of the config's data. What is written as a reference counts where it is declared. */
export function findMarks(root: Field): Marks {
  const tests: { readonly path: string; readonly at: Test["at"]; readonly reports: string[] }[] = [];
  const triggers = new Map<Value, Marked>();
  const hooks: HookMark[] = [];
  const problems: Diagnostic[] = [];
  const seen = new Set<Value>();
  const stack: Place[] = [{ field: root, marked: undefined, test: undefined, inComponent: false }];
  for (let place = stack.pop(); place !== undefined; place = stack.pop()) {
    const { field } = place;
    const { value } = field;
    if (seen.has(value) || (value.origin === undefined && value.path !== field.path)) continue;
    seen.add(value);
    const inner = visible(value);
    const noted = inner.filter(({ attributes }) => attributes.length > 0);
    const own = triggerOf(field, noted, problems);
    const marked = own === undefined ? place.marked : { trigger: own, path: field.path };
    if (isComponent(value) && marked !== undefined && marked.trigger.kind !== "auto") triggers.set(value, marked);
    if (isComponent(value)) hooks.push(...hookOf(field, noted, place.inComponent));
    let test: Place["test"];
    if (isComponent(value) && isTest(field, noted)) {
      const found = { path: field.path, at: field.at, reports: [] };
      tests.push(found);
      test = found;
    }
    if (isComponent(value) && hasMark(field, "report")) place.test?.reports.push(field.path);
    const inComponent = place.inComponent || isComponent(value);
    for (const below of inner.reverse()) if (isOpen(below) && !isMention(below)) stack.push({ field: below, marked, test, inComponent });
  }
  return { tests, triggers, hooks, problems };
}

/** Whether an attribute `@dagger(…)` of a field says a word. */
export function hasMark(field: Field, key: string): boolean {
  return markOf(field, key) !== undefined;
}

/** Marked itself or by its ops, which a definition hands on; or it declares a report. */
function isTest(field: Field, noted: readonly Field[]): boolean {
  return isMarked(field, "test") || noted.some((below) => hasMark(below, "report"));
}

/** Whether an attribute `@dagger(…)` of a component or of its ops says a word. */
export function isMarked(field: Field, key: string): boolean {
  const up = field.value.fields.get("#up");
  return hasMark(field, key) || (up !== undefined && hasMark(up, key));
}

function hookOf(field: Field, noted: readonly Field[], inComponent: boolean): HookMark[] {
  const [on, of, event] = ["on", "of", "event"].map((key) => noted.find((below) => hasMark(below, key)));
  return on === undefined ? [] : [{ field, on, of, event, inComponent }];
}

function triggerOf(field: Field, noted: readonly Field[], problems: Diagnostic[]): Trigger | undefined {
  const up = field.value.fields.get("#up");
  for (const one of up === undefined ? [field] : [field, up]) {
    const said = argumentsOf(one.attributes);
    const trigger = said.get("trigger");
    const schedule = said.get("schedule");
    if (trigger === undefined && schedule === undefined) continue;
    // Without a value it marks the field that says it.
    if (trigger === "" && schedule === undefined) continue;
    return readTrigger({ word: trigger, schedule, timezone: said.get("timezone") }, { path: field.path, at: one.at }, problems);
  }
  const teller = noted.find((below) => argumentsOf(below.attributes).get("trigger") === "");
  return teller === undefined ? undefined : tellTrigger(teller, problems);
}

/** A field whose value is the trigger: `"auto"`, `"manual"` or `{schedule, timezone?}`. */
function tellTrigger(field: Field, problems: Diagnostic[]): Trigger | undefined {
  const { kind, scalar, fields } = field.value;
  if (kind === "string") return readTrigger({ word: String(scalar) }, field, problems);
  const text = (label: string): string | undefined => {
    const one = fields.get(label)?.value.scalar;
    return typeof one === "string" ? one : undefined;
  };
  return readTrigger({ schedule: text("schedule"), timezone: text("timezone") }, field, problems);
}

interface Said {
  readonly word?: string | undefined;
  readonly schedule?: string | undefined;
  readonly timezone?: string | undefined;
}

function readTrigger(
  { word, schedule, timezone = "UTC" }: Said,
  { path, at }: Pick<Field, "at" | "path">,
  problems: Diagnostic[],
): Trigger | undefined {
  if (schedule !== undefined && word === undefined) return { kind: "schedule", schedule, timezone, at };
  if (schedule === undefined && (word === "manual" || word === "auto")) return { kind: word };
  const said = word === undefined ? "nothing that is known" : JSON.stringify(word);
  problems.push({
    code: "bad-trigger",
    message: schedule === undefined ? `The trigger of ${path} is ${said}` : `${path} has a schedule and the trigger ${said}`,
    path,
    at,
    hint: 'Triggers are "auto", "manual", and schedules such as {schedule: "*/5 * * * *"}; as attributes @dagger(trigger=manual) and @dagger(schedule="*/5 * * * *")',
  });
  return undefined;
}

/** What an attribute `@dagger(KEY=VALUE)` of a field says: "" without a value, undefined without the key. */
export function markOf({ attributes }: Field, key: string): string | undefined {
  return argumentsOf(attributes).get(key);
}

const none: ReadonlyMap<string, string> = new Map();

/** Arguments of all `@dagger(…)` of a field; "" for those without a value. */
function argumentsOf(attributes: readonly Attribute[]): ReadonlyMap<string, string> {
  if (attributes.length === 0) return none;
  const found = new Map<string, string>();
  for (const { name, body } of attributes) {
    if (name !== "dagger") continue;
    for (const [, key = "", value = ""] of body.matchAll(/([\w-]+)\s*(?:=\s*("(?:[^"\\]|\\.)*"|[^,]*))?\s*(?:,|$)/g)) {
      found.set(key, value.startsWith('"') ? unquote(value) : value.trim());
    }
  }
  return found;
}

/** Most fields are scalars, in which there is nothing. */
function isOpen({ value: { fields, items } }: Field): boolean {
  return fields.size > 0 || items.length > 0;
}

function visible({ fields, items }: Value): Field[] {
  const found: Field[] = [];
  for (const [label, field] of fields) if (!label.startsWith("#") && !label.startsWith("_")) found.push(field);
  found.push(...items);
  return found;
}
