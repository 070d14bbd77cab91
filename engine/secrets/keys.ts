// The user's age keys: who may read secrets of a store. They lie in the user's config directory, as the `age` tool writes and reads them.
import { chmod, mkdir, open, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { inputError, UserError } from "../../compiler/index.ts";
import type { Surroundings } from "../request.ts";

/** A key of the user. */
export interface OwnKey {
  /** `AGE-SECRET-KEY-1…`: never shown. */
  readonly identity: string;
  /** `age1…`: may be known to everybody. */
  readonly recipient: string;
}

/** Absolute path of the file with the user's keys: DAGGER_AGE_KEY_FILE, else `dagger/keys.txt` in the user's config directory. */
export function keyFile({ env, cwd }: Surroundings): string {
  const given = nonEmpty(env["DAGGER_AGE_KEY_FILE"]);
  if (given !== undefined) return join(given.startsWith("/") ? "" : cwd, given);
  const home = nonEmpty(env["HOME"]) ?? "/";
  return join(nonEmpty(env["XDG_CONFIG_HOME"]) ?? join(home, ".config"), "dagger", "keys.txt");
}

/** All keys of the user, those of DAGGER_AGE_KEY first; the last one of the file is the newest. Throws UserError (3) `secret-key-unreadable`. */
export async function readKeys(who: Surroundings): Promise<readonly OwnKey[]> {
  const path = keyFile(who);
  let text = "";
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ENOENT") {
      const message = `Cannot read the keys in ${path}: ${(cause as Error).message}`;
      throw new UserError(3, [{ code: "secret-key-unreadable", message, at: [], hint: "Check who owns the file, and its mode" }], {
        cause,
      });
    }
  }
  const { identityToRecipient } = await import("age-encryption");
  const identities = [...identitiesIn(who.env["DAGGER_AGE_KEY"] ?? ""), ...identitiesIn(text)];
  return Promise.all(
    identities.map(async (identity) => {
      try {
        return { identity, recipient: await identityToRecipient(identity) };
      } catch {
        // What the parser says may repeat the key.
        const where = text.includes(identity) ? path : "DAGGER_AGE_KEY";
        throw new UserError(3, [
          { code: "secret-key-unreadable", message: `A key in ${where} is no age key`, at: [], hint: "Keys are as age-keygen writes them" },
        ]);
      }
    }),
  );
}

/** Makes a key and adds it to the user's, in a file that nobody else can read. */
export async function makeKey(who: Surroundings): Promise<{ readonly path: string; readonly recipient: string }> {
  const { generateX25519Identity, identityToRecipient } = await import("age-encryption");
  const identity = await generateX25519Identity();
  const recipient = await identityToRecipient(identity);
  const path = keyFile(who);
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const file = await open(path, "a", 0o600);
    try {
      await file.chmod(0o600);
      await file.writeFile(`# public key: ${recipient}\n${identity}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await chmod(path, 0o600);
  } catch (cause) {
    const message = `Cannot write the key file ${path}: ${(cause as Error).message}`;
    throw new UserError(3, [{ code: "secret-key-not-written", message, at: [], hint: "Name another file with DAGGER_AGE_KEY_FILE" }], {
      cause,
    });
  }
  return { path, recipient };
}

/** What others need to let the user read their secrets; a key is made where there is none. */
export async function ownRecipient(
  who: Surroundings,
): Promise<{ readonly recipient: string; readonly path: string; readonly made: boolean }> {
  const own = (await readKeys(who)).at(-1);
  return own === undefined ? { ...(await makeKey(who)), made: true } : { recipient: own.recipient, path: keyFile(who), made: false };
}

/** Throws UserError (2) `bad-recipient`. */
export async function checkRecipient(text: string): Promise<string> {
  const { Encrypter } = await import("age-encryption");
  try {
    new Encrypter().addRecipient(text);
    return text;
  } catch {
    const secret = /^AGE-SECRET-KEY-/i.test(text);
    throw inputError({
      code: "bad-recipient",
      message: secret ? "This is a secret key, which nobody else may have" : `${JSON.stringify(text)} is no age recipient`,
      at: [],
      hint: "A recipient begins with age1: its owner sees it with `dagger secret keygen`",
    });
  }
}

function identitiesIn(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}
