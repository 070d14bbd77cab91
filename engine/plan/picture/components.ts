// A job at the level of components: boxes that people know by name, what each gives, and which takes what of which other.
import { relative } from "node:path";
import type { Hook, Job, Part, PartNeed, Position, StepData, Trigger, Vertex } from "../../../compiler/index.ts";
import { isWithin } from "../../../compiler/index.ts";
import { isCounted } from "../../build/steps.ts";
import { type Effect, effectsOf } from "../effects.ts";
import { boxesOf } from "./boxes.ts";
import { groupBy } from "./group.ts";
import { impliedLines, inOrder } from "./sketch/sketch.ts";

/** What one component takes of another: its files, its value, or both; or how a hook and what it is about follow each other. */
export interface Link {
  /** CUE paths. A hook that runs first comes before what it is about, all others after. */
  readonly from: string;
  readonly to: string;
  readonly kinds: readonly PartNeed["kind"][];
  /** There is a longer way between the two, which says already that one comes after the other. */
  readonly implied: boolean;
}

export interface ComponentBox {
  /** CUE path; "" for a config that is one component. */
  readonly path: string;
  /** The path as people read it, without the names of hidden fields. */
  readonly title: string;
  readonly at?: Position;
  readonly doc: string;
  /** `deferred`: it waits for values. `waiting`: its trigger keeps it from running, or it is a hook. */
  readonly state: Part["state"];
  readonly trigger?: Trigger;
  /** Of a hook: when it runs, and the components that it is about; none for the whole run. */
  readonly hook?: Pick<Hook, "on" | "of">;
  /** Numbers of its steps, and those of its parts, in build order. */
  readonly steps: readonly number[];
  /** How many of them are work: taking something from elsewhere is none. */
  readonly counted: number;
  /** The one that says what it is about, when it has no more than one of these. */
  readonly only?: string;
  /** What most of them are: it runs programs (also on this machine), takes something from elsewhere, or works on files. */
  readonly kind: "host" | "exec" | "source" | "file";
  /** Paths of files are relative to the directory that the graph is looked at from. */
  readonly effects: readonly Effect[];
}

export interface ComponentGraph {
  /** Each after those that it takes from. */
  readonly boxes: readonly ComponentBox[];
  readonly links: readonly Link[];
}

export interface ComponentFacts {
  readonly job: Job;
  readonly steps: readonly StepData[];
  /** The vertex of step N is `vertices[N - 1]`; images at the end have none. */
  readonly vertices: readonly Vertex[];
  /** By the number of the step. */
  readonly digests: ReadonlyMap<number, string>;
  readonly cwd: string;
}

/** Puts the parts of each component together, and the lines between parts to lines between components. */
export function componentGraph(facts: ComponentFacts): ComponentGraph {
  const { job, steps, vertices, cwd } = facts;
  const parts = job.parts();
  const ownSteps = groupBy(steps, ({ component }) => component);
  const ownVertices = groupBy(vertices, ({ meta }) => meta.component);
  const effects = (path: string): readonly Effect[] => {
    const all = effectsOf(job, path, ownVertices.get(path) ?? []);
    return all.map((one) => (one.kind === "save" || one.kind === "archive" ? { ...one, what: relative(cwd, one.what) } : one));
  };
  const stands = (path: string): boolean => ownSteps.has(path) || effects(path).length > 0;
  const boxOf = boxesOf(parts, stands);
  const members = groupBy(parts, ({ path }) => boxOf.get(path) ?? null);
  members.delete(null);
  const links = linksOf(parts, boxOf, sameFiles(facts));
  const titles = titlesOf([...members.keys()].filter((path) => path !== null));
  const boxes = [...members].flatMap(([path, within]): ComponentBox[] => {
    const head = within.find((part) => part.path === path);
    if (path === null || head === undefined) return [];
    const own = within.flatMap((part) => ownSteps.get(part.path) ?? []).sort((a, b) => a.id - b.id);
    const trigger = triggerOf(job, path);
    const hook = job.graph.hooks.find((one) => one.path === path);
    const counted = own.filter(({ id }) => vertices[id - 1] === undefined || isCounted(vertices[id - 1] as Vertex));
    const only =
      counted.length > 1 ? undefined : (counted.find(({ kind }) => kind === "exec") ?? own.find(({ kind }) => kind === "source") ?? own[0]);
    return [
      {
        path,
        title: titles.get(path) ?? path,
        doc: head.doc,
        state: within.some(({ state }) => state === "deferred") ? "deferred" : head.state,
        steps: own.map(({ id }) => id),
        counted: counted.length,
        kind: kindOf(own),
        effects: within.flatMap((part) => effects(part.path)),
        ...(only === undefined ? {} : { only: nearby(only.name, cwd) }),
        ...(head.at === undefined ? {} : { at: head.at }),
        ...(trigger === undefined ? {} : { trigger }),
        ...(hook === undefined ? {} : { hook: { on: hook.on, of: hook.of } }),
      },
    ];
  });
  return { boxes: inOrder(boxes, links), links };
}

/** Directories that were filled in are absolute. */
function nearby(name: string, cwd: string): string {
  const [, dir] = /^local (\/.+)$/.exec(name) ?? [];
  return dir === undefined ? name : `local ${relative(cwd, dir) || "."}`;
}

function kindOf(steps: readonly StepData[]): ComponentBox["kind"] {
  const kinds = new Set(steps.map(({ kind }) => kind));
  if (kinds.has("host")) return "host";
  if (kinds.has("exec") || kinds.has("build") || kinds.has("raw")) return "exec";
  return kinds.has("source") && kinds.size === 1 ? "source" : "file";
}

function triggerOf({ waiting }: Job, path: string): Trigger | undefined {
  return waiting.find((one) => isWithin(path, one.path))?.trigger;
}

/** Hidden fields are how a package is made: their names say nothing, unless two would be called the same. */
function titlesOf(paths: readonly string[]): ReadonlyMap<string, string> {
  const short = (path: string): string => {
    const [first = "", ...rest] = path.split(".");
    return path === "" ? "(root)" : [first, ...rest.filter((label) => !label.startsWith("_"))].join(".");
  };
  const named = groupBy(paths, short);
  return new Map(paths.map((path) => [path, named.get(short(path))?.length === 1 ? short(path) : path]));
}

/**
 * The component outside of all others that has the same files as each part: `source: files` in a definition is a component of its own to
 * CUE, when it is united with anything, and the same one to people.
 */
function sameFiles({ job, vertices, digests }: ComponentFacts): (path: string) => string | undefined {
  const digestOf = new Map(vertices.map((vertex, index) => [vertex, digests.get(index + 1)]));
  const paths = new Set(job.graph.components.map(({ path }) => path));
  const keys = new Map<string, string>();
  const first = new Map<string, string>();
  for (const { path, output } of job.graph.components) {
    const digest = output === null ? undefined : digestOf.get(output.vertex);
    if (digest === undefined) continue;
    const key = `${digest} ${output?.index}`;
    keys.set(path, key);
    const outermost = !path.split(".").some((_, count, labels) => count > 0 && paths.has(labels.slice(0, count).join(".")));
    if (outermost && !first.has(key)) first.set(key, path);
  }
  return (path) => first.get(keys.get(path) ?? "");
}

type BoxOf = ReadonlyMap<string, string | null>;

/** What each box takes of others; parts that belong to no box only hand on what they took themselves. */
function linksOf(parts: readonly Part[], boxOf: BoxOf, same: (path: string) => string | undefined): Link[] {
  const needs = new Map(parts.map((part) => [part.path, allNeeds(part, same(part.path))]));
  const links = new Map<string, { from: string; to: string; kinds: Set<PartNeed["kind"]> }>();
  for (const { path } of parts) {
    const to = boxOf.get(path) ?? null;
    if (to === null) continue;
    const open = [...(needs.get(path) ?? [])];
    const seen = new Set<string>();
    for (let need = open.pop(); need !== undefined; need = open.pop()) {
      if (seen.has(`${need.kind} ${need.path}`)) continue;
      seen.add(`${need.kind} ${need.path}`);
      const from = boxOf.get(need.path) ?? null;
      if (from === to) continue;
      if (from === null) {
        const { kind } = need;
        open.push(...(needs.get(need.path) ?? []).map((one) => (kind === "artifact" ? one : { ...one, kind })));
        continue;
      }
      const ends = need.kind === "on start" ? { from: to, to: from } : { from, to };
      const key = `${ends.from} ${ends.to}`;
      const link = links.get(key) ?? { ...ends, kinds: new Set() };
      link.kinds.add(need.kind);
      links.set(key, link);
    }
  }
  // That a hook runs says nothing of what others take of each other.
  const implied = impliedLines([...links.values()].filter(({ kinds }) => [...kinds].some((kind) => !kind.startsWith("on "))));
  return [...links.values()].map((link) => ({ ...link, kinds: [...link.kinds].sort(), implied: implied.has(link) }));
}

function allNeeds({ path, needs }: Part, same: string | undefined): readonly PartNeed[] {
  return needs.length > 0 || same === undefined || same === path ? needs : [{ path: same, kind: "artifact" }];
}
