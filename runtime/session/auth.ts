// Registry logins: answers the daemon from docker's own configuration, as every docker client does.
import { spawn } from "node:child_process";
import fs from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { UserError } from "../../compiler/diagnostic.ts";
import { CredentialsRequest, CredentialsResponse } from "../../proto/gen/github.com/moby/buildkit/session/auth/auth.ts";
import { Code, RpcError } from "../grpc/status.ts";
import type { Credentials, RegistryAuth, SessionServices } from "./services.ts";

/** What of docker's config.json matters here. */
interface DockerConfig {
  readonly auths?: Readonly<Record<string, AuthEntry>>;
  readonly credHelpers?: Readonly<Record<string, string>>;
  readonly credsStore?: string;
}

interface AuthEntry {
  /** base64 of `user:password`. */
  readonly auth?: string;
  readonly username?: string;
  readonly password?: string;
  readonly identitytoken?: string;
}

/** Docker Hub's registry is logged into under this old name. */
const dockerHubHost = "registry-1.docker.io";
const dockerHubKey = "https://index.docker.io/v1/";

/** Answers the Auth service. Tokens are left to the daemon, which then asks for credentials only. */
export async function serveAuth(services: SessionServices, method: string, request: Buffer): Promise<Uint8Array> {
  if (method !== "Credentials") throw new RpcError(Code.unavailable, "tokens are fetched by the daemon");
  const { Host } = CredentialsRequest.decode(request);
  const found = await services.auth?.credentials(Host);
  return CredentialsResponse.encode({ Username: found?.username ?? "", Secret: found?.secret ?? "" }).finish();
}

/** Logins from `$DOCKER_CONFIG/config.json` or `~/.docker/config.json`, read when first asked; a missing file means none. */
export function dockerAuth(env: Readonly<Record<string, string | undefined>>): RegistryAuth {
  const dir = env["DOCKER_CONFIG"] ?? path.join(env["HOME"] ?? os.homedir(), ".docker");
  let config: Promise<DockerConfig> | undefined;
  return {
    async credentials(host) {
      config ??= readConfig(path.join(dir, "config.json"));
      return lookUp(await config, host === dockerHubHost ? dockerHubKey : host, env);
    },
  };
}

async function readConfig(file: string): Promise<DockerConfig> {
  let text: string;
  try {
    text = await fs.readFile(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR")) return {};
    throw badConfig(file, "it cannot be read", error);
  }
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) throw new SyntaxError("it is no JSON object");
    return parsed;
  } catch (error) {
    throw badConfig(file, "it is not valid JSON", error);
  }
}

function badConfig(file: string, why: string, cause: unknown): UserError {
  return new UserError(2, [{ code: "bad-docker-config", message: `cannot use the docker configuration ${file}: ${why}`, at: [] }], {
    cause,
  });
}

async function lookUp(
  config: DockerConfig,
  key: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Credentials | undefined> {
  const helper = config.credHelpers?.[key] ?? config.credHelpers?.[hostOf(key)] ?? config.credsStore;
  if (typeof helper === "string" && helper !== "") return askHelper(helper, key, env);
  const auths = config.auths ?? {};
  const entry = auths[key] ?? Object.entries(auths).find(([name]) => hostOf(name) === hostOf(key))?.[1];
  return entry === undefined ? undefined : fromEntry(entry);
}

function fromEntry(entry: AuthEntry): Credentials | undefined {
  if (entry.identitytoken) return { username: "", secret: entry.identitytoken };
  if (entry.auth) {
    const text = Buffer.from(entry.auth, "base64").toString("utf8").replaceAll("\0", "");
    const colon = text.indexOf(":");
    return colon === -1 ? undefined : { username: text.slice(0, colon), secret: text.slice(colon + 1) };
  }
  return entry.username && entry.password ? { username: entry.username, secret: entry.password } : undefined;
}

/** The host of a key of `auths`, which may be a URL. */
function hostOf(key: string): string {
  return key.replace(/^https?:\/\//, "").split("/")[0] as string;
}

/** Runs `docker-credential-<helper> get`: the host goes in, JSON comes out. */
async function askHelper(helper: string, key: string, env: Readonly<Record<string, string | undefined>>): Promise<Credentials | undefined> {
  const program = `docker-credential-${helper}`;
  const { code, output } = await run(program, key, env);
  if (code !== 0) {
    if (/credentials not found/i.test(output)) return undefined; // the protocol tells this by text only
    throw helperError(program, key, `it ended with exit code ${code}`);
  }
  try {
    const answer = JSON.parse(output) as { Username?: unknown; Secret?: unknown };
    if (typeof answer.Secret !== "string" || answer.Secret === "") return undefined;
    const username = typeof answer.Username === "string" ? answer.Username : "";
    return { username: username === "<token>" ? "" : username, secret: answer.Secret };
  } catch (error) {
    throw helperError(program, key, "its answer is not JSON", error);
  }
}

function run(program: string, input: string, env: Readonly<Record<string, string | undefined>>): Promise<{ code: number; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, ["get"], { stdio: ["pipe", "pipe", "ignore"], env: { ...env } });
    const chunks: Buffer[] = [];
    child.on("error", (error) => reject(helperError(program, input, "it cannot be started", error)));
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.on("close", (code) => resolve({ code: code ?? 1, output: Buffer.concat(chunks).toString("utf8") }));
    child.stdin.on("error", () => {}); // a helper may answer without reading
    child.stdin.end(`${input}\n`);
  });
}

function helperError(program: string, key: string, why: string, cause?: unknown): UserError {
  const message = `cannot get the login for ${hostOf(key)} from ${program}: ${why}`;
  return new UserError(3, [{ code: "credential-helper", message, at: [], hint: `try: echo ${key} | ${program} get` }], { cause });
}
