// dagger secret and its commands.
import type { Command } from "commander";
import type { SecretFlags } from "../commands/secret.ts";
import type { Context } from "../context.ts";
import { addCommand } from "./command.ts";
import { addOutput, addStack } from "./flags.ts";

export function addSecretCommands(program: Command, context: Context): void {
  const secret = addCommand(
    program,
    "secret",
    "Keep secrets of an environment in the workspace, encrypted with age",
    "They lie in secrets.json beside the environment's settings, and belong into version control: names in clear, values only for those who are " +
      "listed in the file recipients. A run takes one with --secret ID=age:NAME. No command shows a value.",
    ["$ dagger secret set registry-token < token.txt", "$ dagger up --secret token=age:registry-token"],
  );
  const run = async () => import("../commands/secret.ts");
  addFlags(
    addCommand(
      secret,
      "set <name>",
      "Put a secret in, or give one another value",
      "The value comes from stdin, from --file, or in a terminal from a prompt that does not show it; never from the command line, which others " +
        "can see. One newline at the end of what is piped or typed is left out. The first secret of a store makes you its recipient.",
      ['$ printf %s "$TOKEN" | dagger secret set registry-token', "$ dagger secret set deploy-key --file ~/.ssh/deploy -s web -e staging"],
    ),
  )
    .option("--file <file>", "take the value from a file, byte for byte")
    .action(async (name: string, flags: SecretFlags & { file?: string }) => (await run()).setCommand(context, name, flags));
  addFlags(
    addCommand(secret, "list", "List the names of the secrets", "", ["$ dagger secret list", "$ dagger secret list --output json"]),
  ).action(async (flags: SecretFlags) => (await run()).listCommand(context, flags));
  addFlags(addCommand(secret, "unset <name>", "Remove a secret", "", ["$ dagger secret unset registry-token"])).action(
    async (name: string, flags: SecretFlags) => (await run()).unsetCommand(context, name, flags),
  );
  addFlags(
    addCommand(
      secret,
      "rotate",
      "Make a new key for yourself, and encrypt everything anew with it",
      "The old key stays in your key file, for older versions of the store: who had it can still read those, so change the values, too, if it leaked.",
      ["$ dagger secret rotate"],
    ).option("--forget-lost", "remove the secrets that no key of yours can read, because the key is lost"),
  ).action(async (flags: SecretFlags) => (await run()).rotateCommand(context, flags));
  addOutput(
    addCommand(
      secret,
      "keygen",
      "Make a key of your own, and show what others need to let you read their secrets",
      "Does nothing but show it where you have one. The key lies in the file that DAGGER_AGE_KEY_FILE names, else in dagger/keys.txt of your config " +
        "directory; in CI, DAGGER_AGE_KEY may hold the key itself.",
      ["$ dagger secret keygen"],
    ),
  ).action(async (flags: SecretFlags) => (await run()).keygenCommand(context, flags));
  addRecipients(secret, context);
  addConsents(secret, context);
}

function addRecipients(secret: Command, context: Context): void {
  const recipients = addCommand(secret, "recipients", "Say who can read the secrets", "", [
    "$ dagger secret recipients list",
    "$ dagger secret recipients add age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p",
  ]);
  const run = async () => import("../commands/secret.ts");
  addFlags(addCommand(recipients, "list", "List who can read the secrets", "", ["$ dagger secret recipients list"])).action(
    async (flags: SecretFlags) => (await run()).recipientsCommand(context, flags),
  );
  addFlags(
    addCommand(recipients, "add <recipients...>", "Let more people read the secrets; everything is encrypted anew", "", [
      "$ dagger secret recipients add age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p",
    ]),
  ).action(async (add: string[], flags: SecretFlags) => (await run()).changeCommand(context, { add }, flags));
  addFlags(
    addCommand(
      recipients,
      "remove <recipients...>",
      "Take people out; everything is encrypted anew",
      "Who could read the store before can still read the versions that they have: change the values, too.",
      ["$ dagger secret recipients remove age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"],
    ),
  ).action(async (remove: string[], flags: SecretFlags) => (await run()).changeCommand(context, { remove }, flags));
}

function addConsents(secret: Command, context: Context): void {
  const run = async () => import("../commands/secret.ts");
  addOutput(
    addCommand(
      secret,
      "allow <command>",
      "Let runs in this workspace take secrets from a command (cmd:) without --allow-host",
      "Look at the command first, and at what it runs. It is allowed as it is written, for this workspace, on this machine, for you. What was allowed " +
        "lies in your own data directory: nothing that comes with a repository can allow a command.",
      ["$ dagger secret allow 'pass show registry-token'"],
    ),
  ).action(async (allow: string, flags: SecretFlags) => (await run()).consentCommand(context, { allow }, flags));
  addOutput(addCommand(secret, "disallow <command>", "Take that back", "", ["$ dagger secret disallow 'pass show registry-token'"])).action(
    async (disallow: string, flags: SecretFlags) => (await run()).consentCommand(context, { disallow }, flags),
  );
  addOutput(
    addCommand(secret, "commands", "List the commands that runs in this workspace may take secrets from", "", ["$ dagger secret commands"]),
  ).action(async (flags: SecretFlags) => (await run()).consentCommand(context, {}, flags));
}

function addFlags(command: Command): Command {
  return addOutput(addStack(command).option("--workspace", "the workspace's own secrets, which references name age:/NAME"));
}
