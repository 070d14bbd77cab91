// What has changed between two times that a component was looked at: values at CUE paths, sources, files, and the components that it uses.
import { isWithin, type OpData, type Position } from "../../compiler/index.ts";
import type { ComponentFacts } from "./facts.ts";
import type { FileList } from "./files.ts";
import { fingerprintsOf, withoutPlaces } from "./fingerprints.ts";

/** What is not there on one side is left out. Whole ops are data as `dagger inspect ops` has them. */
export type Change =
  | { readonly kind: "value"; readonly path: string; readonly before?: unknown; readonly after?: unknown; readonly at?: Position }
  /** An image, git ref or address: `name` is as in fingerprints, the others are digests or commits. */
  | { readonly kind: "source"; readonly name: string; readonly before?: string; readonly after?: string }
  | {
      readonly kind: "directory";
      readonly name: string;
      readonly added: readonly string[];
      readonly removed: readonly string[];
      readonly changed: readonly string[];
    }
  /** A component that it uses has changed; it is told of itself. */
  | { readonly kind: "component"; readonly path: string }
  /** A step that runs in every run, in words. */
  | { readonly kind: "always"; readonly step: string };

export interface ComponentChanges {
  readonly path: string;
  readonly at?: Position;
  readonly changes: readonly Change[];
}

/** All components with what they are made from, at one time. */
export interface Snapshot {
  readonly components: readonly ComponentFacts[];
  /** The files of a directory, by the digest that a source has. */
  readonly files: (digest: string) => Promise<FileList | undefined>;
}

/** The component first, then those that it uses and because of which it runs, each once. Empty: nothing has changed. */
export async function compare(target: string, before: Snapshot, after: Snapshot): Promise<ComponentChanges[]> {
  const [then, now] = [byPath(before), byPath(after)];
  const prints = { before: fingerprintsOf(before.components), after: fingerprintsOf(after.components) };
  const moved = new Set(
    [...now.keys()].filter((path) => JSON.stringify(prints.before.get(path)) !== JSON.stringify(prints.after.get(path))),
  );
  const restless = runningAlways(after.components);
  const found: ComponentChanges[] = [];
  const open = [target];
  const seen = new Set(open);
  for (let path = open.shift(); path !== undefined; path = open.shift()) {
    const one = now.get(path);
    if (one === undefined) continue;
    const own = moved.has(path) ? await ownChanges(then.get(path), one, before, after) : [];
    const used = usedBy(one, now).filter((use) => moved.has(use) || restless.has(use));
    const changes: Change[] = [
      ...own,
      ...one.always.map((step) => ({ kind: "always" as const, step })),
      ...used.map((use) => ({ kind: "component" as const, path: use })),
    ];
    if (changes.length > 0) found.push({ path, ...(one.at === undefined ? {} : { at: one.at }), changes });
    for (const use of used) {
      if (seen.has(use)) continue;
      seen.add(use);
      open.push(use);
    }
  }
  return found;
}

/** Also by way of a value, which CUE has put into its ops. */
function usedBy({ path, uses, waited }: ComponentFacts, all: ReadonlyMap<string, ComponentFacts>): string[] {
  const givers = [...all.keys()].filter((giver) => waited.some((value) => isWithin(value, giver)));
  return [...new Set([...uses, ...givers])].filter((used) => used !== path && all.has(used));
}

function byPath({ components }: Snapshot): ReadonlyMap<string, ComponentFacts> {
  return new Map(components.map((one) => [one.path, one]));
}

/** Those with a step that always runs, and all that use them. */
function runningAlways(components: readonly ComponentFacts[]): ReadonlySet<string> {
  const users = new Map<string, string[]>();
  for (const { path, uses } of components) for (const use of uses) users.set(use, [...(users.get(use) ?? []), path]);
  const found = new Set<string>();
  const open = components.filter(({ always }) => always.length > 0).map(({ path }) => path);
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (found.has(path)) continue;
    found.add(path);
    open.push(...(users.get(path) ?? []));
  }
  return found;
}

/** Of a component that was not there everything is new. */
async function ownChanges(
  then: ComponentFacts | undefined,
  now: ComponentFacts,
  before: Snapshot,
  after: Snapshot,
): Promise<readonly Change[]> {
  const values = opChanges(then?.ops ?? [], now.ops, join(now.path, "#up"));
  const names = [...new Set([...Object.keys(then?.sources ?? {}), ...Object.keys(now.sources)])].sort();
  const sources: Change[] = [];
  for (const name of names) {
    const [a, b] = [then?.sources[name], now.sources[name]];
    // Another name is another value of an op, which is told already. What is not known is no change.
    if (a === b || a === "" || b === "" || ((a === undefined || b === undefined) && values.length > 0)) continue;
    if (name.startsWith("directory ")) sources.push(await directoryChange(name, a, b, before, after));
    else sources.push({ kind: "source", name, ...(a === undefined ? {} : { before: a }), ...(b === undefined ? {} : { after: b }) });
  }
  return [...values, ...sources];
}

async function directoryChange(
  name: string,
  a: string | undefined,
  b: string | undefined,
  before: Snapshot,
  after: Snapshot,
): Promise<Change> {
  const then = (a === undefined ? undefined : await before.files(a)) ?? {};
  const now = (b === undefined ? undefined : await after.files(b)) ?? {};
  return { kind: "directory", name: name.replace(/^directory /, ""), ...compareFiles(then, now) };
}

/** Paths, in the order of the directory. */
export function compareFiles(then: FileList, now: FileList): Pick<Extract<Change, { kind: "directory" }>, "added" | "removed" | "changed"> {
  return {
    added: Object.keys(now).filter((path) => then[path] === undefined),
    removed: Object.keys(then).filter((path) => now[path] === undefined),
    changed: Object.keys(now).filter((path) => then[path] !== undefined && then[path] !== now[path]),
  };
}

/** Ops that are the same at the beginning and the end stand for themselves, so that an op between them is one change. */
function opChanges(before: readonly OpData[], after: readonly OpData[], list: string): Change[] {
  const same = (a: OpData | undefined, b: OpData | undefined): boolean =>
    JSON.stringify(withoutPlaces(a)) === JSON.stringify(withoutPlaces(b));
  let head = 0;
  while (head < Math.min(before.length, after.length) && same(before[head], after[head])) head++;
  let tail = 0;
  while (tail < Math.min(before.length, after.length) - head && same(before.at(-1 - tail), after.at(-1 - tail))) tail++;
  const [old, fresh] = [before.slice(head, before.length - tail), after.slice(head, after.length - tail)];
  return Array.from({ length: Math.max(old.length, fresh.length) }, (_, index) => {
    const [a, b] = [old[index], fresh[index]];
    const path = `${list}[${head + index}]`;
    if (a !== undefined && b !== undefined && a.do === b.do) return fieldChanges(a, b, path, b);
    return [whole(a, b, path)];
  }).flat();
}

function whole(a: OpData | undefined, b: OpData | undefined, path: string): Change {
  const at = (b ?? a)?.at;
  return {
    kind: "value",
    path,
    ...(a === undefined ? {} : { before: withoutPlaces(a) }),
    ...(b === undefined ? {} : { after: withoutPlaces(b) }),
    ...(at === undefined ? {} : { at }),
  };
}

/** Field by field, down to what is no struct and no list. `op` knows the places of its fields. */
function fieldChanges(before: unknown, after: unknown, path: string, op: OpData, field?: string): Change[] {
  if (JSON.stringify(withoutPlaces(before)) === JSON.stringify(withoutPlaces(after))) return [];
  if (Array.isArray(before) && Array.isArray(after)) {
    if (before.every(isOp) && after.every(isOp)) return opChanges(before as OpData[], after as OpData[], path);
    if (before.length === after.length) {
      return before.flatMap((item: unknown, index) => fieldChanges(item, after[index], `${path}[${index}]`, op, field));
    }
  } else if (isStruct(before) && isStruct(after)) {
    // Inline ops are a list of their own in the config.
    const inner = (name: string): string =>
      name === "ops" && Array.isArray(after[name]) && isOp(after[name][0]) ? path : join(path, name);
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
      (name) => !isOp(after) || (name !== "at" && name !== "places"),
    );
    return names.flatMap((name) => fieldChanges(before[name], after[name], inner(name), op, field ?? name));
  }
  const at = (field === undefined ? undefined : op.places?.[field]) ?? op.at;
  return [
    {
      kind: "value",
      path,
      ...(before === undefined ? {} : { before: withoutPlaces(before) }),
      ...(after === undefined ? {} : { after: withoutPlaces(after) }),
      ...(at === undefined ? {} : { at }),
    },
  ];
}

function isStruct(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isOp(value: unknown): boolean {
  return isStruct(value) && typeof value["do"] === "string";
}

/** As CUE writes a path. */
function join(path: string, label: string): string {
  const written = /^#?[A-Za-z_$][\w$]*$/.test(label) ? label : JSON.stringify(label);
  return path === "" ? written : `${path}.${written}`;
}
