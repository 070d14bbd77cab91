// Flags that several commands share, each worded once.
import { type Command, InvalidArgumentError, Option } from "commander";
import type { OutputFormat } from "../context.ts";

function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}

/** A flag that may be given several times. Without a default: help would show an empty list for each. */
export function list(flags: string, description: string): Option {
  return new Option(flags, description).argParser(collect);
}

export const whichConfig = "directory of the config, or one CUE file; without it that of the chosen stack, else the current directory";

/** Which stack and environment: `StackFlags`. `eval` has another -e. */
export function addStack(command: Command, environment: "-e, --env <name>" | "--env <name>" = "-e, --env <name>"): Command {
  return command
    .option("-s, --stack <name>", "the stack that is meant; without it DAGGER_STACK, or the one chosen with `dagger stack select`")
    .option(environment, "its environment; without it DAGGER_ENV, the one chosen with `dagger env select`, or the only one");
}

/** Which config, and how it is read. */
export function addSource(command: Command): Command {
  return addStack(addReading(command.argument("[dir]", whichConfig)), "--env <name>");
}

/** As `addSource`, and which part of the config. */
export function addTargets(command: Command): Command {
  return addStack(
    addReading(
      command
        .argument("[dir]", whichConfig)
        .addOption(list("-t, --target <component>", "CUE path of a component to run; all without it (repeatable)")),
    ),
  );
}

/** Which config, which part of it, and the daemon for it: `ConfigFlags`. */
export function addConfig(command: Command): Command {
  return addDaemon(
    addTargets(command),
    "BuildKit daemon, e.g. unix:///run/buildkit/buildkitd.sock, tcp://host:1234 or ssh://host; without it BUILDKIT_HOST, a daemon on a standard socket, Docker's, or the embedded one",
  );
}

/** How the config is read. */
export function addReading(command: Command): Command {
  return command
    .addOption(list("-i, --input <path=value>", "value for a CUE path; @FILE takes it from a file (repeatable)"))
    .addOption(
      list("--inject <tag>", "tag for the config: NAME for @if(NAME), NAME=VALUE for @tag(NAME), as `cue` takes it with -t (repeatable)"),
    )
    .option("--inject-vars", "let @tag(var=NAME) learn the time, user, host, directory and system of this machine")
    .option("--offline", "take CUE modules only from the cache, or from where `dagger mod vendor` put them");
}

/** Which daemon; the names of the flags for TLS are those of buildctl. */
export function addDaemon(command: Command, description: string): Command {
  return command
    .option("--buildkit <address>", description)
    .option("--tlsdir <dir>", "directory with ca.pem, cert.pem and key.pem (or ca.crt, tls.crt and tls.key) for a tcp:// daemon")
    .option("--tlscacert <file>", "certificate of the authority that signed the daemon's")
    .option("--tlscert <file>", "client certificate")
    .option("--tlskey <file>", "key of the client certificate")
    .option("--tlsservername <name>", "name in the daemon's certificate, where it is not the host of the address");
}

/** The words of `conflictPolicies` in engine/sources/conflict.ts: help is shown without the engine. */
export function conflictOption(description: string): Option {
  return new Option("--on-conflict <policy>", description).choices(["fail", "ours", "theirs", "merge", "branch"]);
}

/** `--progress`, where a command shows any. */
export function progressOption(): Option {
  return new Option("--progress <mode>", "how to show progress, on stderr; without it tty in a terminal, else plain").choices([
    "auto",
    "tty",
    "plain",
    "json",
    "rawjson",
    "quiet",
  ]);
}

/** All that a command takes which runs a config: `RunFlags` but for those of `up` alone. */
export function addRun(command: Command): Command {
  return addSteps(addConfig(command))
    .addOption(
      list("--cache-to <cache>", "leave cache at type=registry,ref=REF or type=local,dest=DIR; mode=max for all steps (repeatable)"),
    )
    .addOption(list("--attest <attestation>", "what images carry: type=provenance,mode=max or type=sbom,generator=IMAGE (repeatable)"));
}

/** What steps get and how they run, whatever becomes of their results. */
export function addSteps(command: Command): Command {
  return addGiven(command)
    .addOption(jobsOption())
    .option("--locked", "refuse what is not in dagger.lock; what is in it is used anyway")
    .option("--source-policy <file>", "rules about what may be fetched, and from where, as BuildKit's JSON")
    .addOption(progressOption())
    .option("--no-cache", "run every step again, whatever the cache has");
}

/** How much of a job runs on this machine at once. */
function jobsOption(): Option {
  return new Option("-j, --jobs <n>", "host steps that run at the same time; without it as many as there are processors").argParser(
    (text) => {
      const count = Number(text);
      if (Number.isInteger(count) && count >= 1 && count <= 10_000) return count;
      throw new InvalidArgumentError("Expected a whole number from 1 to 10000.");
    },
  );
}

/** What steps get that no config has: secrets, agents, cache. */
export function addGiven(command: Command): Command {
  return command
    .addOption(
      list(
        "--secret <id=source>",
        "secret that the config mounts: ID=env:NAME, ID=file:PATH, ID=age:NAME, ID=vault:PATH#FIELD, ID=connector:NAME.SECRET or ID=cmd:COMMAND (repeatable)",
      ),
    )
    .option("--allow-host", "let commands run on this machine: the host steps of the config, and those that secrets come from")
    .addOption(
      list(
        "--ssh <id[=path]>",
        "SSH agent for steps: default (your own), ID=SOCKET, ID=KEY for a private key, or NAME=SOCKET,raw=true for any socket (repeatable)",
      ),
    )
    .addOption(
      list("--cache-from <cache>", "take cache from type=registry,ref=REF or type=local,src=DIR; also gha, s3, azblob (repeatable)"),
    );
}

/** `--output`, for what a command prints on stdout. */
export function addOutput(command: Command, choices: readonly OutputFormat[] = ["text", "json"]): Command {
  return command.addOption(new Option("--output <format>", "format of the result on stdout").choices(choices).default("text"));
}
