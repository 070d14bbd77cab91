// Libraries of stages in an evaluated config: the values of stage.#Library, which its attribute @stages(library) marks.
import { resolve } from "node:path";
import { inputError, type Position, UserError, type Value } from "../../compiler/index.ts";
import type { Config } from "../config/config.ts";

export interface Library {
  /** CUE path. */
  readonly path: string;
  readonly at: readonly Position[];
  /** Which stages each one comes after, in an order in which they can be brought up. */
  readonly stages: ReadonlyMap<string, readonly string[]>;
  /** Absolute directories on this machine. */
  readonly output: string;
  readonly genfiles: string;
}

/** The library that is meant: the one at `wanted`, or the only one. Throws UserError (2) when there is none, or more than one. */
export function findLibrary({ evaluation, destinations }: Config, wanted: string | undefined): Library {
  const found = librariesIn(evaluation.root, (dir) => resolve(destinations.configDir, dir));
  const meant = wanted === undefined ? found : found.filter(({ path }) => path === wanted);
  const [library, other] = meant;
  const paths = found.map(({ path }) => path || "(root)").join(", ");
  if (library === undefined) {
    throw inputError({
      code: "no-stages",
      message: wanted === undefined ? "The config has no library of stages" : `There is no library of stages at ${wanted}`,
      at: [],
      hint:
        found.length === 0
          ? "Make one with stage.#Library of cuellb.dev/stage, or with `dagger stage import`"
          : `Libraries are at ${paths}`,
    });
  }
  if (other !== undefined) {
    const message = `The config has ${meant.length} libraries of stages: ${paths}`;
    throw inputError({ code: "several-libraries", message, at: library.at, hint: "Say which one with --library" });
  }
  return library;
}

function librariesIn(root: Value, place: (dir: string) => string): Library[] {
  const libraries = new Map<Value, Library>();
  const walk = (value: Value, path: string, at: readonly Position[]): void => {
    if (libraries.has(value)) return;
    const mark = value.fields.get("command")?.attributes;
    if (mark?.some(({ name, body }) => name === "stages" && body === "library") === true) {
      libraries.set(value, readLibrary(value, path, at, place));
      return;
    }
    for (const field of value.fields.values()) if (!/^[#_]/.test(field.label)) walk(field.value, field.path, field.at);
  };
  walk(root, "", []);
  return [...libraries.values()];
}

function readLibrary(value: Value, path: string, at: readonly Position[], place: (dir: string) => string): Library {
  const text = (label: string): string => String(value.fields.get(label)?.value.scalar ?? label);
  const after = new Map<string, readonly string[]>();
  for (const [label, { value: stage }] of value.fields.get("stages")?.value.fields ?? []) {
    after.set(unquote(label), stage.fields.get("after")?.value.items.map((item) => String(item.value.scalar)) ?? []);
  }
  return { path, at, stages: inOrder(after), output: place(text("output")), genfiles: place(text("genfiles")) };
}

/** CUE quotes labels that are no identifiers. */
function unquote(label: string): string {
  return label.startsWith('"') ? String(JSON.parse(label)) : label;
}

/** Each after those that it comes after, else as they are written; the config holds no circle. */
function inOrder(after: ReadonlyMap<string, readonly string[]>): Library["stages"] {
  const ordered = new Map<string, readonly string[]>();
  const add = (name: string): void => {
    const needs = after.get(name);
    if (needs === undefined || ordered.has(name)) return;
    for (const need of needs) add(need);
    ordered.set(name, needs);
  };
  for (const name of after.keys()) add(name);
  return ordered;
}

/**
 * The stages that a command is about: those named, with what they need to be up (`before`), or what needs them (`after`); undefined when none is
 * named. Throws UserError (2) for names that are no stages.
 */
export function selectStages(
  { path, stages }: Library,
  named: readonly string[],
  along: "before" | "after" | undefined,
): readonly string[] | undefined {
  const unknown = named.filter((name) => !stages.has(name));
  if (unknown.length > 0) {
    throw new UserError(
      2,
      unknown.map((name) => ({
        code: "unknown-stage",
        message: `There is no stage ${name}${path === "" ? "" : ` in ${path}`}`,
        at: [],
        hint: `Stages are ${[...stages.keys()].join(", ")}`,
      })),
    );
  }
  if (named.length === 0) return undefined;
  const next = (name: string): readonly string[] => {
    if (along === "before") return stages.get(name) ?? [];
    return along === "after" ? [...stages].flatMap(([other, needs]) => (needs.includes(name) ? [other] : [])) : [];
  };
  const selected = new Set<string>();
  const add = (name: string): void => {
    if (selected.has(name)) return;
    selected.add(name);
    for (const other of next(name)) add(other);
  };
  for (const name of named) add(name);
  return [...stages.keys()].filter((name) => selected.has(name));
}
