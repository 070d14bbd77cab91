// dagger node: makes and runs nodes; their ids and tables on stdout, progress on stderr.
import type { Computed, ConflictPolicy, NodeRequest, Updated } from "../../engine/index.ts";
import { confirm } from "../ask.ts";
import type { Context, DaemonFlags, OutputFormat } from "../context.ts";
import { daemonOf, surroundings } from "../context.ts";
import { toFailure } from "../failure.ts";
import { createProgress } from "../output/create.ts";
import { formatFailure } from "../output/failure.ts";
import { jobText } from "../output/jobs.ts";
import { clean } from "../output/lines.ts";
import { chooseProgress } from "../output/progress.ts";
import { formatJson, formatTable } from "../output/table.ts";

export interface NodeFlags extends DaemonFlags {
  readonly label?: readonly string[];
  readonly labels?: readonly string[];
  readonly input?: readonly string[];
  /** Of `run` the sources that it gives; of others the format. */
  readonly output?: readonly string[] | OutputFormat;
  readonly format?: OutputFormat;
  readonly image?: string;
  readonly platform?: string;
  readonly force?: boolean;
  /** False with --no-cache. */
  readonly cache?: boolean;
  readonly allowHost?: boolean;
  readonly progress?: string;
  readonly workers?: boolean;
  readonly onConflict?: ConflictPolicy;
  readonly yes?: boolean;
}

const engine = async () => (await import("../../engine/index.ts")).loadNodes();
const short = (id: string): string => id.slice(0, 8);

/** The id is printed as soon as there is a node: it is the same when the command fails. */
export async function runNodeCommand(context: Context, command: readonly string[], flags: NodeFlags): Promise<void> {
  const { runNode } = await engine();
  const { stdout } = context.io;
  const json = flags.format === "json";
  const outputs = typeof flags.output === "string" ? [flags.output] : (flags.output ?? []);
  const wish = {
    labels: names([...(flags.label ?? []), ...(flags.labels ?? [])]),
    inputs: names(flags.input ?? []),
    outputs: names(outputs),
    command,
    ...(flags.image === undefined ? {} : { image: flags.image }),
    ...(flags.platform === undefined ? {} : { platform: flags.platform }),
  };
  const done = await withEvents(context, flags, (request) =>
    runNode(request, wish, ({ id }) => void (json ? undefined : stdout.write(`${short(id)}\n`))),
  );
  if (json) stdout.write(formatJson(flat(done)));
  else tell(context, flags, done);
  const { pushFailure } = await (await import("../../engine/index.ts")).loadPushing();
  const failure = pushFailure(done.pushes ?? []);
  if (failure !== undefined) throw failure;
}

/** Fails when a node did, after all that do not need it have run. */
export async function updateNodesCommand(context: Context, ids: readonly string[], flags: NodeFlags): Promise<void> {
  const { updateNodes } = await engine();
  const { UserError, loadPushing } = await import("../../engine/index.ts");
  const { pushFailure } = await loadPushing();
  const { io } = context;
  let progress = createProgress(flags.progress, io);
  const request = requestOf(context, flags, (event) => progress.event(event));
  const done = await updateNodes(request, ids, {
    begin: () => {
      progress = createProgress(flags.progress, io);
    },
    end: ({ node, computed, error: failed, skipped }) => {
      progress.finish(failed === undefined ? "done" : "failed");
      const error = failed ?? pushFailure(computed?.pushes ?? []);
      if (error !== undefined) io.stderr.write(formatFailure(toFailure(error, false), io));
      if (skipped === true) io.stderr.write(`${short(node.id)} was left out: what it takes was not computed\n`);
    },
  });
  const failed = done.flatMap(({ computed, error = pushFailure(computed?.pushes ?? []) }) =>
    error instanceof UserError ? [error.exit] : [],
  );
  if (flags.output === "json") io.stdout.write(formatJson(done.map(flatUpdated)));
  else io.stdout.write(formatTable([["ID", "STATUS", "OUTPUT(S)"], ...done.map(rowOf)]));
  if (failed.length > 0) throw new UserError(failed.includes(1) ? 1 : failed.includes(3) ? 3 : 2, []);
}

export async function listNodesCommand(context: Context, flags: NodeFlags): Promise<void> {
  const { listNodes } = await engine();
  const all = await listNodes(requestOf(context, flags));
  if (flags.output === "json") return context.io.stdout.write(formatJson(all));
  const rows = all.map(({ id, command, labels, inputs, outputs }) => [
    short(id),
    clean((command[0] ?? "").split("/").at(-1) ?? ""),
    ...[labels, inputs, outputs].map((list) => clean(list.join(",") || "-")),
  ]);
  context.io.stdout.write(formatTable([["ID", "CMD", "LABEL(S)", "INPUT(S)", "OUTPUT(S)"], ...rows]));
}

export async function logNodeCommand(context: Context, id: string, flags: NodeFlags): Promise<void> {
  const { logNode } = await engine();
  const { computations } = await logNode(requestOf(context, flags), id);
  if (flags.output === "json") return context.io.stdout.write(formatJson(computations));
  const rows = computations.map((one) => [short(one.id), one.state, versions(one.inputs), versions(one.outputs)]);
  context.io.stdout.write(formatTable([["ID", "STATUS", "INPUT(S)", "OUTPUT(S)"], ...rows]));
}

export async function removeNodeCommand(context: Context, id: string, flags: NodeFlags): Promise<void> {
  const { removeNode } = await engine();
  await confirm(context, `Remove the node ${id}?`, flags.yes);
  const removed = await removeNode(requestOf(context, flags), id);
  context.io.stdout.write(flags.output === "json" ? formatJson(removed) : `Removed ${short(removed.id)}\n`);
}

function requestOf(context: Context, flags: NodeFlags, onEvent: NodeRequest["onEvent"] = () => undefined): NodeRequest {
  const onNotice = (text: string): void => context.io.stderr.write(`${text}\n`);
  const onJob: NodeRequest["onJob"] = (job) => context.io.stderr.write(`${jobText(job)}\n`);
  const more = {
    workers: flags.workers === true,
    onJob,
    allowHost: flags.allowHost === true,
    force: flags.force === true,
    noCache: flags.cache === false,
    ...(flags.onConflict === undefined ? {} : { onConflict: flags.onConflict }),
  };
  return { ...surroundings(context), ...daemonOf(flags), ...more, signal: context.signal, onNotice, onEvent };
}

async function withEvents(context: Context, flags: NodeFlags, work: (request: NodeRequest) => Promise<Computed>): Promise<Computed> {
  const progress = createProgress(flags.progress, context.io);
  try {
    const done = await work(requestOf(context, flags, (event) => progress.event(event)));
    progress.finish("done");
    return done;
  } catch (error) {
    progress.finish(toFailure(error, context.signal.aborted).exit === 130 ? "canceled" : "failed");
    throw error;
  }
}

/** `a,b` and `c`. */
function names(lists: readonly string[]): readonly string[] {
  return lists.flatMap((text) => text.split(",")).filter((name) => name !== "");
}

/** `dmg:0e500a4e,pitfall:b348e952`; `-` for none. */
function versions(list: readonly string[]): string {
  const shown = list.map((text) => {
    const [name = "", , hex = ""] = text.split(":");
    return `${clean(name)}:${short(hex)}`;
  });
  return shown.join(",") || "-";
}

function tell({ io }: Context, flags: NodeFlags, { state, outputs }: Computed): void {
  const mode = chooseProgress(flags.progress, io.env, io.stderr.isTTY);
  if (mode !== "tty" && mode !== "plain") return;
  const what = versions(outputs);
  io.stderr.write(state === "current" ? `Nothing has changed: it gave ${what}\n` : `It gave ${what}\n`);
}

function rowOf({ node, computed, skipped }: Updated): readonly string[] {
  return [short(node.id), computed?.state ?? (skipped === true ? "skipped" : "failure"), versions(computed?.outputs ?? [])];
}

function flat({ node, id, pushes = [], ...rest }: Computed): object {
  return { node: node.id, computation: id, ...rest, ...(pushes.length === 0 ? {} : { pushes: pushes.map(({ push }) => push) }) };
}

function flatUpdated({ node, computed, error, skipped }: Updated): object {
  if (computed !== undefined) return flat(computed);
  return {
    node: node.id,
    state: skipped === true ? "skipped" : "failure",
    ...(error === undefined ? {} : toFailure(error, false)),
  };
}
