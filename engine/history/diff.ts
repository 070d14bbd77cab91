// Two runs side by side: what was different in what they were made from, and in what came of it.
import { hash } from "node:crypto";
import { posix } from "node:path";
import type { Json, Run, RunComponent } from "../store/index.ts";
import type { RecordedConfig } from "./config.ts";
import type { HistoryRequest } from "./open.ts";
import { type ShownRun, showRun } from "./read.ts";

export interface RunDiff {
  readonly before: Run;
  readonly after: Run;
  /** Files of the config that are not the same; a text is undefined where there was no such file. */
  readonly files: readonly { readonly name: string; readonly before?: string; readonly after?: string }[];
  /** What else is not the same: versions, request, inputs, tags, Definition, outcome. By name. */
  readonly facts: readonly Difference[];
  /** Components that did not end the same, or gave something else. Times always differ, and are no difference. */
  readonly components: readonly { readonly path: string; readonly before?: RunComponent; readonly after?: RunComponent }[];
}

interface Difference {
  readonly name: string;
  readonly before?: Json;
  readonly after?: Json;
}

/** Throws as `showRun`. */
export async function diffRuns(request: HistoryRequest, first: string, second: string): Promise<RunDiff> {
  const before = await showRun(request, first);
  const after = await showRun(request, second);
  // Of a run that came to no graph nothing is known: that is one difference, not one for each file and input.
  const both = before.config !== undefined && after.config !== undefined;
  return {
    before: before.run,
    after: after.run,
    files: both ? differences(ownFiles(before.config), ownFiles(after.config)) : [],
    facts: differences(factsOf(before, both), factsOf(after, both)),
    components: componentDifferences(before, after),
  };
}

function factsOf({ run, config }: ShownRun, compareConfig: boolean): Record<string, Json> {
  const { stack, env, versions, request, state, reason = "", passes, summary } = run;
  const definition = (summary as { readonly definition?: string } | undefined)?.definition ?? "";
  const asked = Object.entries(request as Record<string, Json>).filter(([name]) => !["inputs", "tags", "name"].includes(name));
  return {
    environment: stack === "" ? env : `${stack}/${env}`,
    ...versions,
    ...Object.fromEntries(asked),
    ...(compareConfig && config !== undefined
      ? given(config)
      : { config: config === undefined ? "not kept: it came to no graph" : "kept" }),
    definition,
    passes,
    state,
    reason,
  };
}

/** What a config is given beside its files, and the packages of others that it uses, by their digest. */
function given(config: RecordedConfig): Record<string, Json> {
  return {
    ...named("input", config.inputs),
    ...prefixed("input", config.typedInputs ?? {}),
    ...prefixed("setting", config.settings ?? {}),
    ...named("tag", config.tags),
    ...packages(config),
  };
}

function prefixed(kind: string, values: Readonly<Record<string, Json>>): Record<string, Json> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [`${kind} ${name}`, value]));
}

/** The user's. */
function ownFiles({ files, own }: RecordedConfig): Readonly<Record<string, string>> {
  if (own === undefined) return files;
  return Object.fromEntries(own.map((name) => [name, files[name] ?? ""]));
}

function packages({ files, own }: RecordedConfig): Record<string, string> {
  const texts = new Map<string, string[]>();
  for (const name of own === undefined ? [] : Object.keys(files).sort()) {
    if (own?.includes(name) === true) continue;
    const dir = posix.dirname(name);
    texts.set(dir, [...(texts.get(dir) ?? []), name, files[name] ?? ""]);
  }
  return Object.fromEntries([...texts].map(([dir, all]) => [`package ${dir}`, `sha256:${hash("sha256", JSON.stringify(all))}`]));
}

/** `path=value` texts by their path. */
function named(kind: string, texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const [name = "", ...value] = text.split("=");
      return [`${kind} ${name}`, value.join("=")];
    }),
  );
}

function componentDifferences(before: ShownRun, after: ShownRun): RunDiff["components"] {
  const byPath = ({ components }: ShownRun): Record<string, RunComponent> =>
    Object.fromEntries(components.map((component) => [component.path, component]));
  return differences(byPath(before), byPath(after), ({ state, error = "", outputs = null }) => [state, error, outputs]).map(
    ({ name, ...rest }) => ({ path: name, ...rest }),
  );
}

/** By name, where what `by` takes of two values is not the same. */
function differences<T>(
  before: Readonly<Record<string, T>>,
  after: Readonly<Record<string, T>>,
  by: (value: T) => unknown = (value) => value,
): { readonly name: string; readonly before?: T; readonly after?: T }[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return names.flatMap((name) => {
    const [a, b] = [before[name], after[name]];
    if (a !== undefined && b !== undefined && JSON.stringify(by(a)) === JSON.stringify(by(b))) return [];
    return [{ name, ...(a === undefined ? {} : { before: a }), ...(b === undefined ? {} : { after: b }) }];
  });
}
