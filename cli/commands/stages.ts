// dagger ops, graph and llb: show one stage of the compilation.
import type { NetworkFormat } from "../../engine/index.ts";
import type { ConfigFlags, Context } from "../context.ts";
import { daemonOf, readingOf, surroundings } from "../context.ts";
import { UsageError } from "../failure.ts";
import { placeOf } from "../stack.ts";

/** Writes the stage to stdout; text ends with a newline. */
export async function stageCommand(
  context: Context,
  stage: "ops" | "graph" | "llb",
  dir: string | undefined,
  flags: ConfigFlags & { readonly format: string; readonly run?: string; readonly level?: "ops" | "components" | "data" },
): Promise<void> {
  const { stdout } = context.io;
  if (flags.level === "data") return showNetwork(context, dir, flags);
  if (flags.format === "raw" && stdout.isTTY) {
    throw new UsageError({
      code: "binary-to-terminal",
      message: "Cannot write a binary Definition to a terminal",
      at: [],
      hint: "Redirect it to a file, or pipe it to `buildctl build`",
    });
  }
  if (flags.run !== undefined && flags.format !== "svg" && flags.format !== "html") {
    throw new UsageError({
      code: "conflicting-flags",
      message: `--run shows nothing with --format ${flags.format}`,
      at: [],
      hint: "Use --format svg or html, or leave out --run",
    });
  }
  const { inspect } = await import("../../engine/index.ts");
  const shown = await inspect({
    ...surroundings(context),
    ...(await placeOf(context, dir, flags)),
    targets: flags.target ?? [],
    ...readingOf(flags),
    ...daemonOf(flags),
    stage,
    format: flags.format,
    ...(flags.run === undefined ? {} : { run: flags.run }),
    ...(flags.level === undefined ? {} : { level: flags.level }),
    signal: context.signal,
  });
  stdout.write(typeof shown === "string" && !shown.endsWith("\n") ? `${shown}\n` : shown);
}

/** Sources and nodes are of the workspace: no config has a part in them. */
async function showNetwork(
  context: Context,
  dir = ".",
  flags: ConfigFlags & { readonly format: string; readonly run?: string },
): Promise<void> {
  const odd = flags.run !== undefined ? "--run" : (flags.target ?? []).length > 0 ? "--target" : undefined;
  if (odd !== undefined) {
    throw new UsageError({
      code: "conflicting-flags",
      message: `${odd} is about a config, and --level data about the sources and nodes of a workspace`,
      at: [],
      hint: `Leave out ${odd}, or use another --level`,
    });
  }
  const { loadNodes } = await import("../../engine/index.ts");
  const { drawNetwork } = await loadNodes();
  const { cwd } = surroundings(context);
  context.io.stdout.write(await drawNetwork({ cwd, dir, format: flags.format as NetworkFormat }));
}
