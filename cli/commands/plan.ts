// dagger plan: shows what a run would do.
import type { ConfigFlags, Context } from "../context.ts";
import { daemonOf, readingOf, surroundings } from "../context.ts";
import { wantsColour } from "../io.ts";
import { formatPlan } from "../output/plan.ts";
import { createStyle } from "../output/style.ts";
import { formatJson } from "../output/table.ts";
import { placeOf } from "../stack.ts";

/** The plan on stdout; that it was written, on stderr. */
export async function planCommand(
  context: Context,
  dir: string | undefined,
  flags: ConfigFlags & { readonly output: "text" | "json"; readonly run?: string; readonly out?: string },
): Promise<void> {
  const { plan } = await import("../../engine/index.ts");
  const { io, signal } = context;
  const place = await placeOf(context, dir, flags);
  const made = await plan({
    ...surroundings(context),
    ...place,
    targets: flags.target ?? [],
    ...readingOf(flags),
    ...daemonOf(flags),
    ...(flags.run === undefined ? {} : { run: flags.run }),
    ...(flags.out === undefined ? {} : { out: flags.out }),
    signal,
  });
  const style = createStyle(wantsColour(io.stdout, io.env));
  io.stdout.write(flags.output === "json" ? formatJson(made) : formatPlan(made, { style, cwd: io.cwd }));
  if (flags.out !== undefined) io.stderr.write(`Wrote ${flags.out}: run it with \`dagger up --plan ${flags.out}\`\n`);
}
