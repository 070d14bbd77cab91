// Secrets of a Vault server's key/value store: `vault:MOUNT/PATH#FIELD`, e.g. `vault:secret/web/deploy#token`. Both versions of the store.
import { inputError, nearest, type UserError } from "../../../compiler/index.ts";
import type { SecretsProvider } from "../provider.ts";
import { VaultClient } from "./client.ts";

type Fields = Readonly<Record<string, unknown>>;

interface Asked {
  readonly client: VaultClient;
  /** By path: several fields of one secret are one question. */
  readonly paths: Map<string, Promise<Fields>>;
}

/** One login serves a run. */
const runs = new WeakMap<object, Asked>();

export const vaultProvider: SecretsProvider = {
  read: async (rest, scope) => {
    const [, path = "", field = ""] = /^\/?([^#]*[^#/])\/?#([^#]+)$/s.exec(rest) ?? [];
    if (!path.includes("/") || /(^|\/)\.{1,2}(\/|$)/.test(path)) {
      const message = `Cannot read the reference vault:${rest}: expected vault:MOUNT/PATH#FIELD`;
      throw inputError({ code: "bad-vault-reference", message, at: [], hint: "Write for example vault:secret/web/deploy#token" });
    }
    const run = scope.run ?? scope;
    const asked: Asked = runs.get(run) ?? { client: new VaultClient(scope), paths: new Map() };
    runs.set(run, asked);
    const reading = asked.paths.get(path) ?? readPath(asked.client, path);
    asked.paths.set(path, reading);
    const fields = await reading;
    if (!Object.hasOwn(fields, field)) throw noField(path, field, Object.keys(fields));
    const value = fields[field];
    return Buffer.from(typeof value === "string" ? value : JSON.stringify(value));
  },
};

/** The fields of a secret. Which part of a path is the store's mount, and which version that has, the server says, as it says to `vault kv get`. */
async function readPath(client: VaultClient, path: string): Promise<Fields> {
  const about = await client.read(`sys/internal/ui/mounts/${encodePath(path)}`);
  if (about.status === 403) throw await denied(client, path);
  const mount = about.data["data"] as { path?: unknown; type?: unknown; options?: { version?: unknown } | null } | undefined;
  const root = mount?.path;
  if (about.status !== 200 || typeof root !== "string" || !`${path}/`.startsWith(root))
    throw nothing(client, path, "there is no store at it");
  const isVersioned = mount?.options?.version === "2";
  const inside = path.slice(root.length);
  const answer = await client.read(encodePath(isVersioned ? `${root}data/${inside}` : path));
  if (answer.status === 403) throw await denied(client, path);
  const data = answer.data["data"] as Fields | undefined;
  const fields = isVersioned ? (data?.["data"] as Fields | null | undefined) : data;
  if (answer.status === 200 && fields !== undefined && fields !== null) return fields;
  if (answer.status !== 200 && answer.status !== 404) throw nothing(client, path, answer.errors[0] ?? `status ${answer.status}`);
  const metadata = data?.["metadata"] as { deletion_time?: unknown; destroyed?: unknown } | undefined;
  throw nothing(
    client,
    path,
    metadata === undefined
      ? "nothing is kept there"
      : metadata.destroyed === true
        ? "its newest version was destroyed"
        : "its newest version was deleted",
  );
}

function encodePath(path: string): string {
  return path.split("/").map(encodeURIComponent).join("/");
}

async function denied(client: VaultClient, path: string): Promise<UserError> {
  if (!(await client.knowsToken())) {
    const message = `The Vault server ${client.host} does not take the token: it has expired, or was never one`;
    return inputError({ code: "vault-token", message, at: [], hint: "Log in anew: vault login, or set VAULT_TOKEN" });
  }
  const message = `The Vault server ${client.host} does not let this login read ${path}`;
  return inputError({ code: "vault-denied", message, at: [], hint: "Check the path, and ask for a policy that may read it" });
}

function nothing(client: VaultClient, path: string, why: string): UserError {
  const message = `The Vault server ${client.host} has no secret ${path}: ${why}`;
  return inputError({
    code: "vault-not-found",
    message,
    at: [],
    hint: "Check the path: it begins with the store's mount, and has no data/ in it",
  });
}

/** Names of fields are no secrets. */
function noField(path: string, field: string, names: readonly string[]): UserError {
  const [near] = nearest(field, names);
  const hint = near === undefined ? `It has ${names.join(", ") || "none"}` : `Did you mean ${near}?`;
  return inputError({
    code: "vault-not-found",
    message: `The secret ${path} of Vault has no field ${JSON.stringify(field)}`,
    at: [],
    hint,
  });
}
