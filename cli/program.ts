// The command line: every command with its flags, help and examples. Loads nothing else; a command's code is imported when it runs.
import { Argument, Command, Option } from "commander";
import type { Shell } from "./commands/completion.ts";
import type { ImportFlags } from "./commands/image.ts";
import type { ShellFlags } from "./commands/shell.ts";
import type { PruneFlags } from "./commands/upkeep.ts";
import type { ConfigFlags, Context, DaemonFlags, OutputFormat, RunFlags } from "./context.ts";
import { usageError } from "./failure.ts";
import { wantsColour } from "./io.ts";

const about = `Compiles CUE workflows to one BuildKit graph and runs them in one pass.

Exit codes: 0 done, 1 the job failed, 2 the input is wrong, 3 the environment is, 130 interrupted.`;

/** The whole command tree. Parsing runs the chosen command; mistakes are thrown as UsageError. */
export function createProgram(context: Context): Command {
  const program = new Command("dagger");
  const { stdout, stderr, env } = context.io;
  program.configureOutput({
    writeOut: (text) => stdout.write(text),
    writeErr: (text) => stderr.write(text),
    outputError: () => undefined,
    getOutHelpWidth: () => (stdout.isTTY ? stdout.size().columns : 100),
    getErrHelpWidth: () => (stderr.isTTY ? stderr.size().columns : 100),
    getOutHasColors: () => wantsColour(stdout, env),
    getErrHasColors: () => wantsColour(stderr, env),
  });
  program.description(about).helpOption("-h, --help", "show help").helpCommand("help [command]", "show help of a command");
  program.option("-V, --version", "show the versions of dagger and its parts");
  // Without this every subcommand would repeat the flags of the root in its help and suggestions.
  program.enablePositionalOptions();
  program.addHelpText("after", exampleText(["$ dagger up ./examples/hello", "$ dagger help up", "$ dagger doctor"]));
  guard(program);
  addRunCommands(program, context);
  addShell(program, context);
  addStageCommands(program, context);
  addImageCommands(program, context);
  addEngineCommands(program, context);
  addUpkeepCommands(program, context);
  addToolCommands(program, context);
  addDebug(program);
  return program;
}

/** Turns commander's way of ending the process into exceptions. */
function guard(command: Command): Command {
  return command.exitOverride((error) => {
    throw usageError(error, pathOf(command));
  });
}

function exampleText(examples: readonly string[]): string {
  return `\nExamples:\n${examples.map((example) => `  ${example}`).join("\n")}`;
}

/** `dagger image import`. */
export function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

function add(parent: Command, signature: string, summary: string, detail: string, examples: readonly string[]): Command {
  const command = guard(parent.command(signature));
  command.summary(summary).description(detail === "" ? `${summary}.` : `${summary}.\n\n${detail}`);
  command.helpOption("-h, --help", "show help");
  command.addHelpText("after", exampleText(examples));
  return command;
}

/** The flag that every command has, last in its help. It is read in run.ts, so that it also works where parsing fails. */
function addDebug(command: Command): void {
  if (command.parent !== null) command.option("--debug", "show the stack of an error");
  for (const child of command.commands) addDebug(child);
}

function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}

/** A flag that may be given several times. Without a default: help would show an empty list for each. */
function list(flags: string, description: string): Option {
  return new Option(flags, description).argParser(collect);
}

function addConfig(command: Command): Command {
  command
    .argument("[dir]", "directory of the config, or one CUE file", ".")
    .addOption(list("-t, --target <component>", "CUE path of a component to run; all without it (repeatable)"))
    .addOption(list("-i, --input <path=value>", "value for a CUE path; @FILE takes it from a file (repeatable)"));
  return addDaemon(
    command,
    "BuildKit daemon, e.g. unix:///run/buildkit/buildkitd.sock, tcp://host:1234 or ssh://host; without it BUILDKIT_HOST, a daemon on a standard socket, Docker's, or the embedded one",
  );
}

/** Which daemon; the names of the flags for TLS are those of buildctl. */
function addDaemon(command: Command, description: string): Command {
  return command
    .option("--buildkit <address>", description)
    .option("--tlsdir <dir>", "directory with ca.pem, cert.pem and key.pem (or ca.crt, tls.crt and tls.key) for a tcp:// daemon")
    .option("--tlscacert <file>", "certificate of the authority that signed the daemon's")
    .option("--tlscert <file>", "client certificate")
    .option("--tlskey <file>", "key of the client certificate")
    .option("--tlsservername <name>", "name in the daemon's certificate, where it is not the host of the address");
}

function progressOption(): Option {
  return new Option("--progress <mode>", "how to show progress, on stderr; without it tty in a terminal, else plain").choices([
    "auto",
    "tty",
    "plain",
    "json",
    "quiet",
  ]);
}

function addRun(command: Command): Command {
  return addConfig(command)
    .addOption(list("--secret <id=source>", "secret that the config mounts: ID=env:NAME or ID=file:PATH (repeatable)"))
    .addOption(list("--ssh <id[=path]>", "SSH agent for steps: default (your own), ID=SOCKET, or ID=KEY for a private key (repeatable)"))
    .addOption(
      list("--cache-from <cache>", "take cache from type=registry,ref=REF or type=local,src=DIR; also gha, s3, azblob (repeatable)"),
    )
    .addOption(
      list("--cache-to <cache>", "leave cache at type=registry,ref=REF or type=local,dest=DIR; mode=max for all steps (repeatable)"),
    )
    .option("--source-policy <file>", "rules about what may be fetched, and from where, as BuildKit's JSON")
    .addOption(progressOption())
    .option("--no-cache", "run every step again, whatever the cache has");
}

function addOutput(command: Command, choices: readonly OutputFormat[] = ["text", "json"]): Command {
  return command.addOption(new Option("--output <format>", "format of the result on stdout").choices(choices).default("text"));
}

function addRunCommands(program: Command, context: Context): void {
  const up = add(
    program,
    "up",
    "Run a config: build everything it says, save its files, show its values",
    "The whole config becomes one graph that BuildKit runs in one pass. Steps that ran before come from the cache.",
    [
      "$ dagger up",
      "$ dagger up ./ci -t app.test -i version=1.4.0",
      "$ dagger up --secret token=env:TOKEN --progress plain",
      "$ dagger up --output json | jq .values",
    ],
  );
  addShellOnError(addOutput(addRun(up), ["text", "json", "yaml"])).action(
    async (dir: string, flags: RunFlags & { output: OutputFormat }) => {
      const { upCommand } = await import("./commands/up.ts");
      await upCommand(context, dir, flags);
    },
  );
  const compute = add(
    program,
    "compute",
    "Run a config and print its values as one line of JSON",
    "Everything but that line goes to stderr.",
    ["$ dagger compute ./ci", "$ dagger compute ./ci -i version=1.4.0 | jq -r .app.digest"],
  );
  addRun(compute).action(async (dir: string, flags: RunFlags) => {
    const { computeCommand } = await import("./commands/up.ts");
    await computeCommand(context, dir, flags);
  });
}

function addShellOnError(command: Command): Command {
  return command
    .option("--keep-going", "when a component fails, still finish and save all that do not need it; the exit code is 1 all the same")
    .option("--shell-on-error", "when a command of the job fails, open a shell where it failed before the run ends; needs a terminal")
    .option("--shell <program>", "the shell that is opened; without it SHELL of the environment, bash or sh");
}

function addShell(program: Command, context: Context): void {
  const shell = add(
    program,
    "shell <component> [dir]",
    "Build a component and open a shell in it, or run a command there",
    "The process gets the component's files, environment, directory and user, and the mounts and network of its last exec. What it writes " +
      "is lost at its end, except in caches. COMPONENT is its CUE path, or `.` where the whole config is one. The exit code is the process's own.",
    [
      "$ dagger shell app.build",
      "$ dagger shell app.build ./ci -- go test ./...",
      "$ echo 'ls -l' | dagger shell app.build --shell /bin/bash",
    ],
  );
  addDaemon(
    shell
      .addOption(list("-i, --input <path=value>", "value for a CUE path; @FILE takes it from a file (repeatable)"))
      .addOption(list("--secret <id=source>", "secret that the config mounts: ID=env:NAME or ID=file:PATH (repeatable)"))
      .addOption(list("--ssh <id[=path]>", "SSH agent for steps: default (your own), ID=SOCKET, or ID=KEY for a private key (repeatable)"))
      .option("--shell <program>", "the shell to open; without it SHELL of the environment, bash or sh")
      .addOption(progressOption())
      .option("--no-cache", "run every step again, whatever the cache has"),
    "BuildKit daemon to build on; without it BUILDKIT_HOST, a daemon on a standard socket, Docker's, or the embedded one",
  ).action(async (component: string, dir: string | undefined, flags: ShellFlags) => {
    const { shellCommand } = await import("./commands/shell.ts");
    await shellCommand(context, component, dir ?? ".", flags);
  });
}

const shells: readonly Shell[] = ["bash", "zsh", "fish"];

interface StageText {
  readonly name: "ops" | "graph" | "llb";
  readonly summary: string;
  readonly formats: readonly string[];
  readonly examples: readonly string[];
}

const stages: readonly StageText[] = [
  {
    name: "ops",
    summary: "Show the operations that a config's components consist of",
    formats: ["text", "json"],
    examples: ["$ dagger ops ./ci", "$ dagger ops ./ci --format json"],
  },
  {
    name: "graph",
    summary: "Show the graph that a config compiles to",
    formats: ["text", "json", "dot", "mermaid"],
    examples: ["$ dagger graph ./ci", "$ dagger graph ./ci --format dot | dot -Tsvg > graph.svg"],
  },
  {
    name: "llb",
    summary: "Show the LLB Definition that a config compiles to",
    formats: ["text", "json", "raw"],
    examples: ["$ dagger llb ./ci", "$ dagger llb ./ci --format raw | buildctl build --local src=."],
  },
];

function addStageCommands(program: Command, context: Context): void {
  for (const stage of stages) {
    const raw = stage.name === "llb" ? "\n\nraw is the protobuf message that `buildctl build` reads from its stdin." : "";
    const command = add(program, stage.name, stage.summary, `Nothing is run.${raw}`, stage.examples);
    addConfig(command)
      .addOption(new Option("--format <format>", "format on stdout").choices(stage.formats).default("text"))
      .action(async (dir: string, flags: ConfigFlags & { format: string }) => {
        const { stageCommand } = await import("./commands/stages.ts");
        await stageCommand(context, stage.name, dir, flags);
      });
  }
}

function addImageCommands(program: Command, context: Context): void {
  const image = add(
    program,
    "image",
    "Keep images on this machine, for use without a registry",
    "A `fetch-container` of exactly such a reference is served from here.",
    ["$ dagger image import docker.io/library/debian:bookworm ./rootfs", "$ dagger image list"],
  );
  const load = add(
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
    const { importCommand } = await import("./commands/image.ts");
    await importCommand(context, ref, path, flags);
  });
  addOutput(
    add(image, "list", "List the images that are kept", "", ["$ dagger image list", "$ dagger image list --output json"]).alias("ls"),
  ).action(async (flags: { output: OutputFormat }) => {
    const { listCommand } = await import("./commands/image.ts");
    await listCommand(context, flags);
  });
  add(image, "rm <ref...>", "Forget images, and free what no other image needs", "", [
    "$ dagger image rm docker.io/library/debian:bookworm",
  ]).action(async (refs: readonly string[]) => {
    const { removeCommand } = await import("./commands/image.ts");
    await removeCommand(context, refs);
  });
}

function addEngineCommands(program: Command, context: Context): void {
  const engine = add(
    program,
    "engine",
    "Control the embedded BuildKit daemon",
    "It is started when it is needed, and shared by all runs.",
    ["$ dagger engine status", "$ dagger engine stop"],
  );
  const run = async () => import("./commands/engine.ts");
  addOutput(
    add(engine, "start", "Start the daemon, or find it running", "", [
      "$ dagger engine start",
      "$ BUILDKIT_HOST=$(dagger engine start) buildctl debug workers",
    ]),
  ).action(async (flags: { output: OutputFormat }) => (await run()).startCommand(context, flags));
  addOutput(add(engine, "stop", "Stop the daemon; its cache stays", "", ["$ dagger engine stop"])).action(
    async (flags: { output: OutputFormat }) => (await run()).stopCommand(context, flags),
  );
  addOutput(
    add(engine, "status", "Show whether the daemon runs, and where its things are", "", [
      "$ dagger engine status",
      "$ dagger engine status --output json",
    ]),
  ).action(async (flags: { output: OutputFormat }) => (await run()).statusCommand(context, flags));
  add(engine, "logs", "Show the daemon's log", "", ["$ dagger engine logs", "$ dagger engine logs -f"])
    .option("-f, --follow", "go on with what is added, until Ctrl-C", false)
    .action(async (flags: { follow: boolean }) => (await run()).logsCommand(context, flags));
}

function addUpkeepCommands(program: Command, context: Context): void {
  const run = async () => import("./commands/upkeep.ts");
  const daemon = "BuildKit daemon to ask, instead of the one that a run would use";
  const filter = (): Option => list("-f, --filter <filter>", "only records that match, e.g. type==exec.cachemount (repeatable)");
  const du = add(program, "du", "Show what the daemon's cache takes", "", [
    "$ dagger du",
    "$ dagger du -f type==source.local --output json",
  ]);
  addDaemon(addOutput(du).addOption(filter()), daemon).action(async (flags: PruneFlags) => (await run()).duCommand(context, flags));
  const prune = add(
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
  const workers = add(program, "workers", "List the daemon's workers and the platforms they run", "", [
    "$ dagger workers",
    "$ dagger workers --output json",
  ]);
  addDaemon(addOutput(workers), daemon).action(async (flags: PruneFlags) => (await run()).workersCommand(context, flags));
}

function addToolCommands(program: Command, context: Context): void {
  addOutput(
    add(program, "version", "Show the versions of dagger and its parts", "", ["$ dagger version", "$ dagger version --output json"]),
  ).action(async (flags: { output: OutputFormat }) => {
    const { versionCommand } = await import("./commands/version.ts");
    await versionCommand(context, flags);
  });
  const doctor = add(
    program,
    "doctor",
    "Check this machine: what is missing, and how to get it",
    "Exits with 3 when something is missing.",
    ["$ dagger doctor", "$ dagger doctor --output json", "$ dagger doctor --buildkit tcp://build.example:1234 --tlsdir certs"],
  );
  addDaemon(addOutput(doctor), "BuildKit daemon to check, instead of the one that a run would use").action(
    async (flags: DaemonFlags & { output: OutputFormat }) => {
      const { doctorCommand } = await import("./commands/doctor.ts");
      await doctorCommand(context, flags);
    },
  );
  add(program, "completion", "Print a script that completes commands and flags in bash, zsh or fish", "", [
    "$ source <(dagger completion bash)",
    "$ dagger completion zsh > ~/.zfunc/_dagger",
    "$ dagger completion fish > ~/.config/fish/completions/dagger.fish",
  ])
    .addArgument(new Argument("<shell>", "the shell to complete in").choices(shells))
    .action(async (shell: Shell) => {
      const { completionCommand } = await import("./commands/completion.ts");
      completionCommand(context, shell, program);
    });
}
