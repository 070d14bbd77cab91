// dagger ps, logs and stop: the services of a workspace.
import type { ServiceState } from "../../engine/index.ts";
import type { Context, OutputFormat } from "../context.ts";
import { UsageError } from "../failure.ts";
import { clean } from "../output/lines.ts";
import { formatJson, formatTable } from "../output/table.ts";
import { duration } from "../output/units.ts";

interface Flags {
  readonly output: OutputFormat;
}

export async function psCommand({ io }: Context, flags: Flags): Promise<void> {
  const { loadServices } = await import("../../engine/index.ts");
  const services = await (await loadServices()).listServices({ cwd: io.cwd });
  if (flags.output === "json") {
    io.stdout.write(formatJson(services));
    return;
  }
  const head = ["NAME", "STATUS", "SINCE", "PID", "RESTARTS", "RUNS IN", "PORTS", "COMMAND"];
  const rows = services.map((service) => [
    service.name,
    statusText(service),
    `${duration(io.now() - service.since)} ago`,
    String(service.process?.pid ?? "-"),
    String(service.restarts),
    service.container?.engine ?? "host",
    service.container?.ports?.join(", ") || "-",
    shorten(clean(service.line)),
  ]);
  io.stdout.write(formatTable([head, ...rows]));
}

function statusText({ status, why }: ServiceState): string {
  return why === undefined ? status : `${status} (${clean(why)})`;
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}

/** With --follow it ends with the service, or when a person ends it, which is no failure. */
export async function serviceLogsCommand({ io, signal }: Context, name: string, flags: { readonly follow?: boolean }): Promise<void> {
  const { loadServices } = await import("../../engine/index.ts");
  const { serviceLogs } = await loadServices();
  for await (const data of serviceLogs({ cwd: io.cwd, name, follow: flags.follow === true, signal })) io.stdout.write(data);
}

export async function stopServicesCommand(
  { io }: Context,
  names: readonly string[],
  flags: Flags & { readonly all?: boolean },
): Promise<void> {
  if ((names.length === 0) === (flags.all !== true)) {
    throw new UsageError({
      code: "conflicting-flags",
      message: names.length === 0 ? "Which services are to end is not said" : "--all ends all services: no names go with it",
      at: [],
      hint: "Name some, as `dagger ps` has them, or pass --all",
    });
  }
  const { loadServices } = await import("../../engine/index.ts");
  const stopped = await (await loadServices()).stopServices({ cwd: io.cwd, names: flags.all === true ? "all" : names });
  if (flags.output === "json") io.stdout.write(formatJson({ stopped }));
  else io.stdout.write(stopped.length === 0 ? "Nothing of it was running\n" : `Stopped ${stopped.join(", ")}\n`);
}
