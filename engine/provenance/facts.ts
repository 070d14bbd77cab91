// What the components of a job are made from: their ops, the components that they use, and all that comes from outside.
import { relative } from "node:path";
import { type Job, numberGraph, type OpData, type Position, sourceOf, type Vertex } from "../../compiler/index.ts";
import { gitCommit, gitName, httpChecksum } from "./sources.ts";
import type { Waits } from "./waits.ts";

/** One component. What is not known of a source is "". */
export interface ComponentFacts {
  readonly path: string;
  readonly at?: Position;
  readonly ops: readonly OpData[];
  /** CUE paths of the components that it needs. */
  readonly uses: readonly string[];
  /** CUE paths of values that CUE had to know before it was there. */
  readonly waited: readonly string[];
  /** `image NAME` → digest, `git REMOTE#REF` → commit, `http URL` → digest, `directory PATH` → digest of its list of files. */
  readonly sources: Readonly<Record<string, string>>;
  /** Steps that run in every run, in words. */
  readonly always: readonly string[];
}

/** Facts before anybody has looked at the files of the directories. */
export interface OpenFacts {
  readonly components: readonly ComponentFacts[];
  /** Name of a source → key of the listing that its digest is made of. */
  readonly directories: Readonly<Record<string, string>>;
}

export interface FactsOf {
  readonly job: Job;
  /** The name of the run. */
  readonly run: string;
  /** Digests of the images that the daemon was asked for, by reference. */
  readonly images: ReadonlyMap<string, string>;
  /** What git refs and addresses stood for, by their identifiers in LLB. */
  readonly resolved: ReadonlyMap<string, string>;
  readonly waits: Waits;
  /** Directories of dagger itself. */
  readonly own: readonly string[];
  /** Names of directories are relative to it. */
  readonly root: string;
}

export function factsOf(of: FactsOf): OpenFacts {
  const graph = numberGraph(of.job.graph);
  const ops = new Map(of.job.describe().map((one) => [one.path, one.ops]));
  const directories: Record<string, string> = {};
  const sources = new Map<string, Record<string, string>>();
  const always = new Map<string, string[]>();
  for (const vertex of graph.vertices) {
    const { component, name } = vertex.meta;
    if (isAlways(vertex, of.run)) always.set(component, [...(always.get(component) ?? []), name.replace(`${component}: `, "")]);
    const found = sourceOfVertex(vertex, of, directories);
    if (found === undefined) continue;
    const all = sources.get(component) ?? {};
    all[found[0]] = found[1];
    sources.set(component, all);
  }
  const components = graph.data.components.map(({ path, at, needs }) => ({
    path,
    ...(at === undefined ? {} : { at }),
    ops: ops.get(path) ?? [],
    uses: needs,
    waited: of.waits.of(path),
    sources: sources.get(path) ?? {},
    always: always.get(path) ?? [],
  }));
  return { components, directories };
}

/** A step that runs always carries the name of its run; those on this machine run always. */
function isAlways(vertex: Vertex, run: string): boolean {
  return (
    vertex.kind === "host" || (vertex.kind === "exec" && vertex.mounts.some((mount) => mount.kind === "secret" && mount.id.endsWith(run)))
  );
}

function sourceOfVertex(
  vertex: Vertex,
  of: FactsOf,
  directories: Record<string, string>,
): readonly [name: string, value: string] | undefined {
  const source = sourceOf(vertex);
  if (source === undefined) return undefined;
  const { identifier, attrs } = source;
  const [, scheme = "", rest = ""] = /^([\w-]+):\/\/(.*)$/s.exec(identifier) ?? [];
  switch (scheme) {
    case "docker-image": {
      const [ref = "", digest] = rest.split("@");
      return [`image ${ref}`, digest ?? of.images.get(rest) ?? of.images.get(ref) ?? ""];
    }
    case "oci-layout":
      // Layouts are named by what serves them, which says nothing: the op has the name of the image.
      return [`image ${vertex.meta.name.replace(/^.*?: /, "").replace(/^fetch-(container|oci) /, "")}`, rest.split("@")[1] ?? ""];
    case "local":
      return directory(rest, attrs, of, directories);
    case "git":
      return [`git ${gitName(vertex, source)}`, gitCommit(source) || (of.resolved.get(identifier) ?? "")];
    case "http":
    case "https":
      return [`http ${identifier}`, httpChecksum(source) || (of.resolved.get(identifier) ?? "")];
    default:
      return undefined;
  }
}

function directory(
  name: string,
  attrs: Readonly<Record<string, string>>,
  { job, own, root }: FactsOf,
  directories: Record<string, string>,
): readonly [name: string, value: string] | undefined {
  const dir = job.locals.find((local) => local.name === name)?.dir;
  if (dir === undefined || own.includes(dir)) return undefined;
  const patterns = (text: string | undefined): string[] => (text === undefined ? [] : (JSON.parse(text) as string[]));
  const include = patterns(attrs["local.includepattern"]);
  const exclude = patterns(attrs["local.excludepatterns"]);
  const follow = patterns(attrs["local.followpaths"]);
  const filters = [
    ...(include.length === 0 ? [] : [`only ${include.join(", ")}`]),
    ...(exclude.length === 0 ? [] : [`without ${exclude.join(", ")}`]),
    ...(follow.length === 0 ? [] : [`as far as ${follow.join(", ")} lead`]),
  ];
  const inside = relative(root, dir);
  const shown = inside.startsWith("..") ? dir : `./${inside}`;
  const source = `directory ${shown}${filters.length === 0 ? "" : ` (${filters.join("; ")})`}`;
  directories[source] = listingKey({ name, include, exclude, follow });
  return [source, ""];
}

/** Of dagger itself, or of what a step on this machine left: no part of what a config is made from. */
export function isOwnListing({ name }: { readonly name: string }): boolean {
  return /^dagger-(run|host)-/.test(name);
}

/** Tells which listing is of which source. */
export function listingKey({
  name,
  include,
  exclude,
  follow,
}: {
  readonly name: string;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly follow: readonly string[];
}): string {
  return JSON.stringify([name, include, exclude, follow]);
}
