// dagger secret: puts values in and shows names; a value is never printed.
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { SecretScope } from "../../engine/index.ts";
import type { Context, OutputFormat } from "../context.ts";
import { surroundings } from "../context.ts";
import { UsageError } from "../failure.ts";
import { clean } from "../output/lines.ts";
import { formatJson, formatTable } from "../output/table.ts";
import { plural } from "../output/units.ts";
import { readHidden } from "../prompt.ts";

export interface SecretFlags {
  readonly stack?: string;
  readonly env?: string;
  readonly workspace?: boolean;
  readonly forgetLost?: boolean;
  readonly output: OutputFormat;
}

export async function setCommand(context: Context, name: string, flags: SecretFlags & { readonly file?: string }): Promise<void> {
  const { setSecret } = await (await import("../../engine/index.ts")).loadSecrets();
  const value = flags.file === undefined ? await readHidden(`Value of ${name}: `, context) : await readValue(context, flags.file);
  const done = await setSecret(scopeOf(context, flags), name, value);
  if (done.madeKey !== undefined)
    context.io.stderr.write(`Made a key for you in ${done.madeKey}: keep a copy of it, without it nobody reads the secrets\n`);
  tell(context, flags, done, `Set ${name} of ${done.place}, for ${plural(done.recipients, "recipient")}\n`);
}

async function readValue({ io }: Context, file: string): Promise<Uint8Array> {
  try {
    return await readFile(resolve(io.cwd, file));
  } catch (cause) {
    throw new UsageError({
      code: "secret-file-not-found",
      message: `Cannot read the value: ${(cause as Error).message}`,
      at: [],
      hint: "Check the path",
    });
  }
}

export async function listCommand(context: Context, flags: SecretFlags): Promise<void> {
  const { listSecrets } = await (await import("../../engine/index.ts")).loadSecrets();
  const done = await listSecrets(scopeOf(context, flags));
  tell(context, flags, done, done.names.map((name) => `${name}\n`).join(""));
}

export async function unsetCommand(context: Context, name: string, flags: SecretFlags): Promise<void> {
  const { unsetSecret } = await (await import("../../engine/index.ts")).loadSecrets();
  const done = await unsetSecret(scopeOf(context, flags), name);
  tell(context, flags, done, `Removed ${name} from ${done.place}\n`);
}

export async function rotateCommand(context: Context, flags: SecretFlags): Promise<void> {
  const { rotateKey } = await (await import("../../engine/index.ts")).loadSecrets();
  const done = await rotateKey(scopeOf(context, flags), { forgetLost: flags.forgetLost === true });
  const forgotten = done.forgotten.length === 0 ? "" : `Forgot ${done.forgotten.join(", ")}: set them anew with dagger secret set\n`;
  const text = `Encrypted ${plural(done.secrets, "secret")} of ${done.place} anew; your key is now ${done.recipient}, in ${done.path}\n`;
  tell(context, flags, done, text + forgotten);
}

export async function keygenCommand(context: Context, flags: SecretFlags): Promise<void> {
  const { ownRecipient } = await (await import("../../engine/index.ts")).loadSecrets();
  const done = await ownRecipient(surroundings(context));
  tell(context, flags, done, `${done.recipient}\n`);
  if (done.made) context.io.stderr.write(`Made a key in ${done.path}: keep a copy of it\n`);
}

export async function recipientsCommand(context: Context, flags: SecretFlags): Promise<void> {
  const { listRecipients } = await (await import("../../engine/index.ts")).loadSecrets();
  const done = await listRecipients(scopeOf(context, flags));
  tell(context, flags, done, formatTable(done.recipients.map(({ recipient, own }) => [recipient, own ? "you" : ""])));
}

export async function changeCommand(
  context: Context,
  change: { readonly add?: readonly string[]; readonly remove?: readonly string[] },
  flags: SecretFlags,
): Promise<void> {
  const { changeRecipients } = await (await import("../../engine/index.ts")).loadSecrets();
  const done = await changeRecipients(scopeOf(context, flags), change);
  tell(context, flags, done, `Encrypted ${plural(done.secrets, "secret")} of ${done.place} for ${plural(done.recipients, "recipient")}\n`);
}

/** Says which commands are allowed now. */
export async function consentCommand(
  context: Context,
  { allow, disallow }: { readonly allow?: string; readonly disallow?: string },
  flags: Pick<SecretFlags, "output">,
): Promise<void> {
  const { allowCommand, disallowCommand, listConsents } = await (await import("../../engine/index.ts")).loadSecrets();
  const scope = surroundings(context);
  const done = await (allow !== undefined
    ? allowCommand(scope, allow)
    : disallow !== undefined
      ? disallowCommand(scope, disallow)
      : listConsents(scope));
  tell(context, flags, done, done.commands.map((command) => `${clean(command)}\n`).join(""));
}

function scopeOf(context: Context, { stack, env: environment, workspace: ofWorkspace }: SecretFlags): SecretScope {
  return { ...surroundings(context), stack, environment, ofWorkspace, signal: context.signal };
}

function tell({ io }: Context, { output }: Pick<SecretFlags, "output">, data: object, text: string): void {
  io.stdout.write(output === "json" ? formatJson(data) : text);
}
