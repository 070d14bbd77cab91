// Gives the workloads of a config the names, images, ports and variables that they have in another system.
import {
  type Diagnostic,
  inputError,
  normalizeReference,
  orderDiagnostics,
  UserError,
  type Workload,
  type Workloads,
} from "../../compiler/index.ts";
import { labelOf, nodeName, partsOf } from "./names.ts";
import { daemonParts } from "./ports.ts";
import type { ComponentSettings, TargetSettings } from "./settings.ts";
import type { TargetGraph, TargetMount, TargetNode, TargetOutput } from "./target.ts";

const usualHelper = "docker.io/library/busybox:1.37";

export interface GraphParts {
  readonly read: Pick<Workloads, "workloads" | "named">;
  readonly settings: TargetSettings;
  /** What the whole is called where nothing says it. */
  readonly usualName: string;
  /** References by the names or CUE paths of nodes: what flags say. */
  readonly images: ReadonlyMap<string, string>;
}

/** Throws UserError (2) for names that clash, and for nodes without an image. */
export function makeGraph({ read: { workloads, named }, settings, usualName, images }: GraphParts): TargetGraph {
  const problems: Diagnostic[] = [];
  const said = saidOf(named, settings, problems);
  const taken = new Set(workloads.flatMap(({ mounts }) => mounts.flatMap((mount) => (mount.kind === "output" ? [mount.output] : []))));
  const nodes = new Map<string, TargetNode>();
  for (const workload of workloads) {
    const { label, component } = said.get(workload.path) ?? {};
    const name = nodeName(label ?? workload.name ?? (workload.path || usualName));
    nodes.set(workload.path, {
      ...workload,
      name,
      ref: imageFor(workload, images.get(name) ?? images.get(workload.path) ?? component?.image, settings, problems),
      replicas: component?.replicas ?? 1,
      ...daemonParts(workload.daemon, component?.ports ?? []),
      process: { ...workload.process, env: environment(workload, component) },
      needs: workload.needs.flatMap((path) => nodes.get(path) ?? []),
      outputs: workload.outputs.map((output) => toOutput(output, name, taken, problems)),
      mounts: workload.mounts.map((mount) => toMount(mount, nodes)),
    });
  }
  const all = [...nodes.values()];
  problems.push(...clashes(all), ...unknownImages(images, all));
  if (problems.length > 0) throw new UserError(2, orderDiagnostics(problems));
  if (all.length === 0) throw inputError(nothing(settings));
  const { namespace, storage, helper = usualHelper, secrets } = settings;
  return {
    name: nodeName(settings.name ?? usualName),
    ...(namespace === undefined ? {} : { namespace }),
    nodes: all,
    helper,
    ...(storage === undefined ? {} : { storage }),
    secrets,
  };
}

type Said = { readonly label: string; readonly component: ComponentSettings };

/** What the target says of each workload. */
function saidOf(named: Workloads["named"], { components }: TargetSettings, problems: Diagnostic[]): ReadonlyMap<string, Said> {
  const said = new Map<string, Said>();
  for (const [index, [label, component]] of [...components].entries()) {
    const path = named[index];
    const other = path === undefined ? undefined : said.get(path);
    if (path !== undefined && other === undefined) said.set(path, { label, component });
    if (other === undefined) continue;
    problems.push({
      code: "target-name",
      message: `${other.label} and ${label} are the same component: ${path ?? ""}`,
      path: component.from.path,
      at: [...component.from.at, ...other.component.from.at],
      hint: "Leave one of them out",
    });
  }
  return said;
}

function toOutput(output: Workload["outputs"][number], name: string, taken: ReadonlySet<string>, problems: Diagnostic[]): TargetOutput {
  if (output.from !== "/out" && !output.from.startsWith("/out/")) {
    problems.push({
      code: "target-output",
      message: `The output ${output.path} lies at ${output.from}: another system keeps only what is below /out`,
      path: output.path,
      at: output.at,
      hint: "Let the task write it to /out",
    });
  }
  return { ...output, volume: labelOf(`${name}-${output.name}`), taken: taken.has(output.path) };
}

function toMount(mount: Workload["mounts"][number], nodes: ReadonlyMap<string, TargetNode>): TargetMount {
  if (mount.kind !== "output") return mount;
  const output = nodes.get(mount.of)?.outputs.find(({ path }) => path === mount.output);
  return { kind: "output", dest: mount.dest, volume: output?.volume ?? "" };
}

function imageFor({ path, at, image }: Workload, given: string | undefined, settings: TargetSettings, problems: Diagnostic[]): string {
  const ref = given ?? image.ref;
  if (ref === undefined) {
    problems.push({
      code: "target-image",
      message: `${path} needs an image: ${image.lacks?.what ?? "there is none"}`,
      path: image.lacks?.path ?? path,
      at: [...at, ...(image.lacks?.at ?? [])],
      hint: `Give ${settings.path || "a task.#Target"} a registry, and push what \`dagger up -t ${settings.path || "TARGET"}.images\` makes; or name one: --image ${path}=REFERENCE`,
    });
    return "";
  }
  const read = normalizeReference(ref);
  if (read.ok) return read.reference;
  const hint = "Write it as [registry/]repository[:tag][@digest]";
  problems.push({
    code: "invalid-reference",
    message: `Invalid image reference ${JSON.stringify(ref)} of ${path}: ${read.problem}`,
    path,
    at,
    hint,
  });
  return "";
}

function environment({ process: { env } }: Workload, component: ComponentSettings | undefined): Workload["process"]["env"] {
  return [...new Map<string, (typeof env)[number][1]>([...env, ...(component?.env ?? [])])];
}

/** The names of what belongs to a node are taken, too. */
function clashes(nodes: readonly TargetNode[]): Diagnostic[] {
  const owners = new Map<string, TargetNode>(nodes.flatMap((node) => Object.values(partsOf(node.name)).map((part) => [part, node])));
  const named = new Map<string, TargetNode>();
  return nodes.flatMap((node) => {
    const other = named.get(node.name) ?? owners.get(node.name);
    named.set(node.name, node);
    if (other === undefined) return [];
    const message = `${other.path} and ${node.path} would have names that clash: ${other.name} and ${node.name}`;
    const hint = `Name them in components of a task.#Target: "other": from: ${node.path}`;
    return [{ code: "target-name", message, path: node.path, at: [...node.at, ...other.at], hint }];
  });
}

function unknownImages(images: ReadonlyMap<string, string>, nodes: readonly TargetNode[]): Diagnostic[] {
  const known = new Set(nodes.flatMap(({ name, path }) => [name, path]));
  const names = nodes.map(({ name }) => name).join(", ");
  return [...images.keys()]
    .filter((name) => !known.has(name))
    .map((name) => ({
      code: "target-component",
      message: `There is no component ${name} in the target`,
      at: [],
      hint: `Components are ${names}`,
    }));
}

function nothing({ path, at }: TargetSettings): Diagnostic {
  return {
    code: "target-empty",
    message: "There is nothing to write: no task, and no daemon",
    ...(path === "" ? {} : { path }),
    at,
    hint: "Use task.#Task or task.#Daemon, mark a component with @dagger(task), or name some in components of a task.#Target",
  };
}
