// Fetches registry tokens on this side, so that passwords never reach the daemon: OAuth by POST first, then plain GET.
import { UserError } from "../../compiler/diagnostic.ts";
import type { Environment } from "../directories.ts";
import { type HttpRequest, httpRequest, readBody } from "../http.ts";
import type { Credentials } from "./services.ts";

/** What a registry's challenge says, passed on by the daemon. */
export interface TokenRequest {
  readonly host: string;
  readonly realm: string;
  readonly service: string;
  readonly scopes: readonly string[];
}

/** `expiresIn` in seconds; `issuedAt` in seconds since 1970, 0 when the server does not tell. */
export interface Token {
  readonly token: string;
  readonly expiresIn: number;
  readonly issuedAt: number;
}

/** What servers mean that do not tell. */
const defaultExpiry = 60;
const timeout = 30_000;
/** No token is larger. */
const maxAnswer = 1 << 20;

/** Without credentials the token is an anonymous one; proxies are those of `env`. Throws UserError (exit 3) `registry-token`. */
export async function fetchToken(request: TokenRequest, credentials: Credentials | undefined, env: Environment): Promise<Token> {
  const realm = parseRealm(request);
  if (credentials !== undefined && credentials.secret !== "") {
    const answer = await ask(request, realm, oauthRequest(request, credentials), env);
    if (answer.status < 400) return readToken(request, answer, ["access_token"]);
    // Registries without POST answer 404 or 405, some 401.
    const fallBack = answer.status === 404 || answer.status === 401 || (answer.status === 405 && credentials.username !== "");
    if (!fallBack) throw failed(request, `${realm.host} answers with status ${answer.status}`);
  }
  return readToken(request, await ask(request, withQuery(realm, request), getRequest(credentials), env), ["access_token", "token"]);
}

function parseRealm(request: TokenRequest): URL {
  const realm = URL.canParse(request.realm) ? new URL(request.realm) : undefined;
  if (realm?.protocol === "https:" || realm?.protocol === "http:") return realm;
  throw failed(request, `the registry names ${JSON.stringify(request.realm)} as its token server, which is no URL`);
}

function oauthRequest({ service, scopes }: TokenRequest, { username, secret }: Credentials): HttpRequest {
  const form = new URLSearchParams();
  if (scopes.length > 0) form.set("scope", scopes.join(" "));
  form.set("service", service);
  form.set("client_id", "buildkit-client");
  form.set("grant_type", username === "" ? "refresh_token" : "password");
  if (username === "") form.set("refresh_token", secret);
  else {
    form.set("username", username);
    form.set("password", secret);
  }
  return { form };
}

function getRequest(credentials: Credentials | undefined): HttpRequest {
  if (credentials === undefined || credentials.secret === "") return {};
  return { headers: { authorization: `Basic ${Buffer.from(`${credentials.username}:${credentials.secret}`).toString("base64")}` } };
}

function withQuery(realm: URL, { service, scopes }: TokenRequest): URL {
  const url = new URL(realm);
  if (service !== "") url.searchParams.append("service", service);
  for (const scope of scopes) url.searchParams.append("scope", scope);
  return url;
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly host: string;
}

async function ask(request: TokenRequest, url: URL, what: HttpRequest, env: Environment): Promise<Answer> {
  try {
    const { status, body } = await httpRequest(url, { ...what, signal: AbortSignal.timeout(timeout) }, env);
    return { status, text: (await readBody(body, maxAnswer)).toString("utf8"), host: url.host };
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw failed(request, `${url.host} ${reason(error)}`, error);
  }
}

function reason(error: unknown): string {
  // A signal that ends a request has Node tell of an abort; the reason is its cause.
  const cause = error instanceof Error && error.name === "AbortError" ? error.cause : error;
  if (cause instanceof Error && cause.name === "TimeoutError") return "gives no answer";
  return `cannot be asked: ${cause instanceof Error ? cause.message : String(cause)}`;
}

function readToken(request: TokenRequest, { status, text, host }: Answer, names: readonly string[]): Token {
  if (status === 401 || status === 403) throw failed(request, `${host} refuses the login`);
  if (status >= 400) throw failed(request, `${host} answers with status ${status}`);
  let fields: Readonly<Record<string, unknown>>;
  try {
    fields = JSON.parse(text) as Readonly<Record<string, unknown>>;
  } catch (error) {
    throw failed(request, `the answer of ${host} is not JSON`, error);
  }
  const token = names.map((name) => fields[name]).find((value) => typeof value === "string" && value !== "");
  if (typeof token !== "string") throw failed(request, `the answer of ${host} has no token`);
  const expires = fields["expires_in"];
  const issued = typeof fields["issued_at"] === "string" ? Date.parse(fields["issued_at"]) : Number.NaN;
  return {
    token,
    expiresIn: typeof expires === "number" && expires > 0 ? Math.floor(expires) : defaultExpiry,
    issuedAt: Number.isFinite(issued) ? Math.floor(issued / 1000) : 0,
  };
}

function failed(request: TokenRequest, why: string, cause?: unknown): UserError {
  const message = `Cannot get a token for ${request.scopes.map((scope) => scope.replace(/^repository:/, "")).join(", ")} at ${request.host}: ${why}`;
  const hint = `Check the login: docker login ${request.host}; with BUILDKIT_NO_CLIENT_TOKEN=1 the daemon fetches tokens itself`;
  return new UserError(3, [{ code: "registry-token", message, at: [], hint }], { cause });
}
