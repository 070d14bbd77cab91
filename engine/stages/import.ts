// Turns a betterform library into CUE: its stages and their order, its config where it has one in Jsonnet.
import { existsSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, join, relative, resolve } from "node:path";
import { type Diagnostic, inputError } from "../../compiler/index.ts";
import type { Surroundings } from "../request.ts";
import { type DagStage, readDag } from "./dag.ts";

export interface ImportRequest extends Surroundings {
  /** The library: the directory with betterform_dag.mk. */
  readonly library: string;
  /** The directory that it is called from, where the CUE file will lie and config.jsonnet may. */
  readonly caller: string;
}

const dagFile = "betterform_dag.mk";

/** A CUE file, as text. Throws UserError (2) with everything that is wrong with the library. */
export async function importStages({ library, caller, cwd }: ImportRequest): Promise<string> {
  const from = resolve(cwd, library);
  const to = resolve(cwd, caller);
  const file = join(from, dagFile);
  const text = await readFile(file, "utf8").catch(() => {
    throw inputError({
      code: "no-stages",
      message: `There is no ${dagFile} in ${library}`,
      at: [],
      hint: "Name the directory of the library: the one whose directories are stages",
    });
  });
  const stages = readDag(text, relative(cwd, file));
  const missing = stages.flatMap((stage) => problemOf(stage, from));
  if (missing.length > 0) throw inputError(...missing);
  refuseCircle(stages);
  const { formatText } = await import("../config/format.ts");
  const rendered = render(stages, {
    impl: relative(to, from) || ".",
    name: packageName(to),
    jsonnet: existsSync(join(to, "config.jsonnet")),
  });
  return formatText(new TextEncoder().encode(rendered), "stages.cue");
}

function problemOf({ name, at }: DagStage, library: string): Diagnostic[] {
  const dir = join(library, name);
  const say = (message: string, hint: string): Diagnostic[] => [{ code: "unknown-stage", message, at: [at], hint }];
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(name))
    return say(`${JSON.stringify(name)} is no name of a stage`, "Name a directory of the library");
  if (!existsSync(dir) || !statSync(dir).isDirectory()) {
    return say(
      `Stage ${name} has no directory in the library`,
      `Make the directory ${name} with a program ctl in it, or take the line out`,
    );
  }
  return existsSync(join(dir, "ctl")) ? [] : say(`Stage ${name} has no ctl`, `Add the program ${name}/ctl, which knows up and down`);
}

function refuseCircle(stages: readonly DagStage[]): void {
  const byName = new Map(stages.map((stage) => [stage.name, stage]));
  const done = new Set<string>();
  const visit = (stage: DagStage, way: readonly string[]): void => {
    if (done.has(stage.name)) return;
    const from = way.indexOf(stage.name);
    if (from >= 0) {
      const circle = [...way.slice(from), stage.name].join(" → ");
      throw inputError({
        code: "stage-circle",
        message: `Stages wait for each other: ${circle}`,
        at: way.slice(from).flatMap((name) => byName.get(name)?.at ?? []),
        hint: "Take one of them out of the stages before another",
      });
    }
    for (const need of stage.after) {
      const next = byName.get(need);
      if (next !== undefined) visit(next, [...way, stage.name]);
    }
    done.add(stage.name);
  };
  for (const stage of stages) visit(stage, []);
}

/** A name for the package of the directory. */
function packageName(dir: string): string {
  const name = basename(dir)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, "");
  return /^[a-z]/.test(name) ? name : "stages";
}

function render(stages: readonly DagStage[], { impl, name, jsonnet }: { impl: string; name: string; jsonnet: boolean }): string {
  const label = (stage: string): string => (/^[A-Za-z][A-Za-z0-9_]*$/.test(stage) ? stage : JSON.stringify(stage));
  const lines = stages.map((stage) => {
    const after = stage.after.map((need) => JSON.stringify(need)).join(", ");
    return stage.after.length === 0 ? `\t\t${label(stage.name)}: {}` : `\t\t${label(stage.name)}: after: [${after}]`;
  });
  return [
    `// The library of stages in ${impl}, as its ${dagFile} has them. Made by \`dagger stage import\`.`,
    `package ${name}`,
    "",
    ...(jsonnet ? ["import (", '\t"cuellb.dev/op"', '\t"cuellb.dev/stage"', ")"] : ['import "cuellb.dev/stage"']),
    "",
    "library: stage.#Library & {",
    `\tdir: ${JSON.stringify(impl)}`,
    "\tstages: {",
    ...lines,
    "\t}",
    ...(jsonnet
      ? ['\tcaller: #up: [op.#Local & {dir: ".", include: ["*.jsonnet", "*.libsonnet", "*.json"]}]', '\tjsonnet: "config.jsonnet"']
      : []),
    "}",
    "",
  ].join("\n");
}
