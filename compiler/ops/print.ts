// Prints the ops of a config, as text for people and as data for programs: what the compiler understood of the CUE.
import type { Position } from "../diagnostic.ts";
import type { Chown } from "../graph/vertex.ts";
import { formatPlatform } from "../llb/index.ts";
import type { Field, Value } from "../value.ts";
import type { ComponentOps, OpData } from "./described.ts";
import type { MountSpec } from "./mount.ts";
import { showMount } from "./mount.ts";
import type { Op } from "./op.ts";
import { specOf } from "./op.ts";
import type { Program } from "./program.ts";
import { showComponent } from "./program.ts";
import type { Workflow } from "./read.ts";
import type { Computed, From } from "./use.ts";
import { isComponent, showText } from "./use.ts";

/** The ops as `dagger ops` prints them; the result ends with a newline. */
export function printOps(workflow: Workflow, format: "text" | "json"): string {
  const components = describeOps(workflow);
  return format === "json" ? `${JSON.stringify({ components }, null, 2)}\n` : components.map(componentText).join("\n");
}

/** All components of a config, first those that a job computes, then those that they use. With `places` each op has those of its fields. */
export function describeOps(workflow: Workflow, { places = false }: { readonly places?: boolean } = {}): ComponentOps[] {
  const programs = new Set(workflow.components);
  for (const program of programs) for (const used of namedUses(program, workflow)) programs.add(used);
  const printer = new Printer(workflow, places);
  return [...programs].map((program) => ({
    path: program.component,
    ...place(program.at),
    ...(program.missing.length > 0 ? { waits: program.missing.map((missing) => missing.path) } : {}),
    ops: program.ops.map((op) => printer.op(op)),
  }));
}

/** The components that a program uses, also from its inline ops. */
function namedUses(program: Program, workflow: Workflow): Program[] {
  const found = new Set<Program>();
  const open: Field[] = [...program.uses];
  const seen = new Set<Value>();
  for (let use = open.pop(); use !== undefined; use = open.pop()) {
    if (seen.has(use.value)) continue;
    seen.add(use.value);
    const used = workflow.program(use);
    if (used.named) found.add(used);
    else open.push(...used.uses);
  }
  return [...found].reverse();
}

class Printer {
  readonly #workflow: Workflow;
  readonly #places: boolean;
  readonly #printed = new Set<Value>();

  constructor(workflow: Workflow, places: boolean) {
    this.#workflow = workflow;
    this.#places = places;
  }

  op(op: Op): OpData {
    const specs = specOf(op).fields as Readonly<Record<string, { readonly standard?: unknown }>>;
    const data: Record<string, unknown> = { do: op.do };
    for (const [label, value] of Object.entries(op)) {
      if (label === "do" || label === "place" || isStandard(value, specs[label]?.standard)) continue;
      data[label] = label === "mode" ? octal(value) : this.#data(value);
    }
    if (this.#places) data["places"] = fieldPlaces(op.place.fields);
    return Object.assign(data, place(op.place.at)) as OpData;
  }

  #data(value: unknown): unknown {
    if (value instanceof Uint8Array) return { base64: Buffer.from(value).toString("base64") };
    if (Array.isArray(value)) {
      const pairs = value.length > 0 && value.every((item) => Array.isArray(item) && item.length === 2 && typeof item[0] === "string");
      if (!pairs) return value.map((item) => this.#data(item));
      return Object.fromEntries((value as [string, unknown][]).map(([name, item]) => [name, this.#data(item)]));
    }
    if (typeof value !== "object" || value === null) return value;
    return this.#struct(value);
  }

  #struct(value: object): unknown {
    if ("kind" in value && value.kind === "from") return this.#from(value as From);
    if ("kind" in value && value.kind === "computed") return { value: (value as Computed).value.path };
    if ("user" in value) return chownText(value as Chown);
    if ("os" in value && "architecture" in value) return formatPlatform(value as Parameters<typeof formatPlatform>[0]);
    const shown = "kind" in value ? showMount(value as MountSpec) : value;
    if (typeof shown === "string") return shown;
    const entries = Object.entries(shown).map(([label, item]) => [label, label === "mode" ? octal(item) : this.#data(item)]);
    return Object.fromEntries(entries) as Record<string, unknown>;
  }

  /** Inline ops that many ops share are printed where they come first, and named by their path after that. */
  #from(from: From): unknown {
    if (isComponent(from.value)) return { component: from.value.path };
    if (this.#printed.has(from.value)) return { ops: from.value.path };
    this.#printed.add(from.value);
    return { ops: this.#workflow.program(fieldOf(from)).ops.map((op) => this.op(op)) };
  }
}

/** What is not said in the config is the standard value itself; what is said may be as long, and equal. */
function isStandard(value: unknown, standard: unknown): boolean {
  if (value === standard) return true;
  if (typeof value !== "object" || typeof standard !== "object") return false;
  if (Array.isArray(value) && Array.isArray(standard) && value.length !== standard.length) return false;
  return JSON.stringify(value) === JSON.stringify(standard);
}

function fieldPlaces(fields: ReadonlyMap<string, readonly Position[]>): Record<string, Position> {
  const places: Record<string, Position> = {};
  for (const [label, [at]] of fields) if (at !== undefined) places[label] = at;
  return places;
}

/** Permission bits as people write them. */
function octal(value: unknown): unknown {
  if (typeof value !== "number") return value;
  return `0o${Number(value).toString(8)}`;
}

function chownText({ user, group }: Chown): string {
  const parts = [user, group].filter((owner) => owner !== undefined);
  return parts.map((owner) => ("id" in owner ? String(owner.id) : owner.name)).join(":");
}

function fieldOf(from: From): Field {
  return { label: "", path: from.path, value: from.value, at: from.at, doc: "", attributes: [] };
}

function place(at: readonly Position[]): { at?: Position } {
  return at[0] === undefined ? {} : { at: at[0] };
}

function componentText(component: ComponentOps): string {
  const where = component.at === undefined ? "" : `  ${component.at.file}:${component.at.line}:${component.at.column}`;
  const waits = component.waits === undefined ? "" : `  waits for ${component.waits.join(", ")}\n`;
  return `${showComponent(component.path)}${where}\n${waits}${component.ops.map((op) => opText(op, "  ")).join("")}`;
}

/** One line per op; inline ops below it, further in. */
function opText(op: OpData, indent: string): string {
  const { do: name, at: _, ...fields } = op;
  const inline: OpData[] = [];
  const words = Object.entries(fields).map(([label, value]) => `${label}: ${fieldText(value, inline)}`);
  const line = `${indent}${[name, words.join(", ")].filter((word) => word !== "").join(" ")}\n`;
  return line + inline.map((inner) => opText(inner, `${indent}    `)).join("");
}

/** CUE-like text: components by their path, inline ops as `[…]` (they follow below). */
function fieldText(value: unknown, inline: OpData[]): string {
  if (Array.isArray(value)) return `[${value.map((item) => fieldText(item, inline)).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if ("component" in value) return showComponent(String(value.component));
  if ("value" in value) return showText({ kind: "computed", value: { path: String(value.value) } as Value, path: "", at: [] });
  if ("ops" in value) {
    if (!Array.isArray(value.ops)) return String(value.ops);
    inline.push(...(value.ops as OpData[]));
    return "[…]";
  }
  return `{${Object.entries(value)
    .map(([label, item]) => `${/^[A-Za-z_$][\w$]*$/.test(label) ? label : JSON.stringify(label)}: ${fieldText(item, inline)}`)
    .join(", ")}}`;
}
