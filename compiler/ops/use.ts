// How ops refer to other parts of the workflow: a filesystem (`from`), or a value that the job itself computes.
import type { Position } from "../diagnostic.ts";
import type { Field, Value } from "../value.ts";

/** A filesystem: the one that a component, an inline list of ops or one inline op ends with. `value` is its identity. */
export interface From {
  readonly kind: "from";
  readonly value: Value;
  readonly path: string;
  readonly at: readonly Position[];
}

/** The text that a component exports: known only when the job runs, so the graph carries the file that holds it. */
export interface Computed {
  readonly kind: "computed";
  readonly value: Value;
  readonly path: string;
  readonly at: readonly Position[];
}

/** A text in the config: known now, or computed by the job. */
export type Text = string | Computed;

/** A secret by its name. */
export interface SecretRef {
  readonly secret: string;
  readonly optional: boolean;
}

/** Where an op stands: its CUE path, e.g. `app.#up[2]`, and its lines. */
export interface Place {
  readonly path: string;
  readonly at: readonly Position[];
  /** The lines of its fields, by label. */
  readonly fields: ReadonlyMap<string, readonly Position[]>;
}

/** What all ops have. */
export interface OpBase<Do extends string> {
  readonly do: Do;
  readonly place: Place;
}

/** The text for people: a computed one is shown by its path. */
export function showText(text: Text): string {
  return typeof text === "string" ? text : `{${text.value.path}}`;
}

/** True when the value is a component: something with `#up`. */
export function isComponent(value: Value): boolean {
  return value.fields.has("#up");
}

/** True for a field that names components, and is no place of them: what a hook is about. */
export function isMention({ attributes }: Field): boolean {
  return attributes.some(({ name, body }) => name === "dagger" && body.trim() === "of");
}

/** The formats that the component's `export` ops write; read without checking, which is the business of reading its ops. */
export function exportFormats(value: Value): string[] {
  return opsNamed(value, "export").map((fields) => String(fields.get("format")?.value.scalar ?? "string"));
}

/** True when the component pushes an image whose digest becomes its value: it can be a string, and no export gives it another one. */
export function takesDigest(value: Value): boolean {
  const type = value.kind === "incomplete" ? (value.type ?? "_") : value.kind;
  return /\bstring\b|^[=!]~/.test(type) && exportFormats(value).length === 0 && opsNamed(value, "push-container").length > 0;
}

/** True when the job gives the component a value, or may: ops that wait for values may turn out to export one. */
export function givesValue(value: Value): boolean {
  return isComponent(value) && (exportFormats(value).length > 0 || takesDigest(value) || waits(value.fields.get("#up")?.value));
}

function waits(ops: Value | undefined): boolean {
  // Ops that only wait for themselves are those of an input: nobody writes them but whoever gives it.
  return ops?.kind === "incomplete" && (ops.missing ?? []).some(({ path }) => !/(^|\.)#up$/.test(path));
}

function opsNamed(value: Value, name: string): Value["fields"][] {
  const ops = value.fields.get("#up")?.value.items ?? [];
  return ops.map((op) => op.value.fields).filter((fields) => fields.get("do")?.value.scalar === name);
}
