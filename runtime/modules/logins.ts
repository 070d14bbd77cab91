// Logins made by `cue login`: bearer tokens in logins.json, made anew from their refresh tokens when they have expired.
import { randomBytes } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";
import { UserError } from "../../compiler/diagnostic.ts";
import type { Environment } from "../directories.ts";
import { httpRequest, readBody } from "../http.ts";
import { withLock } from "../lock.ts";
import { moduleError } from "./failure.ts";

interface Login {
  readonly access_token: string;
  readonly token_type?: string;
  readonly refresh_token?: string;
  readonly expiry?: string;
}

type Logins = Readonly<Record<string, Login>>;

/** Tokens expire a little before their time, as other clients see it: the request has to arrive, too. */
const early = 10_000;
/** No answer with a token is larger, in bytes. */
const maxAnswer = 1 << 20;

/** The `authorization` header for a registry that the user has logged in to with cue; undefined for others. Throws UserError (2, 3). */
export async function cueLogin(env: Environment, host: string, insecure: boolean, signal: AbortSignal): Promise<string | undefined> {
  const file = path.join(configDir(env), "logins.json");
  let login = (await readLogins(file))?.[host];
  if (login === undefined) return undefined;
  if (expired(login)) {
    login = await withLock(`${file}.lock`, async () => {
      const logins = (await readLogins(file)) ?? {};
      const now = logins[host];
      if (now === undefined || !expired(now)) return now;
      const fresh = await refresh(env, now, host, insecure, signal);
      await writeLogins(file, { ...logins, [host]: fresh });
      return fresh;
    });
  }
  return (
    login &&
    `${login.token_type === undefined || login.token_type.toLowerCase() === "bearer" ? "Bearer" : login.token_type} ${login.access_token}`
  );
}

function configDir(env: Environment): string {
  const own = env["CUE_CONFIG_DIR"];
  if (own !== undefined && own !== "") return own;
  const home = env["HOME"] ?? homedir();
  if (process.platform === "darwin") return path.join(home, "Library", "Application Support", "cue");
  return path.join(env["XDG_CONFIG_HOME"] || path.join(home, ".config"), "cue");
}

function expired({ expiry }: Login): boolean {
  const time = expiry === undefined ? Number.NaN : Date.parse(expiry);
  return Number.isFinite(time) && time - early < Date.now();
}

async function readLogins(file: string): Promise<Logins | undefined> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw bad(file, "it cannot be read", error);
  }
  try {
    const { registries = {} } = JSON.parse(text) as { registries?: Record<string, Login> };
    for (const [host, login] of Object.entries(registries)) {
      if (typeof login.access_token !== "string" || login.access_token === "") throw new Error(`there is no access_token for ${host}`);
    }
    return registries;
  } catch (error) {
    throw bad(file, (error as Error).message, error);
  }
}

function bad(file: string, why: string, cause: unknown): Error {
  return moduleError(2, "bad-cue-logins", `Cannot use the CUE logins ${file}: ${why}`, "Log in again: cue login", cause);
}

async function refresh(env: Environment, login: Login, host: string, insecure: boolean, signal: AbortSignal): Promise<Login> {
  const again = (why: string, cause?: unknown): Error =>
    moduleError(3, "module-login", `the CUE login at ${host} has expired: ${why}`, `log in again: cue login ${host}`, cause);
  if (!login.refresh_token) throw again("it has no refresh token");
  let answer: { access_token?: unknown; token_type?: unknown; refresh_token?: unknown; expires_in?: unknown };
  try {
    const form = new URLSearchParams({ grant_type: "refresh_token", refresh_token: login.refresh_token });
    const response = await httpRequest(new URL(`${insecure ? "http" : "https"}://${host}/login/oauth/token`), { form, signal }, env);
    const body = await readBody(response.body, maxAnswer);
    if (response.status >= 400) throw new Error(`the registry answers with status ${response.status}`);
    answer = JSON.parse(body.toString("utf8")) as typeof answer;
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw again((error as Error).message, error);
  }
  if (typeof answer.access_token !== "string") throw again("the answer has no token");
  return {
    access_token: answer.access_token,
    ...(typeof answer.token_type === "string" && { token_type: answer.token_type }),
    refresh_token: typeof answer.refresh_token === "string" ? answer.refresh_token : login.refresh_token,
    ...(typeof answer.expires_in === "number" && { expiry: new Date(Date.now() + answer.expires_in * 1000).toISOString() }),
  };
}

async function writeLogins(file: string, registries: Logins): Promise<void> {
  const temporary = `${file}.${randomBytes(6).toString("hex")}`;
  await writeFile(temporary, `${JSON.stringify({ registries }, null, "\t")}\n`, { mode: 0o600 });
  await rename(temporary, file);
}
