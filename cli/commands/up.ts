// dagger up: runs a config, shows its progress and what it gave.
import type { ShellTerminal, ShellWish, UpRequest, UpResult } from "../../engine/index.ts";
import type { Context, OutputFormat, RunFlags } from "../context.ts";
import { daemonOf, readingOf, surroundings } from "../context.ts";
import { toFailure, UsageError } from "../failure.ts";
import { wantsColour } from "../io.ts";
import { createProgress } from "../output/create.ts";
import { clean } from "../output/lines.ts";
import type { ProgressPrinter } from "../output/progress.ts";
import { chooseProgress } from "../output/progress.ts";
import { createStyle } from "../output/style.ts";
import { formatSummary } from "../output/summary.ts";
import { formatValues } from "../output/values.ts";
import { placeOf } from "../stack.ts";

/** Values on stdout (or the whole result as a document), summary on stderr. */
export async function upCommand(
  context: Context,
  dir: string | undefined,
  flags: RunFlags & { readonly output: OutputFormat },
): Promise<void> {
  if (flags.plan !== undefined) checkAlone(dir, flags);
  await printResult(context, flags, await runConfig(context, dir, flags));
}

type Shown = Pick<RunFlags, "progress"> & { readonly output: OutputFormat };

/** Values on stdout (or the whole result as a document), summary on stderr. */
export async function printResult(context: Context, flags: Shown, result: UpResult): Promise<void> {
  const { io } = context;
  if (flags.output === "text") io.stdout.write(formatValues(result.values, createStyle(wantsColour(io.stdout, io.env))));
  else if (flags.output === "json") io.stdout.write(`${JSON.stringify(result, jsonValue, 2)}\n`);
  else io.stdout.write((await import("yaml")).stringify(result, { lineWidth: 0 }));
  summarize(context, flags, result);
}

/** What a command adds to the request that the flags make. */
type Extra = Pick<UpRequest, "typedInputs" | "gradual">;

/** Runs a config and shows its progress. */
export async function runConfig(context: Context, dir: string | undefined, flags: RunFlags, extra: Extra = {}): Promise<UpResult> {
  const terminal = flags.shellOnError === true ? await errorTerminal() : undefined;
  const place = await readyToRun(context, dir, flags);
  return withProgress(context, flags, async (progress) => {
    const { up, upWithDependencies } = await import("../../engine/index.ts");
    return (flags.withDependencies === true ? upWithDependencies : up)({
      ...requestOf(context, flags),
      ...place,
      ...(flags.plan === undefined ? {} : { plan: flags.plan }),
      onEvent: (event) => progress.event(event),
      ...extra,
      ...(terminal === undefined ? {} : { shellOnError: shellWish(context, flags, terminal, progress) }),
    });
  });
}

/** What the flags say of a run, but for which config it is of. */
export function requestOf(context: Context, flags: RunFlags): Omit<UpRequest, "dir" | "stack" | "secrets" | "ssh" | "onEvent"> {
  return {
    ...surroundings(context),
    targets: flags.target ?? [],
    ...readingOf(flags),
    allowHost: flags.allowHost === true,
    ...(flags.jobs === undefined ? {} : { jobs: flags.jobs }),
    cacheFrom: flags.cacheFrom ?? [],
    cacheTo: flags.cacheTo ?? [],
    attest: flags.attest ?? [],
    ...(flags.locked === undefined ? {} : { locked: flags.locked }),
    ...(flags.sourcePolicy === undefined ? {} : { sourcePolicy: flags.sourcePolicy }),
    ...daemonOf(flags),
    noCache: !flags.cache,
    signal: context.signal,
    keepGoing: flags.keepGoing === true,
    ...(flags.daemonHistory === undefined ? {} : { daemonHistory: flags.daemonHistory }),
    supersede: flags.supersede === true,
  };
}

/** Shows the progress of a run from its first moment to its end. */
export async function withProgress(
  context: Context,
  flags: Pick<RunFlags, "progress">,
  run: (progress: ProgressPrinter) => Promise<UpResult>,
): Promise<UpResult> {
  const { io, signal } = context;
  const progress = createProgress(flags.progress, io);
  const onAbort = () =>
    progress.event({
      type: "warning",
      message: "Interrupted: the job is being cancelled on the daemon; Ctrl-C again ends dagger at once",
      detail: [],
      at: [],
    });
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    // The first picture is drawn while the engine loads.
    progress.event({ type: "phase", phase: "evaluate" });
    const result = await run(progress);
    progress.finish("done");
    return result;
  } catch (error) {
    const failure = toFailure(error, signal.aborted);
    progress.finish(failure.exit === 130 ? "canceled" : "failed");
    if (failure.result !== undefined) summarize(context, flags, failure.result);
    throw error;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** A plan says itself what it is of. Throws UsageError for whatever would say otherwise. */
function checkAlone(dir: string | undefined, { target, input, inject, injectVars, stack, env, withDependencies }: RunFlags): void {
  const others = [
    ...(dir === undefined ? [] : [dir]),
    ...(stack === undefined ? [] : ["--stack"]),
    ...(env === undefined ? [] : ["--env"]),
    ...(target === undefined ? [] : ["--target"]),
    ...(input === undefined ? [] : ["--input"]),
    ...(inject === undefined ? [] : ["--inject"]),
    ...(injectVars === true ? ["--inject-vars"] : []),
    ...(withDependencies === true ? ["--with-dependencies"] : []),
  ];
  if (others.length === 0) return;
  throw new UsageError({
    code: "conflicting-flags",
    message: `--plan says itself which config, targets and inputs it is of: it cannot go with ${others.join(", ")}`,
    at: [],
    hint: "Leave that out, or make a plan with it: `dagger plan --out FILE`",
  });
}

/** The config with all that it needs, as far as a person can be asked for it. */
export async function readyToRun(context: Context, dir: string | undefined, flags: RunFlags): Promise<Awaited<ReturnType<typeof placeOf>>> {
  const place = await placeOf(context, flags.plan === undefined ? dir : ".", flags);
  if (place.stack === undefined) return place;
  const { io } = context;
  const mode = chooseProgress(flags.progress, io.env, io.stderr.isTTY);
  if (mode === "tty" || mode === "plain") io.stderr.write(`Stack ${place.stack.stack}, environment ${place.stack.environment}\n`);
  const { askForMissing, canAsk } = await import("../ask.ts");
  const asked =
    canAsk(io) &&
    (await askForMissing(context, {
      ...surroundings(context),
      ...place,
      ...readingOf(flags),
      targets: flags.target ?? [],
      signal: context.signal,
    }));
  return asked ? placeOf(context, dir, flags) : place;
}

/** Throws UsageError where nobody could type into a shell. */
async function errorTerminal(): Promise<ShellTerminal> {
  const { processTerminal } = await import("../terminal.ts");
  const terminal = processTerminal();
  if (terminal.tty) return terminal;
  throw new UsageError({
    code: "no-terminal",
    message: "Cannot open a shell on error: stdin and stdout are not a terminal",
    at: [],
    hint: "Run it in a terminal, or without --shell-on-error",
  });
}

function shellWish({ io }: Context, flags: RunFlags, terminal: ShellTerminal, progress: ProgressPrinter): ShellWish {
  return {
    terminal,
    ...(flags.shell === undefined ? {} : { shell: flags.shell }),
    onOpen: (what) => {
      // The log of the failed step is what one wants to see first.
      progress.finish("failed");
      io.stderr.write(`A shell in ${clean(what)}; the run ends with its failure when you leave it\n`);
    },
  };
}

/** Not with quiet (nothing was asked for) and not with json (the last line stays JSON). */
export function summarize({ io }: Context, flags: Pick<RunFlags, "progress">, result: UpResult): void {
  const mode = chooseProgress(flags.progress, io.env, io.stderr.isTTY);
  if (mode === "tty" || mode === "plain") io.stderr.write(formatSummary(result, createStyle(wantsColour(io.stderr, io.env))));
}

/** JSON has no bigint: its digits are kept as text rather than rounded. */
export function jsonValue(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? value.toString() : value;
}
