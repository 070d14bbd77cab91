// What a config says of a target: the values of task.#Target, which the attribute @dagger(target) of their field `kind` marks.
import { type Diagnostic, type Field, inputError, nearest, type Position, type Value } from "../../compiler/index.ts";
import type { SecretPlace } from "./target.ts";

/** One task.#Target. */
export interface TargetSettings {
  /** CUE path; "" for one that nobody wrote. */
  readonly path: string;
  readonly at: readonly Position[];
  readonly kind: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly helper?: string;
  readonly storage?: { readonly size: string; readonly class?: string };
  readonly secrets: ReadonlyMap<string, SecretPlace>;
  /** By the names that they get; empty means all tasks and daemons. */
  readonly components: ReadonlyMap<string, ComponentSettings>;
}

/** What is said of one component. */
export interface ComponentSettings {
  /** The field with the component. */
  readonly from: Field;
  readonly image?: string;
  readonly replicas?: number;
  readonly ports: readonly number[];
  readonly env: ReadonlyMap<string, string>;
}

/** All targets of a config, in the order in which they are written. */
export function findTargets(root: Value): TargetSettings[] {
  const found = new Map<Value, TargetSettings>();
  const seen = new Set<Value>();
  const walk = (value: Value, path: string, at: readonly Position[]): void => {
    if (seen.has(value)) return;
    seen.add(value);
    const kind = value.fields.get("kind");
    if (kind?.attributes.some(({ name, body }) => name === "dagger" && body === "target") === true) {
      found.set(value, readTarget(value, path, at));
      return;
    }
    for (const field of value.fields.values()) if (!/^[#_]/.test(field.label)) walk(field.value, field.path, field.at);
  };
  walk(root, "", []);
  return [...found.values()];
}

/** The target at a path, or of a kind; settings of nothing where a config says nothing of the kind. Throws UserError (2). */
export function chooseTarget(wanted: string, targets: readonly TargetSettings[], kinds: readonly string[]): TargetSettings {
  const named = targets.find(({ path }) => path === wanted);
  const chosen = named ?? (kinds.includes(wanted) ? ofKind(wanted, targets) : undefined);
  if (chosen === undefined) throw inputError(unknownTarget(wanted, targets, kinds));
  if (kinds.includes(chosen.kind)) return chosen;
  throw inputError(unknownKind(chosen, kinds));
}

function ofKind(kind: string, targets: readonly TargetSettings[]): TargetSettings {
  const [only, ...more] = targets.filter((one) => one.kind === kind);
  if (only === undefined) return { path: "", at: [], kind, secrets: new Map(), components: new Map() };
  if (more.length === 0) return only;
  const paths = [only, ...more].map(({ path }) => path);
  throw inputError({
    code: "several-targets",
    message: `The config has ${paths.length} targets of the kind ${kind}: ${paths.join(", ")}`,
    at: [only, ...more].flatMap(({ at }) => at.slice(0, 1)),
    hint: `Name one of them: \`dagger target render ${only.path}\``,
  });
}

function unknownTarget(wanted: string, targets: readonly TargetSettings[], kinds: readonly string[]): Diagnostic {
  const names = [...kinds, ...targets.map(({ path }) => path)];
  const [near] = nearest(wanted, names);
  return {
    code: "no-such-target",
    message: `There is no target ${wanted}`,
    at: [],
    hint: near === undefined ? `Targets are ${names.join(", ")}` : `Did you mean ${near}?`,
  };
}

function unknownKind({ path, at, kind }: TargetSettings, kinds: readonly string[]): Diagnostic {
  const [near] = nearest(kind, kinds);
  return {
    code: "no-such-target",
    message: `Nothing can write files for ${JSON.stringify(kind)}`,
    path: `${path}.kind`,
    at,
    hint: near === undefined ? `Kinds are ${kinds.join(", ")}` : `Did you mean ${JSON.stringify(near)}?`,
  };
}

function readTarget(value: Value, path: string, at: readonly Position[]): TargetSettings {
  const storage = value.fields.get("storage")?.value;
  const size = storage && textOf(storage, "size");
  return {
    path,
    at,
    kind: textOf(value, "kind") ?? "",
    ...texts(value, "name", "namespace", "helper"),
    ...(storage === undefined || size === undefined ? {} : { storage: { size, ...texts(storage, "class") } }),
    secrets: new Map(entries(value, "secrets").map(([id, { value: place }]) => [id, texts(place, "env", "file", "name", "key")])),
    components: new Map(entries(value, "components").flatMap(([name, { value: one }]) => readComponent(name, one))),
  };
}

function readComponent(name: string, value: Value): [string, ComponentSettings][] {
  const from = value.fields.get("from");
  if (from === undefined) return [];
  const replicas = numberOf(value.fields.get("replicas"));
  const ports = value.fields.get("ports")?.value.items.map(numberOf) ?? [];
  const env = entries(value, "env").flatMap(([key, { value: text }]) =>
    typeof text.scalar === "string" ? [[key, text.scalar] as const] : [],
  );
  return [
    [
      name,
      {
        from,
        ...texts(value, "image"),
        ...(replicas === undefined ? {} : { replicas }),
        ports: ports.filter((port) => port !== undefined),
        env: new Map(env),
      },
    ],
  ];
}

function textOf(value: Value, label: string): string | undefined {
  const scalar = value.fields.get(label)?.value.scalar;
  return typeof scalar === "string" ? scalar : undefined;
}

/** Those of the fields that have a text. */
function texts<Label extends string>(value: Value, ...labels: readonly Label[]): { readonly [L in Label]?: string } {
  return Object.fromEntries(
    labels.flatMap((label) => {
      const text = textOf(value, label);
      return text === undefined ? [] : [[label, text]];
    }),
  ) as { readonly [L in Label]?: string };
}

function numberOf(field: Field | undefined): number | undefined {
  const scalar = field?.value.scalar;
  return typeof scalar === "number" ? scalar : undefined;
}

/** Fields of a struct, without the quotes that CUE puts around labels that are no identifiers. */
function entries(value: Value, label: string): [name: string, field: Field][] {
  const fields = value.fields.get(label)?.value.fields ?? new Map<string, Field>();
  return [...fields].map(([name, field]) => [name.startsWith('"') ? String(JSON.parse(name)) : name, field]);
}
