// dagger shell: build a component and run a process in it.
import type { Context, RunFlags } from "../context.ts";
import { daemonOf, readingOf, surroundings } from "../context.ts";
import { UsageError } from "../failure.ts";
import { createProgress } from "../output/create.ts";
import { placeOf } from "../stack.ts";
import { processTerminal } from "../terminal.ts";

export interface ShellFlags extends RunFlags {
  readonly shell?: string;
}

/** The exit code is the process's own. */
export async function shellCommand(context: Context, component: string, dir: string | undefined, flags: ShellFlags): Promise<void> {
  const { io, signal } = context;
  const terminal = processTerminal();
  const command = context.rest ?? [];
  if (command.length > 0 && flags.shell !== undefined) {
    throw new UsageError({
      code: "conflicting-flags",
      message: "Both a command and --shell are given",
      at: [],
      hint: "Leave --shell out: the command is run without a shell",
    });
  }
  const place = await placeOf(context, dir, flags);
  const progress = createProgress(flags.progress, io);
  try {
    progress.event({ type: "phase", phase: "evaluate" });
    const { shell } = await import("../../engine/index.ts");
    context.exitCode = await shell({
      ...surroundings(context),
      ...place,
      component: component === "." ? "" : component,
      targets: [],
      ...readingOf(flags),
      allowHost: flags.allowHost === true,
      cacheFrom: flags.cacheFrom ?? [],
      ...(flags.locked === undefined ? {} : { locked: flags.locked }),
      ...(flags.sourcePolicy === undefined ? {} : { sourcePolicy: flags.sourcePolicy }),
      ...daemonOf(flags),
      noCache: !flags.cache,
      signal,
      onEvent: (event) => progress.event(event),
      terminal,
      ...(flags.shell === undefined ? {} : { shell: flags.shell }),
      ...(command.length === 0 ? {} : { command }),
      onOpen: () => progress.finish("done"),
    });
  } catch (error) {
    progress.finish(signal.aborted ? "canceled" : "failed");
    throw error;
  }
}
