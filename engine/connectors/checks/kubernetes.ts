// Tries a cluster: /version of its API tells that it is one, and a review of the own account that the credentials are taken.
import { isObject } from "../../workspace/json-file.ts";
import type { Connector } from "../connector.ts";
import { parseKubeconfig } from "../provider.ts";
import { ask, type CheckScope, odd, problem, refused } from "./reach.ts";

export async function checkKubernetes({ name, fields }: Connector, scope: CheckScope): Promise<string> {
  const kubeconfig = (await scope.read("kubeconfig")) ?? new Uint8Array();
  const { server, tls, authorization } = readAccess(name, await parseKubeconfig(name, kubeconfig), fields["context"]);
  const { host } = server;
  const at = (path: string): URL => new URL(`${server.href.replace(/\/$/, "")}${path}`);
  const headers = authorization === undefined ? {} : { authorization };
  const version = await ask(at("/version"), { headers, tls }, scope);
  if (version.status === 401) throw notTaken(host);
  const known = versionOf(version.text);
  if (version.status === 403 || version.status !== 200 || known === undefined)
    throw odd(host, `not as the API of a cluster (status ${version.status} for /version)`, "Check the server of the kubeconfig");
  // Everybody may read /version: only who is known may ask what they may do.
  const body = Buffer.from(
    JSON.stringify({
      apiVersion: "authorization.k8s.io/v1",
      kind: "SelfSubjectAccessReview",
      spec: { nonResourceAttributes: { path: "/version", verb: "get" } },
    }),
  );
  const review = await ask(
    at("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"),
    { method: "POST", body, headers: { ...headers, "content-type": "application/json", accept: "application/json" }, tls },
    scope,
  );
  if (review.status === 401 || review.status === 403) throw notTaken(host);
  return `logged in to ${host}, Kubernetes ${known}`;
}

function notTaken(host: string): Error {
  return refused(
    host,
    "it does not know the account",
    "Tokens and certificates of clusters expire: get a new kubeconfig, and set the secret anew",
  );
}

function versionOf(text: string): string | undefined {
  try {
    const { gitVersion } = JSON.parse(text) as { gitVersion?: unknown };
    return typeof gitVersion === "string" ? gitVersion : undefined;
  } catch {
    return undefined;
  }
}

interface Access {
  readonly server: URL;
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  readonly authorization?: string;
}

/** What of a kubeconfig is about its current context. Files that it names are those of another machine: it has to hold all itself. */
function readAccess(name: string, config: Readonly<Record<string, unknown>>, context: string | undefined): Access {
  const wanted = context ?? text(config["current-context"]);
  const chosen = entry(config["contexts"], wanted, "context");
  const cluster = entry(config["clusters"], text(chosen?.["cluster"]), "cluster");
  const user = entry(config["users"], text(chosen?.["user"]), "user");
  const server = text(cluster?.["server"]);
  if (cluster === undefined || user === undefined || !URL.canParse(server)) {
    const why = chosen === undefined ? `has no context ${JSON.stringify(wanted)}` : "does not say all of its cluster and user";
    throw problem(
      2,
      "bad-kubeconfig",
      `The kubeconfig of the connector ${name} ${why}`,
      "Take what kubectl config view --raw --minify shows",
    );
  }
  const file = ["certificate-authority", "client-certificate", "client-key", "tokenFile", "exec", "auth-provider"].find(
    (key) => key in cluster || key in user,
  );
  if (file !== undefined) {
    const hint = "Take what kubectl config view --raw --flatten shows, with a token of its own";
    throw problem(2, "bad-kubeconfig", `The kubeconfig of the connector ${name} refers to ${file}, which steps do not have`, hint);
  }
  const data = (from: Readonly<Record<string, unknown>>, key: string): string | undefined =>
    typeof from[key] === "string" ? Buffer.from(from[key], "base64").toString("utf8") : undefined;
  const [ca, cert, key] = [
    data(cluster, "certificate-authority-data"),
    data(user, "client-certificate-data"),
    data(user, "client-key-data"),
  ];
  const basic = `${text(user["username"])}:${text(user["password"])}`;
  const authorization =
    user["token"] !== undefined
      ? `Bearer ${text(user["token"])}`
      : user["username"] !== undefined
        ? `Basic ${Buffer.from(basic).toString("base64")}`
        : undefined;
  return {
    server: new URL(server),
    tls: { ...(ca === undefined ? {} : { ca }), ...(cert === undefined ? {} : { cert }), ...(key === undefined ? {} : { key }) },
    ...(authorization === undefined ? {} : { authorization }),
  };
}

function entry(list: unknown, name: string, key: string): Readonly<Record<string, unknown>> | undefined {
  const found: unknown = Array.isArray(list) ? list.find((one: unknown) => isObject(one) && one["name"] === name) : undefined;
  const value = isObject(found) ? found[key] : undefined;
  return isObject(value) ? value : undefined;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
