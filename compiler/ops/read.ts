// Value → ops: reads the ops of every component, and of all that these use. All mistakes of a config are collected.
import type { Diagnostic } from "../diagnostic.ts";
import type { Field, Missing, Value } from "../value.ts";
import { concrete, describe, missingOf, readFields } from "./fields.ts";
import { nearest } from "./near.ts";
import type { Op } from "./op.ts";
import { findSpec, opNames } from "./op.ts";
import type { Program } from "./program.ts";
import { showComponent } from "./program.ts";
import type { ReadContext } from "./spec.ts";
import { isComponent } from "./use.ts";
import { findComponents, rootField } from "./walk.ts";

/** The ops of a config, before anything is known about what runs. */
export interface Workflow {
  readonly root: Field;
  /** The components that a job without targets computes, in declaration order. */
  readonly components: readonly Program[];
  /** Fields that may hold more components once they are known. */
  readonly undecided: readonly Field[];
  readonly problems: readonly Diagnostic[];
  /** The program of a value: of a component, an inline list or an inline op. Reads it, and all that it uses, if nobody did so far. */
  program(field: Field): Program;
}

export interface ReadOptions {
  /** An op with fields that have only a constraint waits for them, as for any value; without it they are mistakes. */
  readonly gradual?: boolean;
}

/** Reads all components of a config and all that they use. */
export function readOps(root: Value, options: ReadOptions = {}): Workflow {
  const field = rootField(root);
  const { components, places, undecided } = findComponents(field);
  const reader = new Reader(places, options.gradual === true);
  return {
    root: field,
    components: components.map((component) => reader.program(component)),
    undecided,
    problems: reader.problems,
    program: (wanted) => reader.program(wanted),
  };
}

class Reader {
  readonly problems: Diagnostic[] = [];
  readonly #programs = new Map<Value, Program>();
  readonly #places: ReadonlyMap<Value, readonly string[]>;
  readonly #gradual: boolean;

  constructor(places: ReadonlyMap<Value, readonly string[]>, gradual: boolean) {
    this.#places = places;
    this.#gradual = gradual;
  }

  program(field: Field): Program {
    const known = this.#programs.get(field.value);
    if (known !== undefined) return known;
    const program = this.#read(field, "");
    // Chains of components may be thousands long: a worklist, not recursion.
    const open: Program[] = [program];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      for (const use of next.uses) if (!this.#programs.has(use.value)) open.push(this.#read(use, next.component));
    }
    return program;
  }

  /** The names of a component: where it is declared, if that is in the config's data; else the places that refer to it. */
  #namesOf(value: Value): readonly string[] {
    const places = value.origin === undefined ? [] : (this.#places.get(value) ?? []);
    return places.length === 0 ? [value.path] : places;
  }

  /** Reads one list of ops. Inline ones belong to `component`. */
  #read(field: Field, component: string): Program {
    const { value } = field;
    const named = isComponent(value);
    const list = value.fields.get("#up") ?? field;
    const missing: Missing[] = [];
    const uses = new Map<Value, Field>();
    const texts = new Set<Value>();
    const context: ReadContext = {
      open: openFields(value),
      gradual: this.#gradual,
      nameOf: (named) => this.#namesOf(named)[0] ?? named.path,
      problem: (diagnostic) => void this.problems.push(diagnostic),
      missing: (more) => void missing.push(...more),
      use: (used, gives) => {
        if (!uses.has(used.value)) uses.set(used.value, used);
        if (gives === "value") texts.add(used.value);
      },
    };
    const unmade = named && isUnmade(list.value);
    // Inputs of one type are one value: CUE cannot tell which of them is meant, but none of them is given.
    if (unmade) missing.push(...this.#namesOf(value).map((path) => ({ path, at: field.at, type: "a filesystem" })));
    const ops = unmade ? [] : readList(list, context);
    if (named) checkExports(ops, value, context);
    else if (!value.path.endsWith("#up")) checkInline(ops, context);
    const places = named ? this.#namesOf(value) : [];
    const program: Program = {
      value,
      component: places[0] ?? component,
      places,
      named,
      // A component is declared where its own field is; a use of it from elsewhere only leads to its ops.
      at: field.path === value.path && field.at.length > 0 ? field.at : list.at,
      doc: field.doc,
      ops,
      uses: [...uses.values()],
      texts,
      missing: unique(missing),
    };
    this.#programs.set(value, program);
    return program;
  }
}

/** The ops of a component by its type, such as an input, that nobody gave. CUE tells where they are declared, not what they are of. */
function isUnmade({ kind, missing = [] }: Value): boolean {
  return kind === "incomplete" && missing.length > 0 && missing.every(({ path }) => path.endsWith(".#up"));
}

/** The types that a scalar export can fill; a component of only ops is a struct, which no scalar can become. */
const SCALARS: Readonly<Record<string, string>> = { string: "string", number: "number", boolean: "bool" };

function checkExports(ops: readonly Op[], value: Value, context: ReadContext): void {
  for (const op of ops) {
    const type = op.do === "export" ? SCALARS[op.format] : undefined;
    const declared = value.kind === "incomplete" ? (value.type ?? "_") : value.kind;
    if (op.do !== "export" || type === undefined || admits(declared, type)) continue;
    context.problem({
      code: "export-type",
      message: `Op export gives the component ${showComponent(value.path)} a ${op.format}, but it is declared as ${declared}`,
      path: op.place.path,
      at: op.place.fields.get("format") ?? op.place.at,
      hint:
        declared === "struct"
          ? `Declare its type beside #up: {${type}, #up: […]}, or export json`
          : `Change the format, or declare the component as ${type}`,
    });
  }
}

/** Only what certainly cannot hold the type is refused; CUE checks the value itself once it is there. */
function admits(declared: string, type: string): boolean {
  const plain = new Set(["struct", "list", "string", "int", "number", "float", "bool", "bytes", "null"]);
  if (!plain.has(declared)) return true;
  return declared === type || (type === "number" && (declared === "int" || declared === "float"));
}

/** An export gives a component its value, but inline ops are no component. */
function checkInline(ops: readonly Op[], context: ReadContext): void {
  for (const op of ops) {
    if (op.do !== "export") continue;
    context.problem({
      code: "misplaced-op",
      message: "Op export gives a component its value, but these ops are written inside another op",
      path: op.place.path,
      at: op.place.at,
      hint: "Make a component of them: name: {string, #up: […]}",
    });
  }
}

/** Fields of a component that wait for nothing but themselves. */
function openFields(value: Value): Missing[] {
  const fields = [...value.fields.values()].filter((field) => field.value.kind === "incomplete" && !isComponent(field.value));
  return fields.flatMap(missingOf).filter((missing) => fields.some((field) => field.path === missing.path));
}

function unique(missing: readonly Missing[]): Missing[] {
  return [...new Map(missing.map((one) => [one.path, one])).values()];
}

/** A list of ops, or one op in place of a list. */
function readList(list: Field, context: ReadContext): Op[] {
  const value = concrete(list, context);
  if (value === undefined) return [];
  if (value.kind === "list") return value.items.map((item) => readOp(item, context)).filter((op) => op !== undefined);
  if (value.fields.has("do")) return [readOp(list, context)].filter((op) => op !== undefined);
  context.problem({
    code: "wrong-type",
    message: `Field ${list.path} takes a list of ops, got ${describe(value)}`,
    path: list.path,
    at: list.at,
    hint: `Write #up: [{do: "…", …}]`,
  });
  return [];
}

function readOp(field: Field, context: ReadContext): Op | undefined {
  const value = concrete(field, context);
  if (value === undefined) return undefined;
  if (value.kind !== "struct") {
    context.problem({
      code: "wrong-type",
      message: `Op ${field.path} takes a struct with do, got ${describe(value)}`,
      path: field.path,
      at: field.at,
      hint: `Write {do: "…", …}`,
    });
    return undefined;
  }
  const given = value.fields.get("do");
  const name = given === undefined ? noDo(field, context) : readName(given, context);
  const spec = name === undefined ? undefined : findSpec(name);
  if (spec === undefined) return undefined;
  const op = readFields<Op>(spec.do, spec.fields, field, context);
  if (op !== undefined) spec.check?.(op, field, context);
  return op;
}

function noDo(field: Field, context: ReadContext): undefined {
  const labels = [...field.value.fields.keys()];
  const near = labels.find((label) => nearest(label, ["do"]).length > 0 && label.length <= 3);
  const component = field.value.fields.has("#up");
  context.problem({
    code: "missing-field",
    message: `Field do of op ${field.path} is missing`,
    path: field.path,
    at: field.at,
    hint: component
      ? `This is a component: to go on from it write {do: "load", from: …}`
      : near === undefined
        ? `Say which op it is, e.g. do: "exec"`
        : `Did you mean do in place of ${near}?`,
  });
  return undefined;
}

function readName(field: Field, context: ReadContext): string | undefined {
  const value = concrete(field, context);
  if (value === undefined) return undefined;
  const name = value.scalar;
  if (typeof name === "string" && findSpec(name) !== undefined) return name;
  const near = typeof name === "string" ? nearest(name, opNames) : [];
  context.problem({
    code: "unknown-op",
    message:
      typeof name === "string"
        ? `Unknown op ${JSON.stringify(name)}`
        : `Field ${field.path} takes the name of an op, got ${describe(value)}`,
    path: field.path,
    at: field.at,
    hint: near[0] === undefined ? `Ops: ${opNames.join(", ")}` : `Did you mean ${JSON.stringify(near[0])}?`,
  });
  return undefined;
}
