// Shows one stage of a config's compilation: its ops, its graph, its LLB. Nothing runs.
import { basename } from "node:path";
import type { GraphFormat, Job } from "../../compiler/index.ts";
import { describeDefinition, inputError, narrow, printDefinition, printGraph, printOps, readOps, UserError } from "../../compiler/index.ts";
import { type CompileOnlyRequest, compileOnly } from "./compile-only.ts";
import type { Config } from "./config.ts";
import { loadConfig } from "./config.ts";

export interface InspectRequest extends CompileOnlyRequest {
  readonly stage: "ops" | "graph" | "llb";
  /** ops: `text`, `json`; graph: `text`, `json`, `dot`, `mermaid`, `svg`, `html`; llb: `text`, `json`, `raw` (pb.Definition, as `buildctl build` reads it). */
  readonly format: string;
  /** What a graph consists of; without it, steps, or components in pictures (`svg`, `mermaid`) of more steps than one can read. */
  readonly level?: "ops" | "components";
  /** File with the progress of a run (JSON lines), whose states, times and logs a graph as `svg` or `html` shows. */
  readonly run?: string;
}

const formats: Readonly<Record<InspectRequest["stage"], readonly string[]>> = {
  ops: ["text", "json"],
  graph: ["text", "json", "dot", "mermaid", "svg", "html"],
  llb: ["text", "json", "raw"],
};

/** Text, or bytes for `raw`. Throws UserError (2) for anything wrong in the config or an unknown format. */
export async function inspect(request: InspectRequest): Promise<string | Uint8Array> {
  const { stage, format } = request;
  if (!formats[stage].includes(format)) {
    throw inputError({
      code: "bad-format",
      message: `Unknown format ${JSON.stringify(format)} for ${stage}`,
      at: [],
      hint: `Use one of: ${formats[stage].join(", ")}`,
    });
  }
  const config = await loadConfig(request);
  try {
    if (stage === "ops") {
      const workflow = narrow(readOps(config.evaluation.root), request.targets);
      if (workflow.problems.length > 0) throw new UserError(2, workflow.problems);
      return printOps(workflow, format === "json" ? "json" : "text");
    }
    const job = await compileOnly(config, request);
    if (stage === "graph") return await graph(job, config, request);
    if (format === "raw") return job.definition.encoded;
    return format === "json" ? `${JSON.stringify(describeDefinition(job.definition), null, 2)}\n` : printDefinition(job.definition);
  } finally {
    config.close();
  }
}

/** A picture of more steps than this is larger than a page or a screen. */
const readable = 40;

/** Nobody else needs the code for pictures. */
async function graph(job: Job, config: Config, { format, level, run, cwd }: InspectRequest): Promise<string> {
  const isStill = format === "svg" || format === "mermaid";
  const components = level === undefined ? isStill && job.definition.nodes.length > readable : level === "components";
  if (!components && format !== "svg" && format !== "html") return printGraph(job.graph, format as GraphFormat);
  const { drawComponents, drawSteps, readRecord } = await import("../plan/index.ts");
  const record = run === undefined ? undefined : await readRecord(run, cwd);
  const options = { title: basename(config.dir), cwd, ...(record === undefined ? {} : { record }) };
  if (components) return drawComponents(job, format as GraphFormat | "svg" | "html", options);
  return drawSteps(job, format as "svg" | "html", options);
}
