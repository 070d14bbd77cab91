// dagger why: tells what changed since a component last succeeded.
import type { ConfigFlags, Context, OutputFormat } from "../context.ts";
import { daemonOf, readingOf, surroundings } from "../context.ts";
import { wantsColour } from "../io.ts";
import { createStyle } from "../output/style.ts";
import { formatJson } from "../output/table.ts";
import { formatWhy } from "../output/why.ts";
import { placeOf } from "../stack.ts";

export interface WhyFlags extends ConfigFlags {
  readonly run?: string;
  readonly output: OutputFormat;
}

export async function whyCommand(context: Context, component: string, dir: string | undefined, flags: WhyFlags): Promise<void> {
  const { why } = await import("../../engine/index.ts");
  const { io, signal } = context;
  const told = await why(
    {
      ...surroundings(context),
      ...(await placeOf(context, dir, flags)),
      targets: [],
      ...readingOf(flags),
      ...daemonOf(flags),
      ...(flags.run === undefined ? {} : { run: flags.run }),
      signal,
      onNotice: (text) => io.stderr.write(`${text}\n`),
    },
    component === "(root)" ? "" : component,
  );
  io.stdout.write(flags.output === "json" ? formatJson(told) : formatWhy(told, createStyle(wantsColour(io.stdout, io.env))));
}
