// Checks of connectors against real services: a registry, git over HTTP, S3, sshd. A cluster's API and webhooks are stood in for by small servers.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createTcpServer, type Socket, type Server as TcpServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { makeAuthority, makeCertificate } from "../../test/support/certificates.ts";
import { gitToken, startGitServer } from "../../test/support/git-server.ts";
import { startRegistry } from "../../test/support/registry.ts";
import { startS3 } from "../../test/support/s3.ts";
import { freePort } from "../../test/support/server.ts";
import { startSshd } from "../../test/support/sshd.ts";
import { startTokenServer } from "../../test/support/token-server.ts";
import { startWebService, type WebService } from "../../test/support/web-service.ts";
import { initWorkspace } from "../workspace/init.ts";
import { addConnector, type CheckedConnector, checkConnectors, type NewConnector } from "./index.ts";

const base = mkdtempSync(join(tmpdir(), "connectors-"));
const stops: (() => Promise<void>)[] = [];
let root: string;
let count = 0;
let env: Record<string, string>;

before(async () => {
  await makeAuthority(base, "ca");
  await makeAuthority(base, "stranger");
  await makeCertificate(base, "ca", "service", { names: "IP:127.0.0.1" });
});
beforeEach(async () => {
  root = join(base, `workspace-${++count}`);
  mkdirSync(root);
  env = { PATH: process.env["PATH"] ?? "", HOME: root, SECRET: "the right secret" };
  await initWorkspace({ env, cwd: root, dir: "." });
});
after(async () => {
  for (const stop of stops) await stop();
  rmSync(base, { recursive: true, force: true });
});

async function started<T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> {
  const server = await starting;
  stops.push(() => server.stop());
  return server;
}

const pem = (name: string): string => readFileSync(join(base, `${name}.pem`), "utf8");
const tls = () => ({ cert: join(base, "service.pem"), key: join(base, "service-key.pem") });
/** In the connector's own words, e.g. `ok logged in to …` or `2 connector-login …`. */
const told = ({ ok, reached, problem }: CheckedConnector): string =>
  ok ? `ok ${reached}` : `${problem?.exit} ${problem?.diagnostic.code} ${problem?.diagnostic.message} (${problem?.diagnostic.hint})`;

/** Adds connectors with these differences from one that is right, checks all, and gives what was told, by name. */
async function check(
  right: Omit<NewConnector, "name">,
  variants: Readonly<Record<string, Partial<Pick<NewConnector, "fields" | "secrets">>>>,
  timeout = 120_000,
): Promise<Record<string, string>> {
  for (const [name, { fields, secrets }] of Object.entries<Partial<Pick<NewConnector, "fields" | "secrets">>>({ right: {}, ...variants })) {
    await addConnector(
      { env, cwd: root },
      { name, type: right.type, fields: { ...right.fields, ...fields }, secrets: { ...right.secrets, ...secrets } },
    );
  }
  const checked = await checkConnectors({ env, cwd: root, names: [], timeout });
  const values = Object.entries(env).filter(([name]) => !["PATH", "HOME"].includes(name));
  for (const [, value] of values) assert.ok(!JSON.stringify(checked).includes(value), "a value of a secret is told");
  return Object.fromEntries(checked.map((one) => [one.name, told(one)]));
}

test("a registry: its login, over TLS with a certificate of one's own, and what is wrong with each part of it", async () => {
  const registry = await started(startRegistry({ tls: tls(), login: { username: "me", password: "the right secret" } }));
  env["OTHER"] = "another secret";
  const right = { type: "registry", fields: { host: registry.host, username: "me", ca: pem("ca") }, secrets: { password: "env:SECRET" } };
  const results = await check(right, {
    "wrong-password": { secrets: { password: "env:OTHER" } },
    "wrong-user": { fields: { username: "you" } },
    "wrong-ca": { fields: { ca: pem("stranger") } },
    "not-tls": { fields: { insecure: "true" } },
    "no-host": { fields: { host: "nowhere.invalid" } },
    refused: { fields: { host: `127.0.0.1:${await freePort()}` } },
    "no-secret": { secrets: { password: "env:NOT_SET" } },
  });
  assert.equal(results["right"], `ok logged in to ${registry.host} as me`);
  assert.match(results["wrong-password"] ?? "", /^2 connector-login .* refuses the credentials: the password or token of me is not taken/);
  assert.match(results["wrong-user"] ?? "", /^2 connector-login .* of you is not taken/);
  assert.match(results["wrong-ca"] ?? "", /^2 connector-certificate The certificate of .* is not trusted: .*edit wrong-ca --file ca=FILE/);
  assert.match(results["not-tls"] ?? "", /^3 connector-answer .* not as a registry of images \(status 400/);
  assert.match(results["no-host"] ?? "", /^3 connector-unknown-host There is no host nowhere\.invalid/);
  assert.match(results["refused"] ?? "", /^3 connector-unreachable Nobody listens at 127/);
  assert.match(
    results["no-secret"] ?? "",
    /^2 secret-env-not-set Secret "no-secret.password" is to come from the environment variable NOT_SET/,
  );
});

test("a registry that wants tokens is given one", async () => {
  await makeAuthority(base, "issuer");
  const tokens = await started(
    startTokenServer(join(base, "issuer.pem"), join(base, "issuer-key.pem"), { username: "me", password: "the right secret" }),
  );
  const token = { realm: tokens.realm, service: "the-registry", issuer: "test", bundle: join(base, "issuer.pem") };
  const registry = await started(startRegistry({ token }));
  env["OTHER"] = "another secret";
  const right = {
    type: "registry",
    fields: { host: registry.host, username: "me", insecure: "true" },
    secrets: { password: "env:SECRET" },
  };
  const results = await check(right, { wrong: { secrets: { password: "env:OTHER" } }, tls: { fields: { insecure: "false" } } });
  assert.equal(results["right"], `ok logged in to ${registry.host} as me, with a token`);
  assert.match(results["wrong"] ?? "", /^2 connector-login/);
  assert.match(results["tls"] ?? "", /^3 connector-answer .* does not speak TLS/);
});

test("a git host is asked for a repository with the token", async () => {
  const server = await started(startGitServer());
  await server.commit("private/app", { "README.md": "hello" });
  env["TOKEN"] = gitToken;
  const right = { type: "git", fields: { url: `${server.url}/private`, repository: "app" }, secrets: { token: "env:TOKEN" } };
  const results = await check(right, {
    "wrong-token": { secrets: { token: "env:SECRET" } },
    gone: { fields: { repository: "nothing" } },
    refused: { fields: { url: `http://127.0.0.1:${await freePort()}` } },
    "no-host": { fields: { url: "http://nowhere.invalid" } },
  });
  assert.equal(results["right"], `ok read ${server.url}/private/app`);
  assert.match(results["wrong-token"] ?? "", /^2 connector-login .* the token is not taken/);
  assert.match(results["gone"] ?? "", /^3 connector-answer .* has no repository \/private\/nothing/);
  assert.match(results["refused"] ?? "", /^3 connector-unreachable/);
  assert.match(results["no-host"] ?? "", /^3 connector-unknown-host/);
});

test("an S3 service checks the signature of a request for a bucket, and for all of them", async () => {
  const s3 = await started(startS3());
  s3.bucket("site");
  Object.assign(env, { ID: s3.accessKey, KEY: s3.secretKey });
  const right = { type: "s3", fields: { endpoint: s3.url, bucket: "site" }, secrets: { accessKey: "env:ID", secretKey: "env:KEY" } };
  await addConnector({ env, cwd: root }, { name: "all", type: "s3", fields: { endpoint: s3.url }, secrets: right.secrets });
  const results = await check(right, {
    "wrong-key": { secrets: { secretKey: "env:SECRET" } },
    "wrong-id": { secrets: { accessKey: "env:SECRET" } },
    "no-bucket": { fields: { bucket: "nothing" } },
  });
  const { host } = new URL(s3.url);
  assert.equal(results["right"], `ok listed the bucket site at ${host}`);
  assert.equal(results["all"], `ok logged in to ${host}`);
  assert.match(results["wrong-key"] ?? "", /^2 connector-login .* the access key does not belong to its id/);
  assert.match(results["wrong-id"] ?? "", /^2 connector-login .* does not know the access key's id/);
  assert.match(results["no-bucket"] ?? "", /^3 connector-answer .* has no bucket nothing/);
});

test("ssh logs in where the host's key is known and the own one is taken", async () => {
  const server = await started(startSshd());
  writeFileSync(join(root, "key"), server.key);
  writeFileSync(join(root, "other"), server.otherKey);
  writeFileSync(join(root, "broken"), "no key at all");
  const known = (key: string): string => `[127.0.0.1]:${server.port} ${key}`;
  const right = {
    type: "ssh",
    fields: { host: "127.0.0.1", port: String(server.port), user: userInfo().username, knownHosts: known(server.hostKey) },
    secrets: { key: "file:key" },
  };
  const results = await check(right, {
    "other-key": { secrets: { key: "file:other" } },
    "no-key": { secrets: { key: "file:broken" } },
    changed: { fields: { knownHosts: known(server.strangerKey) } },
    unknown: { fields: { knownHosts: `elsewhere ${server.hostKey}` } },
    refused: { fields: { port: String(await freePort()) } },
    "no-host": { fields: { host: "nowhere.invalid" } },
  });
  assert.equal(results["right"], `ok logged in to 127.0.0.1 as ${userInfo().username}`);
  assert.match(results["other-key"] ?? "", /^2 connector-login .* is not taken \(Put its public half into/);
  assert.match(results["no-key"] ?? "", /^2 connector-login .* no private key that ssh can read/);
  assert.match(results["changed"] ?? "", /^2 connector-host-key .* shows another key than the one that is known/);
  assert.match(results["unknown"] ?? "", /^2 connector-host-key The key of .* is not known/);
  assert.match(results["refused"] ?? "", /^3 connector-unreachable/);
  assert.match(results["no-host"] ?? "", /^3 connector-unknown-host/);
});

test("a cluster is asked with the kubeconfig, or with server and token, whether it knows the account", async () => {
  const cluster = await started(startCluster());
  const kubeconfig = (token: string, name = "x"): string =>
    JSON.stringify({
      clusters: [{ name: "c", cluster: { server: cluster.url, "certificate-authority-data": Buffer.from(pem("ca")).toString("base64") } }],
      users: [{ name: "u", user: { token } }],
      contexts: [{ name, context: { cluster: "c", user: "u" } }],
      "current-context": "x",
    });
  writeFileSync(join(root, "kube"), kubeconfig("the right secret"));
  writeFileSync(join(root, "old"), kubeconfig("expired secret"));
  writeFileSync(join(root, "lost"), kubeconfig("the right secret", "y"));
  writeFileSync(join(root, "broken"), "{{ the right secret");
  const parts = { type: "kubernetes", fields: { server: cluster.url, ca: pem("ca") }, secrets: { token: "env:SECRET" } };
  await addConnector({ env, cwd: root }, { name: "parts", ...parts });
  await addConnector({ env, cwd: root }, { name: "anonymous", ...parts, secrets: { token: "file:broken" } });
  const results = await check(
    { type: "kubernetes", secrets: { kubeconfig: "file:kube" } },
    {
      old: { secrets: { kubeconfig: "file:old" } },
      lost: { secrets: { kubeconfig: "file:lost" } },
      context: { secrets: { kubeconfig: "file:lost" }, fields: { context: "y" } },
      broken: { secrets: { kubeconfig: "file:broken" } },
    },
  );
  const { host } = new URL(cluster.url);
  for (const name of ["right", "parts", "context"]) assert.equal(results[name], `ok logged in to ${host}, Kubernetes v1.33.4`, name);
  for (const name of ["old", "anonymous"]) assert.match(results[name] ?? "", /^2 connector-login .* does not know the account/);
  assert.match(results["lost"] ?? "", /^2 bad-kubeconfig .* has no context "x"/);
  assert.match(results["broken"] ?? "", /^2 bad-kubeconfig .* cannot be read: it is no YAML with fields/);
});

/** What every cluster says to who asks for these two: what is wrong with a token is 401, whatever is asked. */
function startCluster(): Promise<WebService> {
  const files = { cert: pem("service"), key: readFileSync(join(base, "service-key.pem"), "utf8") };
  return startWebService(({ method, url, headers }) => {
    if (headers.authorization !== undefined && headers.authorization !== "Bearer the right secret") return { status: 401 };
    if (url === "/version") return { body: JSON.stringify({ gitVersion: "v1.33.4" }) };
    if (method !== "POST" || url !== "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews") return { status: 404 };
    return headers.authorization === undefined ? { status: 403 } : { status: 201, body: "{}" };
  }, files);
}

test("a webhook is asked with its token, and a message is signed", async () => {
  const key = "the signing key";
  const service = await started(
    startWebService(({ method, url, headers, body }) => {
      if (url === "/gone") return { status: 404 };
      if (method === "POST")
        return { status: headers["x-hub-signature-256"] === `sha256=${createHmac("sha256", key).update(body).digest("hex")}` ? 204 : 401 };
      return { status: method === "HEAD" ? 405 : headers.authorization === "Bearer the right secret" ? 200 : 403 };
    }),
  );
  Object.assign(env, { SIGNING: key, HOOK: `${service.url}/hooks/abcdef`, BAD: "not an address" });
  const right = { type: "webhook", fields: { checkMethod: "GET" }, secrets: { url: "env:HOOK", token: "env:SECRET" } };
  const results = await check(right, {
    signed: { fields: { checkMethod: "POST" }, secrets: { signingKey: "env:SIGNING" } },
    unsigned: { fields: { checkMethod: "POST" } },
    head: { fields: { checkMethod: "HEAD" } },
    "wrong-token": { secrets: { token: "env:SIGNING" } },
    gone: { fields: { checkUrl: `${service.url}/gone` } },
    bad: { secrets: { url: "env:BAD" } },
  });
  const { host } = new URL(service.url);
  assert.equal(results["right"], `ok reached ${host} with GET`);
  assert.equal(results["signed"], `ok reached ${host} with POST`);
  assert.match(results["unsigned"] ?? "", /^2 connector-login/);
  assert.match(results["head"] ?? "", /^3 connector-answer .* takes no HEAD there/);
  assert.match(results["wrong-token"] ?? "", /^2 connector-login/);
  assert.match(results["gone"] ?? "", /^3 connector-answer .* has nothing at this address/);
  assert.match(results["bad"] ?? "", /^2 bad-connector The address of the connector bad is no URL/);
});

test("what never answers is given up, for every type that can be", async () => {
  const sockets = new Set<Socket>();
  const silent = await new Promise<TcpServer>((resolve) => {
    const server = createTcpServer((socket) => void sockets.add(socket.on("error", () => undefined))).listen(0, "127.0.0.1", () =>
      resolve(server),
    );
  });
  stops.push(async () => {
    silent.close();
    for (const socket of sockets) socket.destroy();
  });
  const { port } = silent.address() as { port: number };
  const host = `127.0.0.1:${port}`;
  const at = `http://${host}`;
  const add = (name: string, type: string, fields: NewConnector["fields"], secrets: NewConnector["secrets"]): Promise<unknown> =>
    addConnector({ env, cwd: root }, { name, type, fields: fields ?? {}, secrets: secrets ?? {} });
  await add("registry", "registry", { host, username: "me" }, { password: "env:SECRET" });
  await add("git", "git", { url: at }, { token: "env:SECRET" });
  await add("s3", "s3", { endpoint: at }, { accessKey: "env:SECRET", secretKey: "env:SECRET" });
  await add("ssh", "ssh", { host: "127.0.0.1", port: String(port), knownHosts: "a b c" }, { key: "env:SECRET" });
  await add("hook", "webhook", { url: at }, {});
  const checked = await checkConnectors({ env, cwd: root, names: [], timeout: 500 });
  assert.deepEqual(
    checked.map(({ problem }) => `${problem?.exit} ${problem?.diagnostic.code}`),
    checked.map(() => "3 connector-timeout"),
  );
  const stopped = checkConnectors({ env, cwd: root, names: ["hook"], signal: AbortSignal.abort() });
  await assert.rejects(stopped, (error: { exit?: number }) => error.exit === 130);
});
