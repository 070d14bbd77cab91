// dagger doctor: what this machine lacks, and how to get it.
import type { Context, DaemonFlags, OutputFormat } from "../context.ts";
import { daemonOf, surroundings } from "../context.ts";
import { wantsColour } from "../io.ts";
import { createStyle } from "../output/style.ts";
import { formatJson } from "../output/table.ts";
import { width } from "../output/width.ts";

/** Prints every check; throws UserError (3) without findings of its own when one failed, as they are all printed already. */
export async function doctorCommand(context: Context, flags: DaemonFlags & { readonly output: OutputFormat }): Promise<void> {
  const { io, signal } = context;
  const { doctor, UserError } = await import("../../engine/index.ts");
  const checks = await doctor({ ...surroundings(context), signal, ...daemonOf(flags) });
  const ok = checks.every((check) => check.ok);
  if (flags.output === "json") {
    io.stdout.write(formatJson({ ok, checks }));
  } else {
    const style = createStyle(wantsColour(io.stdout, io.env));
    const column = Math.max(...checks.map(({ name }) => width(name)));
    for (const check of checks) {
      const mark = check.ok ? style.green("ok     ") : style.red("missing");
      io.stdout.write(`${mark}  ${check.name}${" ".repeat(column - width(check.name))}  ${check.detail}\n`);
      if (!check.ok && check.fix !== undefined) io.stdout.write(`${" ".repeat(9)}${style.green("hint:")} ${check.fix}\n`);
    }
    io.stdout.write(style.bold(ok ? "Everything is there\n" : "Something is missing: see the hints\n"));
  }
  if (!ok) throw new UserError(3, []);
}
