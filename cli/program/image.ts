// dagger image and its commands.
import type { Command } from "commander";
import type { ImportFlags } from "../commands/image.ts";
import type { Context, OutputFormat } from "../context.ts";
import { addCommand } from "./command.ts";
import { addOutput, list } from "./flags.ts";

export function addImageCommands(program: Command, context: Context): void {
  const image = addCommand(
    program,
    "image",
    "Keep images on this machine, for use without a registry",
    "A `fetch-container` of exactly such a reference is served from here.",
    ["$ dagger image import docker.io/library/debian:bookworm ./rootfs", "$ dagger image list"],
  );
  const load = addCommand(
    image,
    "import <ref> <path>",
    "Keep an image under a reference",
    "PATH is a root directory, an archive of `docker save`, an OCI archive or an OCI layout. The flags set what a root directory lacks.",
    [
      "$ dagger image import docker.io/library/debian:bookworm ./rootfs --env LANG=C.UTF-8",
      "$ dagger image import example.com/tools:1 tools.tar",
    ],
  );
  load
    .addOption(list("--env <name=value>", "environment variable of the image (repeatable)"))
    .option("--workdir <dir>", "directory in which its commands start")
    .option("--user <user>", "user as which its commands run")
    .addOption(list("--entrypoint <arg>", "argument of its entrypoint (repeatable)"))
    .addOption(list("--cmd <arg>", "argument of its default command (repeatable)"))
    .option("--name <name>", "which image to take from an archive or layout that has several")
    .option("--platform <platform>", "platform of a root directory, e.g. linux/arm64; without it that of this machine");
  addOutput(load).action(async (ref: string, path: string, flags: ImportFlags) => {
    const { importCommand } = await import("../commands/image.ts");
    await importCommand(context, ref, path, flags);
  });
  addOutput(
    addCommand(image, "list", "List the images that are kept", "", ["$ dagger image list", "$ dagger image list --output json"]).alias(
      "ls",
    ),
  ).action(async (flags: { output: OutputFormat }) => {
    const { listCommand } = await import("../commands/image.ts");
    await listCommand(context, flags);
  });
  addCommand(image, "rm <ref...>", "Forget images, and free what no other image needs", "", [
    "$ dagger image rm docker.io/library/debian:bookworm",
  ]).action(async (refs: readonly string[]) => {
    const { removeCommand } = await import("../commands/image.ts");
    await removeCommand(context, refs);
  });
}
