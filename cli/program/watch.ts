// dagger watch.
import { type Command, Option } from "commander";
import type { Context, WatchFlags } from "../context.ts";
import { UsageError } from "../failure.ts";
import { addCommand } from "./command.ts";
import { addOutput, addRun, conflictOption } from "./flags.ts";
import { addTypedInputs } from "./run.ts";

export function addWatch(program: Command, context: Context): void {
  const watch = addCommand(
    program,
    "watch",
    "Run a config, and again whatever a change of its files, images or repositories concerns",
    "Only components that a change concerns run again. A change while a run goes on takes its place. Ctrl-C ends it.",
    [
      "$ dagger watch",
      "$ dagger watch ./ci -t app.test",
      "$ dagger watch --test",
      "$ dagger watch --poll 10s --no-supersede",
      "$ dagger watch --sources",
      "$ dagger watch --output json",
    ],
  );
  addWatchFlags(watch).action(async (dir: string | undefined, flags: WatchFlags) => {
    // Set by `dagger daemon start`, of which this is the process.
    const place = context.io.env["DAGGER_WATCH_PLACE"];
    if (place !== undefined) return (await import("../commands/daemon.ts")).runCommand(context, dir, flags, place);
    const { watchCommand } = await import("../commands/watch.ts");
    await watchCommand(context, dir, flags);
  });
}

/** All that a watch takes: `WatchFlags`. */
export function addWatchFlags(command: Command): Command {
  return addOutput(addTypedInputs(addRun(command)))
    .addOption(time("--debounce <time>", "run when nothing has changed for so long; 50ms without it"))
    .addOption(
      time("--debounce-limit <time>", "run so long after the first change at the latest, but for floods of changes; 500ms without it"),
    )
    .addOption(time("--poll <time>", "how often to ask what images, git refs, addresses and sources have, 0 for never; 1m without it"))
    .option("--sources", "follow the sources of the workspace and run its nodes, and no config; so it is where there is none")
    .option("--no-sources", "do not follow the sources of the workspace beside the config")
    .option("--workers", "leave nodes to workers (`dagger worker`) that have their labels as tags")
    .addOption(conflictOption("what becomes of what nodes give when its source has changed meanwhile, in place of what the source says"))
    .option("--no-supersede", "finish a run before the next one begins, whatever changes meanwhile")
    .option("--test", "run only tests, as `dagger test` does, and show what they say after each run")
    .option("--keep-going", "when a component fails, still finish and save all that do not need it");
}

export function time(flags: string, description: string): Option {
  return new Option(flags, description).argParser(parseTime);
}

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Milliseconds of `50ms`, `10s`, `1.5m`, `2h`; 0 needs no unit. Throws UsageError. */
export function parseTime(text: string): number {
  const [, number = "", unit = ""] = /^(\d+(?:[.]\d+)?)(ms|s|m|h)$/.exec(text) ?? [];
  const ms = text === "0" ? 0 : Number(number === "" ? Number.NaN : number) * (units[unit] ?? Number.NaN);
  // What timers of Node can wait for.
  if (ms >= 0 && ms < 2 ** 31) return ms;
  throw new UsageError({
    code: "bad-flag-value",
    message: `${JSON.stringify(text)} is no time`,
    at: [],
    hint: "Write a number with a unit, for example 50ms, 10s, 1m or 2h",
  });
}
