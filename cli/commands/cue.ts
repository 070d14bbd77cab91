// dagger vet, eval and fmt.
import type { Context, OutputFormat, ReadingFlags } from "../context.ts";
import { readingOf, surroundings } from "../context.ts";
import { UsageError } from "../failure.ts";
import { formatJson } from "../output/table.ts";
import { plural } from "../output/units.ts";
import { placeOf } from "../stack.ts";

export interface VetFlags extends ReadingFlags {
  readonly target?: readonly string[];
  readonly secret?: readonly string[];
  readonly ssh?: readonly string[];
  readonly output: OutputFormat;
}

export interface EvalFlags extends ReadingFlags {
  readonly expression?: string;
  readonly all?: boolean;
  readonly concrete?: boolean;
  readonly output: "cue" | "json" | "yaml" | "text";
}

export interface FormatFlags {
  readonly check?: boolean;
  readonly diff?: boolean;
}

/** Mistakes are thrown, and printed as those of every command. */
export async function vetCommand(context: Context, dir: string | undefined, flags: VetFlags): Promise<void> {
  const { vet } = await import("../../engine/index.ts");
  const { components } = await vet({
    ...surroundings(context),
    ...(await placeOf(context, dir, flags)),
    targets: flags.target ?? [],
    ...readingOf(flags),
    signal: context.signal,
  });
  const ops = components.reduce((sum, component) => sum + component.ops, 0);
  const told = `No mistakes in ${plural(components.length, "component")} with ${plural(ops, "op")}\n`;
  context.io.stdout.write(flags.output === "json" ? formatJson({ exit: 0, diagnostics: [], components }) : told);
}

export async function evalCommand(context: Context, dir: string | undefined, flags: EvalFlags): Promise<void> {
  const { evaluate } = await import("../../engine/index.ts");
  const { expression, all = false, concrete = false, output: format } = flags;
  const shown = await evaluate({
    ...surroundings(context),
    ...(await placeOf(context, dir, flags)),
    ...readingOf(flags),
    ...(expression !== undefined && { expression }),
    format,
    all,
    concrete,
    signal: context.signal,
  });
  context.io.stdout.write(shown);
}

/** Exit code 1, without findings of its own, when something is not formatted that was to be. */
export async function formatCommand(context: Context, paths: readonly string[], flags: FormatFlags): Promise<void> {
  const { io } = context;
  const { formatFiles, UserError } = await import("../../engine/index.ts");
  if (paths.includes("-")) return formatInput(context, paths, flags);
  const { check, diff } = flags;
  const keep = check === true || diff === true;
  const { files, failure } = await formatFiles({ cwd: io.cwd, paths, write: !keep });
  const { unifiedDiff } = await import("../output/diff.ts");
  for (const { file, before, after } of files) io.stdout.write(diff === true ? unifiedDiff(file, before, after) : `${file}\n`);
  if (failure !== undefined) throw failure;
  if (keep && files.length > 0) {
    io.stderr.write(`${plural(files.length, "file")} not formatted: run \`dagger fmt\`\n`);
    throw new UserError(1, []);
  }
}

async function formatInput({ io }: Context, paths: readonly string[], { check, diff }: FormatFlags): Promise<void> {
  if (paths.length > 1) {
    throw new UsageError({
      code: "bad-usage",
      message: "Standard input is formatted alone, not together with files",
      at: [],
      hint: "Give - or files",
    });
  }
  const { formatText, UserError } = await import("../../engine/index.ts");
  const { buffer } = await import("node:stream/consumers");
  const before = await buffer(process.stdin);
  const after = await formatText(before, "-");
  const same = Buffer.from(after).equals(before);
  const { unifiedDiff } = await import("../output/diff.ts");
  if (diff === true && !same) io.stdout.write(unifiedDiff("-", before.toString("utf8"), after));
  else if (check !== true && diff !== true) io.stdout.write(after);
  if ((check === true || diff === true) && !same) {
    io.stderr.write("The input is not formatted\n");
    throw new UserError(1, []);
  }
}
