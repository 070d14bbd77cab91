// dagger input.
import { text as readAll } from "node:stream/consumers";
import type { InputState, KeptSetting, SettingKind, StackRunRequest } from "../../engine/index.ts";
import type { Context, OutputFormat } from "../context.ts";
import { surroundings } from "../context.ts";
import { UsageError } from "../failure.ts";
import { clean } from "../output/lines.ts";
import { formatJson, formatTable } from "../output/table.ts";
import type { StackFlags } from "../stack.ts";
import { wishOf } from "../stack.ts";

export interface InputFlags extends StackFlags {
  readonly kind?: SettingKind;
  readonly fromOutput?: string;
  readonly offline?: boolean;
  readonly output: OutputFormat;
}

export async function listInputsCommand(context: Context, flags: InputFlags): Promise<void> {
  const { formatSetting, listInputs, showSetting } = await (await import("../../engine/index.ts")).loadStacks();
  const { inputs, ...which } = await listInputs(requestOf(context, flags));
  const { stdout, stderr } = context.io;
  if (flags.output === "json") {
    const data = inputs.map(({ setting, ...input }) => ({
      ...input,
      ...(setting === undefined ? {} : { setting: formatSetting(setting) }),
    }));
    stdout.write(formatJson({ ...which, inputs: data }));
    return;
  }
  const shownValue = ({ setting, default: standard }: InputState): string => {
    if (setting !== undefined) return clean(showSetting(setting));
    return standard === undefined ? "" : `${clean(JSON.stringify(standard))} (default)`;
  };
  const mark = (input: InputState): string => (input.required && input.setting === undefined ? "!" : " ");
  stdout.write(
    formatTable(
      inputs.map((input) => [
        mark(input),
        clean(input.path),
        clean(input.type === "" || input.type === "_" ? input.kind : input.type),
        shownValue(input),
        clean(input.title),
      ]),
    ),
  );
  for (const { path, problem } of inputs) if (problem !== undefined) stderr.write(`${clean(path)}: ${clean(problem)}\n`);
}

export async function setInputCommand(context: Context, path: string, value: string | undefined, flags: InputFlags): Promise<void> {
  const { setInputs } = await (await import("../../engine/index.ts")).loadStacks();
  const given = value ?? flags.fromOutput;
  const kind = flags.fromOutput === undefined ? flags.kind : "output";
  if (given === undefined || (flags.fromOutput !== undefined && (value !== undefined || flags.kind !== undefined))) {
    throw new UsageError({
      code: given === undefined ? "missing-argument" : "conflicting-flags",
      message: given === undefined ? `Nothing says what ${path} is to be` : "--from-output says itself what the value is",
      at: [],
      hint: "Give a value, or --from-output STACK/ENV.PATH",
    });
  }
  const text = given === "-" ? (await readAll(process.stdin)).replace(/\r?\n$/, "") : given;
  await tellKept(context, flags, await setInputs(requestOf(context, flags), [{ path, text, ...(kind === undefined ? {} : { kind }) }]));
}

export async function importInputsCommand(context: Context, file: string, flags: InputFlags): Promise<void> {
  const { importInputs, readImport } = await (await import("../../engine/index.ts")).loadStacks();
  const text = file === "-" ? await readAll(process.stdin) : await readImport(file, context.io.cwd);
  await tellKept(context, flags, await importInputs(requestOf(context, flags), text, file === "-" ? "standard input" : file));
}

export async function unsetInputsCommand(context: Context, paths: readonly string[], flags: InputFlags): Promise<void> {
  const { unsetInputs } = await (await import("../../engine/index.ts")).loadStacks();
  const unset = await unsetInputs(requestOf(context, flags), paths);
  context.io.stdout.write(
    flags.output === "json" ? formatJson({ unset }) : unset.map((path) => `${clean(path)} is not set any more\n`).join(""),
  );
}

export async function schemaCommand(context: Context, flags: InputFlags): Promise<void> {
  const { inputSchema } = await (await import("../../engine/index.ts")).loadStacks();
  context.io.stdout.write(formatJson(await inputSchema(requestOf(context, flags))));
}

async function tellKept({ io }: Context, { output }: InputFlags, kept: readonly KeptSetting[]): Promise<void> {
  const { formatSettings, showSetting } = await (await import("../../engine/index.ts")).loadStacks();
  if (output === "json") io.stdout.write(formatJson(formatSettings(new Map(kept.map(({ path, setting }) => [path, setting])))));
  else io.stdout.write(formatTable(kept.map(({ path, setting }) => [clean(path), setting.kind, clean(showSetting(setting))])));
}

function requestOf(context: Context, flags: InputFlags): StackRunRequest {
  const { offline } = flags;
  return { ...surroundings(context), ...wishOf(flags), signal: context.signal, ...(offline === undefined ? {} : { offline }) };
}
