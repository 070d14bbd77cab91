// The store of one environment: `secrets.json`, its names in clear and its values encrypted with age for everybody in `recipients`.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { inputError, nearest, UserError } from "../../compiler/index.ts";
import { displayName } from "../../runtime/cue/index.ts";
import { maxSecretSize } from "../../runtime/session/index.ts";
import { formatJson, readJsonFile, writeWhole } from "../workspace/json-file.ts";
import { changing } from "../workspace/lock.ts";
import { checkRecipient, keyFile, makeKey, type OwnKey, readKeys } from "./keys.ts";
import { findPlace, type SecretPlace } from "./place.ts";
import type { SecretScope, SecretsProvider } from "./provider.ts";

/** `age:NAME`: what `dagger secret set NAME` has put there; `age:/NAME`: into the workspace's own store. */
export const ageProvider: SecretsProvider = {
  read: async (wanted, scope) => {
    const ofWorkspace = wanted.startsWith("/");
    const name = ofWorkspace ? wanted.slice(1) : wanted;
    const place = await findPlace({ ...scope, ...(ofWorkspace ? { ofWorkspace, cwd: scope.root ?? scope.cwd } : {}) });
    const values = await readValues(place, scope.cwd);
    const armored = values.get(name);
    return armored === undefined ? undefined : decrypt(name, armored, await readKeys(scope), scope);
  },
};

/** What `set` did; `madeKey` is the file with the key that it had to make first. */
export interface SecretSet {
  readonly place: string;
  readonly recipients: number;
  readonly madeKey?: string;
}

/** Names in their order; nothing is decrypted. */
export async function listSecrets(scope: SecretScope): Promise<{ readonly place: string; readonly names: readonly string[] }> {
  const place = await findPlace(scope);
  return { place: place.name, names: [...(await readValues(place, scope.cwd)).keys()].sort() };
}

/**
 * Puts a value in. The first one of a store makes the user its recipient, with a key that is made where they have none. Throws UserError (2)
 * `bad-secret-name`, `empty-secret`, `secret-too-large`.
 */
export async function setSecret(scope: SecretScope, name: string, value: Uint8Array): Promise<SecretSet> {
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/.test(name)) {
    const hint = "Use letters, digits and _ . -, for example registry-token";
    throw inputError({ code: "bad-secret-name", message: `Cannot call a secret ${JSON.stringify(name)}`, at: [], hint });
  }
  if (value.length === 0)
    throw inputError({ code: "empty-secret", message: "The value of the secret is empty", at: [], hint: "Write it to stdin" });
  if (value.length > maxSecretSize) {
    const message = `Secret ${JSON.stringify(name)} has more than the ${maxSecretSize / 1024} KiB that BuildKit takes`;
    throw inputError({ code: "secret-too-large", message, at: [], hint: "Give what is secret in it alone" });
  }
  const place = await findPlace(scope);
  return changing(place.workspace, async () => {
    let recipients = await readRecipients(place);
    let madeKey: string | undefined;
    if (recipients.length === 0) {
      const own = (await readKeys(scope)).at(-1)?.recipient;
      const made = own === undefined ? await makeKey(scope) : undefined;
      madeKey = made?.path;
      recipients = [own ?? made?.recipient ?? ""];
      await writeRecipients(place, recipients);
    }
    const values = await readValues(place, scope.cwd);
    values.set(name, await encrypt(value, recipients));
    await writeValues(place, values);
    return { place: place.name, recipients: recipients.length, ...(madeKey === undefined ? {} : { madeKey }) };
  });
}

/** Throws UserError (2) `unknown-secret`. */
export async function unsetSecret(scope: SecretScope, name: string): Promise<{ readonly place: string }> {
  const place = await findPlace(scope);
  return changing(place.workspace, async () => {
    const values = await readValues(place, scope.cwd);
    if (!values.delete(name)) {
      const [near] = nearest(name, [...values.keys()]);
      const hint = near === undefined ? "See `dagger secret list`" : `Did you mean ${near}?`;
      throw inputError({ code: "unknown-secret", message: `There is no secret ${JSON.stringify(name)} in ${place.name}`, at: [], hint });
    }
    await writeValues(place, values);
    return { place: place.name };
  });
}

/** Who can read the store, and which of them the user is. */
export async function listRecipients(
  scope: SecretScope,
): Promise<{ readonly place: string; readonly recipients: readonly { readonly recipient: string; readonly own: boolean }[] }> {
  const place = await findPlace(scope);
  const own = new Set((await readKeys(scope)).map(({ recipient }) => recipient));
  return { place: place.name, recipients: (await readRecipients(place)).map((recipient) => ({ recipient, own: own.has(recipient) })) };
}

/** What a change of recipients did. */
export interface Reencrypted {
  readonly place: string;
  readonly recipients: number;
  readonly secrets: number;
}

/**
 * Lets more people read the store, or fewer: every value is encrypted anew for those that remain. Needs a key that can read all. Throws
 * UserError (2) `bad-recipient`, `unknown-recipient`, `last-recipient`, `secret-key-lost`.
 */
export async function changeRecipients(
  scope: SecretScope,
  change: { readonly add?: readonly string[]; readonly remove?: readonly string[] },
): Promise<Reencrypted> {
  const { add = [], remove = [] } = change;
  for (const one of add) await checkRecipient(one);
  return reencrypt(scope, async (place) => {
    const before = await readRecipients(place);
    for (const one of remove) {
      if (before.includes(one)) continue;
      const hint = "See `dagger secret recipients list`";
      throw inputError({ code: "unknown-recipient", message: `${one} cannot read the secrets of ${place.name} anyway`, at: [], hint });
    }
    const after = [...new Set([...before, ...add])].filter((one) => !remove.includes(one));
    if (after.length > 0) return after;
    const message = `Nobody could read the secrets of ${place.name} any more`;
    throw inputError({ code: "last-recipient", message, at: [], hint: "Add another recipient first" });
  });
}

/** A key of the user that is new. */
export interface Rotated extends Reencrypted {
  readonly path: string;
  readonly recipient: string;
  /** Names of what no key of the user could read, and what is not there any more. */
  readonly forgotten: readonly string[];
}

/**
 * Makes a new key for the user, which takes the place of theirs among the recipients, and encrypts every value anew. The old key stays in its
 * file. With `forgetLost`, values that no key of the user can read are removed, rather than an error (`secret-key-lost`).
 */
export async function rotateKey(scope: SecretScope, { forgetLost = false }: { readonly forgetLost?: boolean } = {}): Promise<Rotated> {
  let made = { path: "", recipient: "" };
  const forgotten: string[] = [];
  const decide = async (place: SecretPlace, keys: readonly OwnKey[]): Promise<readonly string[]> => {
    const own = new Set(keys.map(({ recipient }) => recipient));
    made = await makeKey(scope);
    return [...(await readRecipients(place)).filter((one) => !own.has(one)), made.recipient];
  };
  const done = await reencrypt(scope, decide, forgetLost ? (name) => forgotten.push(name) : undefined);
  return { ...done, ...made, forgotten: forgotten.sort() };
}

async function reencrypt(
  scope: SecretScope,
  decide: (place: SecretPlace, keys: readonly OwnKey[]) => Promise<readonly string[]>,
  /** Without it, what cannot be read is an error. */
  onLost?: (name: string) => void,
): Promise<Reencrypted> {
  const place = await findPlace(scope);
  return changing(place.workspace, async () => {
    const keys = await readKeys(scope);
    const values = await readValues(place, scope.cwd);
    // All are read before anything changes.
    const clear = new Map<string, Uint8Array>();
    for (const [name, armored] of values) {
      try {
        clear.set(name, await decrypt(name, armored, keys, scope));
      } catch (error) {
        if (onLost === undefined || !isLost(error)) throw error;
        onLost(name);
      }
    }
    const recipients = await decide(place, keys);
    const fresh = new Map<string, string>();
    for (const [name, value] of clear) fresh.set(name, await encrypt(value, recipients));
    await writeValues(place, fresh);
    await writeRecipients(place, recipients);
    return { place: place.name, recipients: recipients.length, secrets: fresh.size };
  });
}

const isLost = (error: unknown): boolean => error instanceof UserError && error.diagnostics[0]?.code === "secret-key-lost";

async function encrypt(value: Uint8Array, recipients: readonly string[]): Promise<string> {
  const { armor, Encrypter } = await import("age-encryption");
  const encrypter = new Encrypter();
  for (const recipient of recipients) encrypter.addRecipient(await checkRecipient(recipient));
  return armor.encode(await encrypter.encrypt(value));
}

async function decrypt(name: string, armored: string, keys: readonly OwnKey[], scope: SecretScope): Promise<Uint8Array> {
  const { armor, Decrypter } = await import("age-encryption");
  const of = `the secret ${JSON.stringify(name)}`;
  let file: Uint8Array;
  try {
    file = armor.decode(armored);
  } catch {
    const hint = "Take secrets.json back from version control, or set the secret anew";
    throw inputError({ code: "bad-secret-store", message: `What is kept as ${of} is no age file`, at: [], hint });
  }
  const decrypter = new Decrypter();
  for (const { identity } of keys) decrypter.addIdentity(identity);
  try {
    return await decrypter.decrypt(file);
  } catch (cause) {
    const lost = keys.length === 0 || /no identity matched/.test((cause as Error).message);
    throw new UserError(lost ? 3 : 2, [
      lost
        ? {
            code: "secret-key-lost",
            message: `No key of yours can read ${of}: ${keys.length === 0 ? `there is none in ${keyFile(scope)}` : `tried ${keys.length}`}`,
            at: [],
            hint: "Get the key file back (DAGGER_AGE_KEY_FILE or DAGGER_AGE_KEY may name it), ask a recipient to add yours, or give the secret up: dagger secret rotate --forget-lost",
          }
        : {
            code: "bad-secret-store",
            message: `What is kept as ${of} is damaged`,
            at: [],
            hint: "Take secrets.json back from version control",
          },
    ]);
  }
}

async function readValues(place: SecretPlace, cwd: string): Promise<Map<string, string>> {
  const file = await readJsonFile(join(place.dir, "secrets.json"), cwd);
  const values = new Map<string, string>();
  for (const [name, value] of Object.entries(file?.data ?? {})) {
    if (typeof value !== "string")
      return (await file?.fail([name], `Secret ${name} of ${file.name} is to be a text, as age -a writes it`)) ?? values;
    values.set(name, value);
  }
  return values;
}

/** In the order of their names, so that two branches seldom conflict. */
async function writeValues(place: SecretPlace, values: ReadonlyMap<string, string>): Promise<void> {
  const sorted = [...values].sort(([a], [b]) => (a < b ? -1 : 1));
  await writeWhole(join(place.dir, "secrets.json"), formatJson(Object.fromEntries(sorted)));
}

async function readRecipients(place: SecretPlace): Promise<readonly string[]> {
  const path = join(place.dir, "recipients");
  const text = await readFile(path, "utf8").catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return "";
    const message = `Cannot read ${displayName(path, place.workspace.root)}: ${cause.message}`;
    throw new UserError(3, [{ code: "workspace-not-read", message, at: [], hint: "Check its permissions" }], { cause });
  });
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
}

async function writeRecipients(place: SecretPlace, recipients: readonly string[]): Promise<void> {
  const about = "# Who can read secrets.json, as `age -R` takes it; changed with `dagger secret recipients`.\n";
  await writeWhole(join(place.dir, "recipients"), `${about}${recipients.map((one) => `${one}\n`).join("")}`);
}
