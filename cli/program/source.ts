// dagger source and its commands.
import type { Command } from "commander";
import type { SourceFlags } from "../commands/source.ts";
import type { Context } from "../context.ts";
import { addCommand } from "./command.ts";
import { addDaemon, addOutput, conflictOption } from "./flags.ts";
import { addPushing } from "./push.ts";
import { time } from "./watch.ts";

const about =
  "A source is a place that has data in versions: an image, a git repository, a bucket, a directory, an address, a list of releases. Nodes take " +
  "sources and give sources; `dagger inspect NAME:ID` tells what a version was made from. They are kept in .dagger/sources/; their versions are in " +
  "the store of the workspace.";

export function addSourceCommands(program: Command, context: Context): void {
  const source = addCommand(program, "source", "Keep places that have data, with the versions that they had", about, [
    "$ dagger source add web docker/pinata -k github",
    "$ dagger source list",
    "$ dagger source log web",
  ]);
  const run = async () => import("../commands/source.ts");
  addWhere(
    addCommand(
      source,
      "add <name> [location]",
      "Add a source, and look at what it has",
      "LOCATION is an address, the name of another source (whose kind, location, tag and path are taken, and --path is below its path), or nothing: " +
        "then it is a directory that the workspace keeps. A tag of an image, and a branch or tag of a repository, may follow a colon; without it that is " +
        "latest, or the branch that the repository's HEAD is. NAME has no : / \\ and *.",
      [
        "$ dagger source add pinata docker/pinata -k github",
        "$ dagger source add pitfall pinata --path /v1/pitfall",
        "$ dagger source add base debian:bookworm",
        "$ dagger source add dmg https://example.com/releases.json -k release --build version",
        "$ dagger source add tests",
      ],
    ),
  ).action(async (name: string, location: string | undefined, flags: SourceFlags) =>
    (await run()).addSourceCommand(context, name, location, flags),
  );
  addOutput(
    addCommand(
      source,
      "list",
      "List sources with the newest version that is known",
      "Nobody is asked. * stands behind the name of one that is pinned.",
      ["$ dagger source list", "$ dagger source list --output json"],
    ).alias("ls"),
  ).action(async (flags: SourceFlags) => (await run()).listSourcesCommand(context, flags));
  addOutput(
    addCommand(source, "log <name>", "List the versions of a source that are known, the newest first", "", [
      "$ dagger source log pinata",
      "$ dagger source log dmg --limit 5",
    ]),
  )
    .option("--limit <number>", "how many; 50 without it")
    .action(async (name: string, flags: SourceFlags) => (await run()).logSourceCommand(context, name, flags));
  addPinning(source, context);
  addOutput(
    addDaemon(
      addCommand(
        source,
        "refresh [names...]",
        "Look at what sources have now: at all that are not paused, or at those that are named",
        "",
        ["$ dagger source refresh", "$ dagger source refresh pinata"],
      ),
      "BuildKit daemon, which is asked for images and addresses",
    ),
  ).action(async (names: string[], flags: SourceFlags) => (await run()).refreshSourcesCommand(context, names, flags));
  for (const [name, summary] of [
    ["pause", "Look at a source only when it is named"],
    ["resume", "Look at a source again with all others"],
  ] as const)
    addOutput(addCommand(source, `${name} <name>`, summary, "", [`$ dagger source ${name} pinata`])).action(
      async (source: string, flags: SourceFlags) => (await run()).pauseSourceCommand(context, source, name === "pause", flags),
    );
  addOutput(
    addFollowing(
      addCommand(source, "set <name>", "Say how a watch follows a source, and how what nodes give to it is pushed", "", [
        "$ dagger source set pinata --poll 10s",
        "$ dagger source set site --on-conflict merge --author 'Site <site@example.com>'",
      ]),
    ),
  ).action(async (name: string, flags: SourceFlags) => (await run()).setSourceCommand(context, name, flags));
  addPushing(source, context);
  addOutput(
    addCommand(source, "link <from> <to>", "Say that a version was made from another one, where nobody computed it", "Both are NAME:ID.", [
      "$ dagger source link pinata:3dd2cc1d dmg:0e500a4e",
    ]),
  ).action(async (from: string, to: string, flags: SourceFlags) => (await run()).linkCommand(context, from, to, flags));
  addOutput(
    addCommand(source, "remove <name>", "Remove a source", "Asks first. What is known of its versions stays, and so does what is there.", [
      "$ dagger source remove tests --yes",
    ]),
  )
    .alias("rm")
    .option("-y, --yes", "do not ask")
    .action(async (name: string, flags: SourceFlags) => (await run()).removeSourceCommand(context, name, flags));
}

function addPinning(source: Command, context: Context): void {
  const run = async () => import("../commands/source.ts");
  addWhere(
    addCommand(
      source,
      "pin <name> <target>",
      "Make one version of a source count, or point it to another location",
      "TARGET is a version, as `dagger source log` shows it or the beginning of it, or a location, which --kind may say.",
      ["$ dagger source pin pinata sha1:3dd2cc1db51828a643237c39d5ed76bb066bcad8", "$ dagger source pin pinata /local/git/pinata -k git"],
    ),
  ).action(async (name: string, target: string, flags: SourceFlags) => (await run()).pinSourceCommand(context, name, target, flags));
  addOutput(
    addCommand(source, "unpin <name>", "Let the newest version of a source count again", "", ["$ dagger source unpin pinata"]),
  ).action(async (name: string, flags: SourceFlags) => (await run()).unpinSourceCommand(context, name, flags));
}

function addFollowing(command: Command): Command {
  return command
    .addOption(time("--poll <time>", "how often a watch asks for it, 0 for never; without it as the watch asks for all"))
    .addOption(conflictOption("what becomes of what a node gives when the source has changed since the node began; fail without it"))
    .option("--author <author>", "author of the commits that are made of it, NAME <EMAIL>; without it whom git knows on this machine")
    .option("--message <text>", "first line of their messages");
}

function addWhere(command: Command): Command {
  return addOutput(
    addDaemon(
      addFollowing(command)
        .option("-k, --kind <kind>", "docker, git, github, s3, path, http or release; without it the location tells")
        .option("-p, --path <path>", "which part of it, e.g. /v1/pitfall")
        .option("--tag <tag>", "branch, tag or commit of a repository, tag of an image")
        .option("--connector <name>", "connector with the credentials, where the one that fits is not meant")
        .option("--build <field>", "field that tells builds of a list of releases apart; without it build, version or number")
        .option("--allow-host", "credentials may come from programs on this machine (cmd:)"),
      "BuildKit daemon, which is asked for images and addresses",
    ),
  );
}
