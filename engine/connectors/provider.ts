// Credentials of connectors as secrets: `connector:NAME.SECRET`. Some are put together of what a connector says, such as a kubeconfig.
import { inputError } from "../../compiler/index.ts";
import { missingSecret } from "../secrets/missing.ts";
import type { SecretScope, SecretsProvider } from "../secrets/provider.ts";
import { findWorkspace } from "../workspace/find.ts";
import { openWorkspace } from "../workspace/workspace.ts";
import { type Connector, findConnector } from "./connector.ts";

export const connectorProvider: SecretsProvider = {
  read: async (rest, scope) => {
    const cut = rest.indexOf(".");
    const name = cut === -1 ? rest : rest.slice(0, cut);
    const root = scope.root ?? findWorkspace(scope.cwd)?.root ?? scope.cwd;
    const workspace = await openWorkspace(".", root);
    return readCredential(await findConnector(workspace, name, scope.cwd), cut === -1 ? "" : rest.slice(cut + 1), { ...scope, cwd: root });
  },
};

/**
 * One credential of a connector; undefined where its type has none of that name. Throws UserError: 2 where it is not there, as the provider that it comes
 * from does otherwise.
 */
export async function readCredential(connector: Connector, secret: string, scope: SecretScope): Promise<Uint8Array | undefined> {
  const { type, fields, secrets } = connector;
  const reference = Object.hasOwn(secrets, secret) ? secrets[secret] : undefined;
  if (reference === undefined) {
    if (type === "webhook" && secret === "url" && fields["url"] !== undefined) return Buffer.from(fields["url"]);
    if (type === "kubernetes" && secret === "kubeconfig") return kubeconfigOf(connector, await readCredential(connector, "token", scope));
    return undefined;
  }
  const home = scope.env["HOME"] ?? "";
  const value = await scope.resolve?.(
    reference.replace(/^file:~\//, () => `file:${home}/`),
    scope.cwd,
  );
  if (value === undefined || value.length === 0) throw missingSecret(`${connector.name}.${secret}`, reference, value !== undefined, []);
  if (type === "kubernetes" && secret === "kubeconfig" && fields["context"] !== undefined)
    return withContext(connector, fields["context"], value);
  return value;
}

function kubeconfigOf({ name, fields }: Connector, token: Uint8Array | undefined): Uint8Array | undefined {
  if (token === undefined) return undefined;
  const { server, ca, namespace } = fields;
  const authority = ca === undefined ? {} : { "certificate-authority-data": Buffer.from(ca).toString("base64") };
  return json({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name, cluster: { server, ...authority } }],
    users: [{ name, user: { token: Buffer.from(token).toString("utf8").trim() } }],
    contexts: [{ name, context: { cluster: name, user: name, ...(namespace === undefined ? {} : { namespace }) } }],
    "current-context": name,
  });
}

async function withContext({ name }: Connector, context: string, kubeconfig: Uint8Array): Promise<Uint8Array> {
  const data = await parseKubeconfig(name, kubeconfig);
  return json({ ...data, "current-context": context });
}

/** Throws UserError (2) `bad-kubeconfig`, without a word of it: it is a secret. */
export async function parseKubeconfig(connector: string, kubeconfig: Uint8Array): Promise<Readonly<Record<string, unknown>>> {
  const { parse } = await import("yaml");
  try {
    const data: unknown = parse(Buffer.from(kubeconfig).toString("utf8"));
    if (typeof data === "object" && data !== null && !Array.isArray(data)) return data as Readonly<Record<string, unknown>>;
  } catch {
    // Its message may quote a line.
  }
  throw inputError({
    code: "bad-kubeconfig",
    message: `The kubeconfig of the connector ${connector} cannot be read: it is no YAML with fields`,
    at: [],
    hint: "Take the file that kubectl reads: kubectl config view --raw shows it",
  });
}

function json(data: object): Uint8Array {
  return Buffer.from(`${JSON.stringify(data)}\n`);
}
