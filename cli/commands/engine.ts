// dagger engine: start, stop, ask and read the embedded daemon.
import type { Context, OutputFormat } from "../context.ts";
import { formatJson, formatTable } from "../output/table.ts";
import { duration } from "../output/units.ts";

interface Flags {
  readonly output: OutputFormat;
}

/** Prints the address alone on stdout, so that a shell can take it; whether it was started goes to stderr. */
export async function startCommand({ io, signal }: Context, flags: Flags): Promise<void> {
  const { ensureDaemon } = await import("../../engine/index.ts");
  const daemon = await ensureDaemon({ env: io.env, signal });
  if (flags.output === "json") {
    io.stdout.write(formatJson(daemon));
    return;
  }
  io.stderr.write(daemon.started ? "The daemon was started\n" : "The daemon is running already\n");
  io.stdout.write(`${daemon.address}\n`);
}

export async function stopCommand({ io, signal }: Context, flags: Flags): Promise<void> {
  const { stopDaemon } = await import("../../engine/index.ts");
  const { stopped } = await stopDaemon({ env: io.env, signal });
  if (flags.output === "json") {
    io.stdout.write(formatJson({ stopped }));
    return;
  }
  io.stdout.write(stopped ? "The daemon was stopped; its cache stays\n" : "The daemon is not running\n");
}

export async function statusCommand({ io, signal }: Context, flags: Flags): Promise<void> {
  const { daemonStatus } = await import("../../engine/index.ts");
  const status = await daemonStatus({ env: io.env, signal });
  if (flags.output === "json") {
    io.stdout.write(formatJson(status));
    return;
  }
  const state = status.running
    ? [
        ["status", status.ready ? "running" : "starting"],
        ["address", status.address],
        ["pid", String(status.pid)],
        ["up for", duration(io.now() - status.since)],
      ]
    : [["status", "not running"]];
  io.stdout.write(formatTable([...state, ["directory", status.dir], ["log", status.log]]));
}

/** Ends when the log does, with --follow when the signal aborts: that is how a person ends it, and no failure. */
export async function logsCommand({ io, signal }: Context, flags: { readonly follow: boolean }): Promise<void> {
  const { daemonLogs } = await import("../../engine/index.ts");
  for await (const data of daemonLogs({ env: io.env, follow: flags.follow, signal })) io.stdout.write(data);
}
