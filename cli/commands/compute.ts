// dagger compute: runs a config with inputs by their kind, and prints its values as one line of JSON.
import type { TypedInput } from "../../engine/index.ts";
import type { ComputeFlags, Context } from "../context.ts";
import { jsonValue, runConfig, summarize } from "./up.ts";

/** The values as one line of JSON on stdout; what misses a value is left undone, unless `strict`. */
export async function computeCommand(context: Context, dir: string | undefined, flags: ComputeFlags): Promise<void> {
  const result = await runConfig(context, dir, flags, { typedInputs: typedInputs(flags), gradual: flags.strict !== true });
  context.io.stdout.write(`${JSON.stringify(result.values, sorted)}\n`);
  summarize(context, flags, result);
}

/** Inputs by their kind, as the engine takes them. */
export function typedInputs(flags: ComputeFlags): TypedInput[] {
  const of = (kind: Exclude<TypedInput["kind"], "value">, texts: readonly string[] = []): TypedInput[] =>
    texts.map((text) => ({ kind, text }));
  return [
    ...of("string", flags.inputString),
    ...of("dir", flags.inputDir),
    ...of("file", flags.inputFile),
    ...of("git", flags.inputGit),
    ...of("json", flags.inputJson),
    ...of("yaml", flags.inputYaml),
  ];
}

/** Labels in the order of their letters, as this command always had them, so that its line can be compared as text. */
function sorted(key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return jsonValue(key, value);
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
