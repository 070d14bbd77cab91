// dagger input list and schema: the inputs of a stack's config, beside what its environment sets.

import { UserError } from "../../compiler/index.ts";
import type { Evaluation } from "../../runtime/cue/index.ts";
import { readConfig } from "../config/config.ts";
import { findConfig } from "../stacks/source.ts";
import { readSettings } from "./fills.ts";
import type { ConfigInput } from "./inputs.ts";
import { findInputs } from "./inputs.ts";
import { missingOutput } from "./references.ts";
import type { OpenStack, StackRunRequest } from "./run.ts";
import { openStack, runOf } from "./run.ts";
import type { JsonSchema } from "./schema.ts";
import { schemaOf } from "./schema.ts";
import type { Setting } from "./setting.ts";

export interface InputState extends ConfigInput {
  readonly setting?: Setting;
  /** The config has no such input any more, or refuses what is set. */
  readonly problem?: string;
}

export interface InputList {
  readonly stack: string;
  readonly environment: string;
  readonly inputs: readonly InputState[];
}

/** Inputs in the order of the config, then settings that the config does not know. Throws UserError (2) when the config is wrong. */
export async function listInputs(request: StackRunRequest): Promise<InputList> {
  const open = await openStack(request);
  const { inputs, refused } = await evaluateInputs(open, request);
  const { settings } = open.environment;
  const known = new Set(inputs.map(({ path }) => path));
  const rest = [...settings]
    .filter(([path]) => !known.has(path))
    .map(([path, setting]) => ({ path, kind: setting.kind, type: "", title: "", description: "", required: false, at: [], setting }));
  const state = (input: InputState): InputState => {
    const setting = settings.get(input.path);
    const problem = setting === undefined ? undefined : refused.get(input.path);
    return { ...input, ...(setting === undefined ? {} : { setting }), ...(problem === undefined ? {} : { problem }) };
  };
  return { stack: open.stack.slug, environment: open.environment.slug, inputs: [...inputs, ...rest].map(state) };
}

/** JSON Schema (draft 2020-12) of what can be set, as an object by CUE path. Throws as `listInputs`. */
export async function inputSchema(request: StackRunRequest): Promise<JsonSchema> {
  const open = await openStack(request);
  const { inputs } = await evaluateInputs(open, request);
  return schemaOf(open.stack.name, inputs);
}

interface Found {
  readonly inputs: readonly ConfigInput[];
  /** Why, by path of the setting. */
  readonly refused: ReadonlyMap<string, string>;
}

/** The config as it is shows types; with what is set it shows further inputs, which only some settings bring. */
async function evaluateInputs(open: OpenStack, request: StackRunRequest): Promise<Found> {
  const { env, cwd, offline, signal } = request;
  const { dir, cached } = await findConfig(open.workspace, open.stack, request);
  const config = { env, cwd, dir, inputs: [], ...(offline === undefined ? {} : { offline }), ...(signal === undefined ? {} : { signal }) };
  return readConfig(config, async ({ evaluator, source }) => {
    const bare = findInputs((await evaluator.load(source, [])).root);
    const refused = new Map<string, string>();
    let filled: Evaluation | undefined;
    try {
      const { stack } = runOf(open, cached);
      const known = new Map([...stack.settings].filter(([path, setting]) => !isMissing(path, setting, refused)));
      const { fills } = await readSettings({ ...stack, settings: known }, [], cwd);
      filled = fills.length === 0 ? undefined : await evaluator.load(source, fills);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      for (const { message, at } of error.diagnostics) {
        for (const { file } of at) {
          const path = /^setting (.*)$/.exec(file)?.[1];
          if (path !== undefined) refused.set(path, message);
        }
      }
    }
    await evaluator.close();
    const known = new Set(bare.map(({ path }) => path));
    const more = filled === undefined ? [] : findInputs(filled.root).filter(({ path }) => !known.has(path));
    return { inputs: [...bare, ...more], refused };
  });
}

/** Nobody has given it yet: it is told, and does not hide what the other settings bring. */
function isMissing(path: string, setting: Setting, refused: Map<string, string>): boolean {
  if (setting.kind !== "output" || setting.given?.json !== undefined) return false;
  refused.set(path, missingOutput(path, setting).message);
  return true;
}
