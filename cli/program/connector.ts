// dagger connector and its commands.
import type { Command } from "commander";
import type { ConnectorFlags } from "../commands/connector.ts";
import type { Context } from "../context.ts";
import { addCommand } from "./command.ts";
import { addOutput, addStack, list } from "./flags.ts";

export function addConnectorCommands(program: Command, context: Context): void {
  const connector = addCommand(
    program,
    "connector",
    "Keep connections of the workspace to services, with where their credentials come from",
    "A config asks for one by its type, with package connector: dagger fills in where the service is, and which secrets hold the credentials. " +
      "Types are registry, git, s3, kubernetes, ssh and webhook. They are kept in .dagger/connectors/, without any credential.",
    ["$ dagger connector add registry ghcr host=ghcr.io username=ci --secret password=env:GHCR_TOKEN", "$ dagger connector check"],
  );
  const run = async () => import("../commands/connector.ts");
  addFlags(
    addCommand(
      connector,
      "add <type> <name> [fields...]",
      "Add a connector; fields are NAME=VALUE",
      "A credential is given by where it comes from, as `dagger up --secret` takes it: env:NAME, file:PATH, age:NAME of the store of an environment, " +
        "vault:PATH#FIELD or cmd:COMMAND. `dagger connector types` says which fields and secrets a type has.",
      [
        "$ dagger connector add registry ghcr host=ghcr.io username=ci --secret password=age:ghcr-token",
        "$ dagger connector add ssh web host=web.example.com user=deploy --file knownHosts=./hosts --secret key=file:~/.ssh/deploy",
        "$ dagger connector add kubernetes prod --secret kubeconfig=vault:secret/clusters/prod#kubeconfig",
      ],
    ),
  ).action(async (type: string, name: string, values: string[], flags: ConnectorFlags) =>
    (await run()).addConnectorCommand(context, { type, name, values }, flags),
  );
  addOutput(
    addCommand(connector, "list", "List the connectors of the workspace", "", [
      "$ dagger connector list",
      "$ dagger connector list --output json",
    ]).alias("ls"),
  ).action(async (flags: ConnectorFlags) => (await run()).listConnectorsCommand(context, flags));
  addOutput(
    addCommand(connector, "show <name>", "Show a connector: its fields, and where its credentials come from", "", [
      "$ dagger connector show ghcr",
    ]),
  ).action(async (name: string, flags: ConnectorFlags) => (await run()).showConnectorCommand(context, name, flags));
  addFlags(
    addCommand(connector, "edit <name> [fields...]", "Change fields and secrets of a connector; the others stay", "", [
      "$ dagger connector edit ghcr username=deploy",
      "$ dagger connector edit web --file knownHosts=./hosts",
      "$ dagger connector edit ghcr --unset ca",
    ]),
  )
    .addOption(list("--unset <name>", "a field or secret to forget (repeatable)"))
    .action(async (name: string, values: string[], flags: ConnectorFlags) =>
      (await run()).editConnectorCommand(context, name, values, flags),
    );
  addOutput(
    addCommand(connector, "remove <name>", "Remove a connector", "Asks first. Its secrets stay where they are.", [
      "$ dagger connector remove ghcr --yes",
    ]),
  )
    .alias("rm")
    .option("-y, --yes", "do not ask")
    .action(async (name: string, flags: ConnectorFlags) => (await run()).removeConnectorCommand(context, name, flags));
  addCheck(connector, context);
  addOutput(
    addCommand(connector, "types", "Show the types of connectors, with their fields and secrets", "Those with ! are needed.", [
      "$ dagger connector types",
    ]),
  ).action(async (flags: ConnectorFlags) => (await run()).typesCommand(context, flags));
}

function addCheck(connector: Command, context: Context): void {
  addStack(
    addOutput(
      addCommand(
        connector,
        "check [names...]",
        "Connect to services with their credentials, and say what came of it",
        "A registry is logged in to, a git host is asked for the commits of a repository, of an S3 bucket one name is listed, a cluster is asked for its version and " +
          "whether it knows the account, ssh logs in and runs true, a webhook is asked at its address. The exit code is 2 when credentials or addresses are " +
          "wrong, and 3 when a service cannot be reached.",
        ["$ dagger connector check", "$ dagger connector check ghcr web -s shop -e production"],
      ),
    ),
  )
    .option("--allow-host", "credentials may come from programs on this machine (cmd:)")
    .option("--timeout <seconds>", "how long each may take; 15 without it")
    .action(async (names: string[], flags: ConnectorFlags) =>
      (await import("../commands/connector.ts")).checkConnectorsCommand(context, names, flags),
    );
}

function addFlags(command: Command): Command {
  return addOutput(
    command
      .addOption(list("--secret <name=reference>", "where a credential comes from, e.g. password=env:TOKEN (repeatable)"))
      .addOption(list("--file <name=path>", "a field whose value is the text of a file, e.g. ca=./ca.pem (repeatable)"))
      .option("--description <text>", "what it is for"),
  );
}
