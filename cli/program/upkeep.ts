// dagger du, prune and workers.
import type { Command, Option } from "commander";
import type { PruneFlags } from "../commands/upkeep.ts";
import type { Context } from "../context.ts";
import { addCommand } from "./command.ts";
import { addDaemon, addOutput, list } from "./flags.ts";

export function addUpkeepCommands(program: Command, context: Context): void {
  const run = async () => import("../commands/upkeep.ts");
  const daemon = "BuildKit daemon to ask, instead of the one that a run would use";
  const filter = (): Option => list("-f, --filter <filter>", "only records that match, e.g. type==exec.cachemount (repeatable)");
  const du = addCommand(program, "du", "Show what the daemon's cache takes", "", [
    "$ dagger du",
    "$ dagger du -f type==source.local --output json",
  ]);
  addDaemon(addOutput(du).addOption(filter()), daemon).action(async (flags: PruneFlags) => (await run()).duCommand(context, flags));
  const prune = addCommand(
    program,
    "prune",
    "Remove cache that nothing uses",
    "What is kept is what was used last. Cache mounts go too, with all that tools keep in them.",
    ["$ dagger prune --keep-storage 10GB", "$ dagger prune --all", "$ dagger prune --keep-duration 7d -f type==exec.cachemount"],
  );
  addDaemon(
    addOutput(prune)
      .option("--all", "also what the daemon keeps for itself, e.g. frontends")
      .option("--keep-storage <size>", "keep this much, e.g. 10GB; a bare number counts megabytes")
      .option("--keep-duration <time>", "keep what was used within this time, e.g. 48h or 7d")
      .addOption(filter()),
    daemon,
  ).action(async (flags: PruneFlags) => (await run()).pruneCommand(context, flags));
  const workers = addCommand(program, "workers", "List the daemon's workers and the platforms they run", "", [
    "$ dagger workers",
    "$ dagger workers --output json",
  ]);
  addDaemon(addOutput(workers), daemon).action(async (flags: PruneFlags) => (await run()).workersCommand(context, flags));
}
