// Resolves the secrets that a graph mounts, from what the user passed with --secret. Values go to the session only.
import { open } from "node:fs/promises";
import { resolve } from "node:path";
import type { Job, Position } from "../../compiler/index.ts";
import { inputError, UserError } from "../../compiler/index.ts";
import { maxSecretSize } from "../../runtime/session/index.ts";
import { missingSecret } from "./missing.ts";
import type { ReadSecret, SecretScope } from "./provider.ts";
import { providerOf } from "./providers.ts";
import { isProvider, type ProviderName } from "./reference.ts";

/** Where a secret's value comes from: a variable of the request's environment, a file, or what a provider takes for a reference. */
export type SecretSource =
  | { readonly kind: "env"; readonly name: string }
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "provider"; readonly provider: ProviderName; readonly rest: string };

/** Reads `ID=env:NAME`, `ID=file:PATH`, `ID=age:NAME`, `ID=vault:PATH#FIELD`, `ID=connector:NAME.SECRET`, `ID=cmd:COMMAND` flags; a relative PATH starts at `cwd`. Throws UserError (2) for anything else. */
export function parseSecrets(flags: readonly string[], cwd: string): Map<string, SecretSource> {
  const secrets = new Map<string, SecretSource>();
  for (const flag of flags) {
    const match = /^([^=]+)=([a-z]+):(.+)$/s.exec(flag);
    const [, id = "", kind = "", where = ""] = match ?? [];
    if (kind === "env") secrets.set(id, { kind, name: where });
    else if (kind === "file") secrets.set(id, { kind, path: resolve(cwd, where) });
    else if (isProvider(kind)) secrets.set(id, { kind: "provider", provider: kind, rest: where });
    else {
      // The flag may hold a value that was meant to be secret: it is not repeated in the message.
      throw inputError({
        code: "bad-secret-flag",
        message:
          "Cannot read a --secret flag: expected ID=env:NAME, ID=file:PATH, ID=age:NAME, ID=vault:PATH#FIELD, ID=connector:NAME.SECRET or ID=cmd:COMMAND",
        at: [],
        hint: "Put the value in an environment variable and write for example: --secret token=env:TOKEN",
      });
    }
  }
  return secrets;
}

/** Fails before anything runs when the graph needs a secret that nobody gave. */
export function requireSecrets(job: Job, given: ReadonlyMap<string, SecretSource>): void {
  const missing = job.secrets.filter((secret) => !secret.optional && !given.has(secret.id));
  if (missing.length === 0) return;
  throw inputError(
    ...missing.map((secret) => ({
      code: "missing-secret",
      message: `Missing secret ${JSON.stringify(secret.id)}`,
      at: secret.at,
      hint: `Pass it with --secret ${secret.id}=env:NAME or --secret ${secret.id}=file:PATH`,
    })),
  );
}

/** What the session asks. One reader serves a whole run: what comes out of a pipe comes once. */
export function secretReader(
  given: ReadonlyMap<string, SecretSource>,
  scope: SecretScope,
  placeOf: (id: string) => readonly Position[] | undefined = () => undefined,
): ReadSecret {
  const once = new Map<string, Promise<Buffer>>();
  const provided = new Map<string, Promise<Uint8Array | undefined>>();
  const run = scope.run ?? {};
  const nested: SecretScope = { ...scope, run, resolve: (reference, cwd) => resolveReference(reference, { ...scope, run, cwd }) };
  return async (id) => {
    const source = given.get(id);
    if (source === undefined) return undefined;
    const at = placeOf(id) ?? [];
    if (source.kind === "env") {
      const value = scope.env[source.name];
      return value === undefined ? undefined : checkSize(id, Buffer.from(value), at);
    }
    if (source.kind === "provider") {
      const asked = provided.get(id) ?? askProvider(source, nested);
      provided.set(id, asked);
      const value = await asked.catch((error: unknown) => {
        throw placed(error, at);
      });
      return value === undefined ? undefined : checkSize(id, value, at);
    }
    try {
      return checkSize(id, await readSecret(source.path, once), at);
    } catch (cause) {
      if (cause instanceof UserError) throw cause;
      throw new UserError(2, [
        {
          code: "secret-file-not-found",
          message: `Cannot read the file of secret ${JSON.stringify(id)}: ${(cause as Error).message}`,
          at,
        },
      ]);
    }
  };
}

/** What a reference such as `env:TOKEN` stands for; undefined when there is nothing. Throws UserError (2 or 3). */
export async function resolveReference(reference: string, scope: SecretScope): Promise<Uint8Array | undefined> {
  return secretReader(parseSecrets([`secret=${reference}`], scope.cwd), scope)("secret");
}

async function askProvider({ provider, rest }: Extract<SecretSource, { kind: "provider" }>, scope: SecretScope): ReturnType<ReadSecret> {
  return (await providerOf(provider)).read(rest, scope);
}

/** A provider's error with the line that asks for the secret. */
function placed(error: unknown, at: readonly Position[]): unknown {
  if (!(error instanceof UserError)) return error;
  return new UserError(
    error.exit,
    error.diagnostics.map((diagnostic) => ({ ...diagnostic, at: diagnostic.at.length === 0 ? at : diagnostic.at })),
    { cause: error.cause },
  );
}

/** Files are read whenever they are asked for; of what is none (a pipe, as `<(command)` makes one) the bytes are kept in `once`. */
async function readSecret(path: string, once: Map<string, Promise<Buffer>>): Promise<Buffer> {
  const kept = once.get(path);
  if (kept !== undefined) return kept;
  const forget = (): void => void once.delete(path);
  const reading = readBytes(path, forget);
  once.set(path, reading);
  reading.catch(forget);
  return reading;
}

/** No more than tells that it is too much: devices and pipes may never end. `onFile` is called when it is a file. */
async function readBytes(path: string, onFile: () => void): Promise<Buffer> {
  const file = await open(path);
  try {
    const parts: Buffer[] = [];
    for await (const part of file.createReadStream({ end: maxSecretSize, autoClose: false })) parts.push(part as Buffer);
    if ((await file.stat()).isFile()) onFile();
    return Buffer.concat(parts);
  } finally {
    await file.close();
  }
}

function checkSize(id: string, value: Uint8Array, at: readonly Position[]): Uint8Array {
  if (value.length <= maxSecretSize) return value;
  throw inputError({
    code: "secret-too-large",
    message: `Secret ${JSON.stringify(id)} has more than the ${maxSecretSize / 1024} KiB that BuildKit takes`,
    at,
    hint: "Give what is secret in it alone, e.g. the key that the rest is encrypted with",
  });
}

/** Checks before anything runs that every given source can be read and gives something, so that a typo does not end as an empty mount. */
export async function checkSecrets(
  given: ReadonlyMap<string, SecretSource>,
  read: ReadSecret,
  placeOf: (id: string) => readonly Position[] | undefined = () => undefined,
): Promise<void> {
  for (const [id, source] of given) {
    const value = await read(id);
    // An empty file is what whoever names it has made.
    if (value !== undefined && (value.length > 0 || source.kind === "file")) continue;
    if (source.kind !== "file") throw missingSecret(id, referenceOf(source), value !== undefined, placeOf(id) ?? []);
  }
}

function referenceOf(source: Exclude<SecretSource, { kind: "file" }>): string {
  return source.kind === "env" ? `env:${source.name}` : `${source.provider}:${source.rest}`;
}
