// Tries a registry: the handshake of /v2/, with the login as basic authentication or for a token.
import type { UserError } from "../../../compiler/index.ts";
import type { Connector } from "../connector.ts";
import { type Answer, ask, type CheckScope, odd, refused } from "./reach.ts";

/** Says what was reached. Throws UserError. */
export async function checkRegistry({ fields }: Connector, scope: CheckScope): Promise<string> {
  const { host = "", username = "", insecure, ca } = fields;
  const origin = host === "docker.io" ? "registry-1.docker.io" : host;
  const url = new URL(`${insecure === "true" ? "http" : "https"}://${origin}/v2/`);
  const tls = ca === undefined ? {} : { tls: { ca } };
  const first = await ask(url, tls, scope);
  const told = (how: string): string => `logged in to ${host} as ${username}${how}`;
  if (first.status === 200) return `reached ${host}, which asks for no login`;
  if (first.status !== 401) throw notRegistry(host, first);
  const challenge = first.header("www-authenticate");
  const login = { authorization: `Basic ${Buffer.from(`${username}:${await passwordOf(scope)}`).toString("base64")}` };
  if (/^basic/i.test(challenge)) {
    const second = await ask(url, { ...tls, headers: login }, scope);
    if (second.status === 200) return told("");
    throw second.status === 401 || second.status === 403 ? wrongLogin(host, username) : notRegistry(host, second);
  }
  const token = await tokenFor(host, username, challenge, { ...tls, headers: login }, scope);
  const last = await ask(url, { ...tls, headers: { authorization: `Bearer ${token}` } }, scope);
  if (last.status === 200) return told(", with a token");
  throw last.status === 401 || last.status === 403 ? wrongLogin(host, username) : notRegistry(host, last);
}

async function passwordOf(scope: CheckScope): Promise<string> {
  return Buffer.from((await scope.read("password")) ?? "")
    .toString("utf8")
    .replace(/\r?\n$/, "");
}

async function tokenFor(
  host: string,
  username: string,
  challenge: string,
  request: Parameters<typeof ask>[1],
  scope: CheckScope,
): Promise<string> {
  const part = (name: string): string => new RegExp(`${name}="([^"]*)"`, "i").exec(challenge)?.[1] ?? "";
  const realm = URL.canParse(part("realm")) ? new URL(part("realm")) : undefined;
  if (!/^bearer/i.test(challenge) || realm === undefined)
    throw odd(host, "does not say how to log in", "Check that it is a registry of images");
  if (part("service") !== "") realm.searchParams.set("service", part("service"));
  const answer = await ask(realm, request, scope);
  if (answer.status === 401 || answer.status === 403) throw wrongLogin(host, username);
  try {
    const { token, access_token } = JSON.parse(answer.text) as { token?: unknown; access_token?: unknown };
    const given = token ?? access_token;
    if (answer.status === 200 && typeof given === "string" && given !== "") return given;
  } catch {
    // It is no token.
  }
  throw odd(host, `its server for tokens ${realm.host} gives none (status ${answer.status})`, "Try docker login, and ask who runs it");
}

function wrongLogin(host: string, username: string): UserError {
  return refused(
    host,
    `the password or token of ${username} is not taken`,
    "Set the secret anew, and check the username and the token's rights",
  );
}

function notRegistry(host: string, { status }: Answer): UserError {
  return odd(host, `not as a registry of images (status ${status} for /v2/)`, "Check the host: it has neither a scheme nor a path");
}
