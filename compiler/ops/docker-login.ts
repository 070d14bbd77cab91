// `docker-login`: credentials for a registry, for all that the job fetches from it or pushes to it.
import { required, wrongType } from "./fields.ts";
import { secretName } from "./secret.ts";
import type { FieldType, OpSpec } from "./spec.ts";
import { name, string } from "./types.ts";
import type { OpBase } from "./use.ts";

export interface DockerLoginOp extends OpBase<"docker-login"> {
  /** The registry's host, e.g. `ghcr.io`, `127.0.0.1:5000`, `docker.io`. */
  readonly target: string;
  readonly username: string;
  /** Id of the secret that holds the password or token. */
  readonly secret: string;
}

const DOCKER_HUB: ReadonlySet<string> = new Set(["docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"]);

/** A registry, as people write it: a host, a URL, or the beginning of an image reference. */
const registry: FieldType<string> = {
  words: `a registry such as "ghcr.io" or "127.0.0.1:5000"`,
  read: (field, context) => {
    const text = string.read(field, context);
    if (text === undefined) return undefined;
    const host = text
      .replace(/^https?:\/\//, "")
      .replace(/\/.*$/s, "")
      .toLowerCase();
    if (!/^(\[[0-9a-f:.]+\]|[a-z0-9]([a-z0-9.-]*[a-z0-9])?)(:\d{1,5})?$/.test(host)) return wrongType(field, registry.words, context);
    return DOCKER_HUB.has(host) ? "docker.io" : host;
  },
};

export const dockerLogin: OpSpec<DockerLoginOp> = {
  do: "docker-login",
  fields: { target: required(registry), username: required(name), secret: required(secretName) },
  words: (op) => `docker-login ${op.target}`,
  lower: (op, state, context) => {
    context.secret(op.secret, false, op.place.fields.get("secret") ?? op.place.at);
    context.login({ target: op.target, username: op.username, secret: op.secret, at: op.place.at });
    return state;
  },
};
