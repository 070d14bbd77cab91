// Registry logins: answers the daemon from docker's own configuration, as every docker client does.
import { spawn } from "node:child_process";
import fs from "node:fs/promises";
import path from "node:path";
import { UserError } from "../../compiler/diagnostic.ts";
import {
  CredentialsRequest,
  CredentialsResponse,
  FetchTokenRequest,
  FetchTokenResponse,
  GetTokenAuthorityRequest,
  GetTokenAuthorityResponse,
  VerifyTokenAuthorityRequest,
  VerifyTokenAuthorityResponse,
} from "../../proto/gen/github.com/moby/buildkit/session/auth/auth.ts";
import { dockerConfigDir } from "../directories.ts";
import { Code, RpcError } from "../grpc/status.ts";
import { Authority } from "./authority.ts";
import type { Credentials, RegistryAuth, SessionServices } from "./services.ts";
import { fetchToken } from "./token.ts";

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
  /** A bearer token that is sent to the registry as it is. */
  readonly registrytoken?: string;
}

/** Docker Hub's registry is logged into under this old name. */
const dockerHubHost = "registry-1.docker.io";
const dockerHubKey = "https://index.docker.io/v1/";

/** Answers the Auth service. Tokens are fetched here where that is possible; else (Unavailable) the daemon does it, with our credentials. */
export async function serveAuth(services: SessionServices, method: string, request: Buffer): Promise<Uint8Array> {
  const { auth } = services;
  if (method === "Credentials") {
    const found = await auth?.credentials(CredentialsRequest.decode(request).Host);
    return CredentialsResponse.encode({ Username: found?.username ?? "", Secret: found?.secret ?? "" }).finish();
  }
  if (auth?.tokens === undefined) throw new RpcError(Code.unavailable, "tokens are fetched by the daemon");
  if (method === "FetchToken") {
    const { Host, Realm, Service, Scopes } = FetchTokenRequest.decode(request);
    const fixed = await auth.tokens.fixed(Host);
    if (fixed !== undefined) return FetchTokenResponse.encode({ Token: fixed, ExpiresIn: 60n, IssuedAt: 0n }).finish();
    const wanted = { host: Host, realm: Realm, service: Service, scopes: Scopes };
    const token = await fetchToken(wanted, await auth.credentials(Host), auth.tokens.env);
    return FetchTokenResponse.encode({ Token: token.token, ExpiresIn: BigInt(token.expiresIn), IssuedAt: BigInt(token.issuedAt) }).finish();
  }
  if (method === "GetTokenAuthority") {
    const { Host, Salt } = GetTokenAuthorityRequest.decode(request);
    return GetTokenAuthorityResponse.encode({ PublicKey: (await authority(auth, Host, Salt)).publicKey() }).finish();
  }
  const { Host, Salt, Payload } = VerifyTokenAuthorityRequest.decode(request);
  return VerifyTokenAuthorityResponse.encode({ Signed: (await authority(auth, Host, Salt)).sign(Payload) }).finish();
}

async function authority(auth: RegistryAuth, host: string, salt: Uint8Array): Promise<Authority> {
  return Authority.of(auth.tokens?.seedDir ?? "", host, salt, (await auth.credentials(host)) !== undefined);
}

/** Logins from `$DOCKER_CONFIG/config.json` or `~/.docker/config.json`, read when first asked; a missing file means none. A relative one starts at `cwd`. */
export function dockerAuth(env: Readonly<Record<string, string | undefined>>, cwd = ""): RegistryAuth {
  const dir = dockerConfigDir(env, cwd);
  let config: Promise<DockerConfig> | undefined;
  const key = (host: string): string => (host === dockerHubHost ? dockerHubKey : host);
  const read = (): Promise<DockerConfig> => {
    config ??= readConfig(path.join(dir, "config.json"));
    return config;
  };
  return {
    credentials: async (host) => lookUp(await read(), key(host), env),
    ...(clientTokens(env) ? { tokens: { env, seedDir: dir, fixed: async (host) => entryOf(await read(), key(host))?.registrytoken } } : {}),
  };
}

/** As other clients: not when it is switched off. */
function clientTokens(env: Readonly<Record<string, string | undefined>>): boolean {
  return !/^(1|t|true)$/i.test(env["BUILDKIT_NO_CLIENT_TOKEN"] ?? "");
}

/** Logins that a job brings along come before those of `base`. Hosts are as people write them; `docker.io` is Docker Hub. */
export function withLogins(base: RegistryAuth, login: (host: string) => Promise<Credentials | undefined>): RegistryAuth {
  return {
    ...base,
    credentials: async (host) => (await login(host === dockerHubHost ? "docker.io" : host)) ?? base.credentials(host),
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
  return new UserError(2, [{ code: "bad-docker-config", message: `Cannot use the docker configuration ${file}: ${why}`, at: [] }], {
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
  const entry = entryOf(config, key);
  return entry === undefined ? undefined : fromEntry(entry);
}

function entryOf(config: DockerConfig, key: string): AuthEntry | undefined {
  const auths = config.auths ?? {};
  return auths[key] ?? Object.entries(auths).find(([name]) => hostOf(name) === hostOf(key))?.[1];
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
  const message = `Cannot get the login for ${hostOf(key)} from ${program}: ${why}`;
  return new UserError(3, [{ code: "credential-helper", message, at: [], hint: `try: echo ${key} | ${program} get` }], { cause });
}
