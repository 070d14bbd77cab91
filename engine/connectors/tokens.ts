// Tokens that a workspace is made or cloned with: each becomes a secret of the workspace's own, encrypted, and a connector that names it.
import { inputError } from "../../compiler/index.ts";
import type { Surroundings } from "../request.ts";
import { isReference } from "../secrets/reference.ts";
import { setSecret } from "../secrets/store.ts";
import { addConnector, editConnector, listConnectors, type NewConnector } from "./manage.ts";

/** Each is the token itself, or where it comes from: `env:NAME`, `file:PATH`, `cmd:COMMAND`. */
export interface Tokens {
  readonly github?: string;
  /** `USER:TOKEN`, or `USER:REFERENCE`. */
  readonly docker?: string;
}

/** What was done with them: the connectors, and the key that had to be made. */
export interface KeptTokens {
  readonly connectors: readonly string[];
  readonly madeKey?: string;
}

/** Throws UserError (2) `bad-token`, and those of secrets and connectors. No token is ever part of an error. */
export async function keepTokens(surroundings: Surroundings, { github, docker }: Tokens): Promise<KeptTokens> {
  const wanted: (readonly [connector: NewConnector, secret: string, token: string])[] = [];
  if (github !== undefined) {
    if (github.trim() === "") throw badToken("GitHub", "--github-token -, with the token on stdin, or --github-token env:GITHUB_TOKEN");
    wanted.push([{ name: "github", type: "git", fields: { url: "https://github.com" } }, "token", github.trim()]);
  }
  if (docker !== undefined) {
    const [, username = "", token = ""] = /^([^:\s]+):(\S.*)$/s.exec(docker.trim()) ?? [];
    if (username === "") throw badToken("Docker Hub", "--docker-token USER:TOKEN, or --docker-token USER:env:DOCKER_TOKEN");
    wanted.push([{ name: "docker-hub", type: "registry", fields: { host: "docker.io", username } }, "password", token]);
  }
  let madeKey: string | undefined;
  const there = new Set((await listConnectors(surroundings)).map(({ name }) => name));
  for (const [connector, secret, token] of wanted) {
    const secrets = { [secret]: isReference(token) ? token : `age:/${connector.name}-token` };
    if (!isReference(token)) {
      const { env, cwd } = surroundings;
      madeKey = (await setSecret({ env, cwd, ofWorkspace: true }, `${connector.name}-token`, Buffer.from(token))).madeKey ?? madeKey;
    }
    if (there.has(connector.name)) await editConnector(surroundings, connector.name, { fields: connector.fields ?? {}, secrets });
    else await addConnector(surroundings, { ...connector, secrets });
  }
  return { connectors: wanted.map(([{ name }]) => name), ...(madeKey === undefined ? {} : { madeKey }) };
}

function badToken(host: string, example: string): Error {
  return inputError({ code: "bad-token", message: `Cannot read the token for ${host}`, at: [], hint: `Write ${example}` });
}
