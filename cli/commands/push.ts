// dagger source push, conflicts and resolve: what nodes gave to repositories, on its way there; tables on stdout.
import type { Push, Resolution, Settled } from "../../engine/index.ts";
import type { Context } from "../context.ts";
import { UsageError } from "../failure.ts";
import { clean } from "../output/lines.ts";
import { formatJson, formatTable } from "../output/table.ts";
import { requestOf, type SourceFlags } from "./source.ts";

export interface ResolveFlags extends SourceFlags {
  readonly ours?: boolean;
  readonly theirs?: boolean;
  readonly merge?: boolean;
  readonly branch?: boolean;
  readonly drop?: boolean;
  readonly commit?: string;
}

const engine = async () => (await import("../../engine/index.ts")).loadPushing();

/** Tells of all, then fails with what is not pushed. */
export async function pushCommand(context: Context, names: readonly string[], flags: SourceFlags): Promise<void> {
  const { pushSources } = await engine();
  await tell(context, flags, await pushSources(requestOf(context, flags), names));
}

export async function conflictsCommand(context: Context, names: readonly string[], flags: SourceFlags): Promise<void> {
  const { listPushes } = await engine();
  const all = await listPushes(requestOf(context, flags), names);
  if (flags.output === "json") return context.io.stdout.write(formatJson(all));
  context.io.stdout.write(formatTable([["SOURCE", "COMMIT", "NODE", "STATE", "WHY"], ...all.map((push) => [...rowOf(push), whyOf(push)])]));
}

export async function resolveCommand(context: Context, name: string, flags: ResolveFlags): Promise<void> {
  const { resolveSource } = await engine();
  await tell(context, flags, await resolveSource(requestOf(context, flags), name, resolutionOf(flags)));
}

function resolutionOf({ commit, ...flags }: ResolveFlags): Resolution {
  const words = (["ours", "theirs", "merge", "branch", "drop"] as const).filter((word) => flags[word] === true);
  const all: readonly Resolution[] = [...words, ...(commit === undefined ? [] : [{ commit }])];
  const [one, ...others] = all;
  if (one !== undefined && others.length === 0) return one;
  const message = one === undefined ? "Nothing says how the conflict ends" : "A conflict ends in one way only";
  const hint = "Write one of --ours, --theirs, --merge, --branch, --commit COMMIT and --drop";
  throw new UsageError({ code: "bad-flag-value", message, at: [], hint });
}

async function tell({ io }: Context, { output }: SourceFlags, done: readonly Settled[]): Promise<void> {
  const failure = (await engine()).pushFailure(done);
  // An error is a document of its own.
  if (output === "json" && failure === undefined) io.stdout.write(formatJson(done.map(({ push }) => push)));
  if (output !== "json")
    io.stdout.write(formatTable([["SOURCE", "COMMIT", "NODE", "STATE", ""], ...done.map(({ push }) => [...rowOf(push), placeOf(push)])]));
  if (failure !== undefined) throw failure;
}

function rowOf({ source, commit, node, state }: Push): readonly string[] {
  return [clean(source), commit.slice(0, 8), node.slice(0, 8), state];
}

/** Where it is, when that is not just as it was made. */
function placeOf({ commit, landing, branch }: Push): string {
  if (branch !== undefined) return `on ${clean(branch)}`;
  return landing === undefined || landing === commit ? "" : `by ${landing.slice(0, 8)}`;
}

function whyOf({ why = "", paths }: Push): string {
  return clean(paths.length === 0 ? why : `${why}: ${paths.join(", ")}`);
}
