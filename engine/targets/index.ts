// Door of engine/targets: writes the graph of a config for another system, and lists what it may be written for.
import { basename } from "node:path";
import { stringify } from "yaml";
import { type Diagnostic, inputError, orderDiagnostics, readWorkloads, UserError } from "../../compiler/index.ts";
import { loadConfig } from "../config/config.ts";
import type { ReadRequest } from "../request.ts";
import { compose } from "./compose/index.ts";
import { makeGraph } from "./graph.ts";
import { kubernetes } from "./kubernetes/index.ts";
import { chooseTarget, findTargets, type TargetSettings } from "./settings.ts";
import type { Rendered, Target } from "./target.ts";

/** All systems, by the kind that a config names. */
const targets: Readonly<Record<string, Target>> = { compose, kubernetes };

export interface TargetsRequest extends ReadRequest {
  readonly signal?: AbortSignal;
}

export interface RenderRequest extends TargetsRequest {
  /** A kind, or the CUE path of a task.#Target. */
  readonly target: string;
  /** CUE paths of the components that are written; empty means all. */
  readonly targets: readonly string[];
  /** `COMPONENT=REFERENCE` texts: images, by names or CUE paths of components. */
  readonly images?: readonly string[];
  /** In place of what the config says. */
  readonly name?: string;
  readonly namespace?: string;
}

export interface RenderedTarget {
  /** YAML. */
  readonly text: string;
  /** What is left out there, each with its place. */
  readonly losses: readonly Diagnostic[];
}

export interface TargetList {
  /** What can be written, with its name for people. */
  readonly kinds: readonly { readonly kind: string; readonly title: string }[];
  /** What the config says; names of components. */
  readonly targets: readonly { readonly path: string; readonly kind: string; readonly components: readonly string[] }[];
}

/** Nothing runs, and no daemon is asked. Throws UserError (2) with everything that the other system cannot do. */
export async function renderTarget(request: RenderRequest): Promise<RenderedTarget> {
  const images = new Map(request.images?.map(imageFlag));
  const config = await loadConfig(request);
  try {
    const { root } = config.evaluation;
    const settings = withFlags(chooseTarget(request.target, findTargets(root), Object.keys(targets)), request);
    const components = [...settings.components.values()].map(({ from }) => from);
    const read = readWorkloads(root, {
      targets: request.targets,
      ...(components.length === 0 ? {} : { components }),
      ...(settings.path === "" ? {} : { images: settings.path }),
    });
    const graph = makeGraph({ read, settings, usualName: basename(config.dir), images });
    const problems: Diagnostic[] = [];
    const losses = [...read.losses];
    const told = { problem: (one: Diagnostic) => void problems.push(one), loss: (one: Diagnostic) => void losses.push(one) };
    const rendered = targets[settings.kind]?.render(graph, told) ?? { documents: [], notes: [] };
    if (problems.length > 0) throw new UserError(2, orderDiagnostics(problems));
    return { text: toText(rendered, request.target), losses: orderDiagnostics(losses) };
  } finally {
    config.close();
  }
}

export async function listTargets(request: TargetsRequest): Promise<TargetList> {
  const config = await loadConfig(request);
  try {
    const found = findTargets(config.evaluation.root);
    return {
      kinds: Object.entries(targets).map(([kind, { title }]) => ({ kind, title })),
      targets: found.map(({ path, kind, components }) => ({ path, kind, components: [...components.keys()] })),
    };
  } finally {
    config.close();
  }
}

function withFlags(settings: TargetSettings, { name, namespace }: RenderRequest): TargetSettings {
  return { ...settings, ...(name === undefined ? {} : { name }), ...(namespace === undefined ? {} : { namespace }) };
}

function imageFlag(text: string): [component: string, reference: string] {
  const equals = text.indexOf("=");
  if (equals > 0) return [text.slice(0, equals), text.slice(equals + 1)];
  throw inputError({
    code: "bad-image",
    message: `--image ${JSON.stringify(text)} names no image`,
    at: [],
    hint: "Write --image COMPONENT=REFERENCE",
  });
}

/** The same text for the same graph: one line for each text that has none. */
function toText({ documents, notes }: Rendered, target: string): string {
  const head = [`Written by \`dagger target render ${target}\`: changes are lost when it is written again.`, ...notes];
  const comment = head.map((line) => `# ${line}\n`).join("");
  return comment + documents.map((document) => stringify(document, { lineWidth: 0, aliasDuplicateObjects: false })).join("---\n");
}
