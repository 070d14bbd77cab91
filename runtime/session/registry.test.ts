// Logins at real registries: basic auth over TLS, tokens of a token server, helpers, and what is said when they are refused.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { startBuildkitd, type TestDaemon } from "../../test/support/buildkitd.ts";
import { makeAuthority, makeCertificate } from "../../test/support/certificates.ts";
import { failureOf } from "../../test/support/failures.ts";
import { busyboxLayout, type TestLayout } from "../../test/support/images.ts";
import { sessionServices } from "../../test/support/jobs.ts";
import { definition, file as fileNode, layoutImage, mkfile, shell } from "../../test/support/llb.ts";
import { startRegistry, type TestRegistry } from "../../test/support/registry.ts";
import { startTokenServer, type TokenServer } from "../../test/support/token-server.ts";
import { type Client, connect } from "../solve/index.ts";
import { dockerAuth, withLogins } from "./index.ts";
import type { RegistryAuth } from "./services.ts";

const base = fs.mkdtempSync(path.join(os.tmpdir(), "dagger-logins-"));
const login = { username: "me", password: "pass word" };
const platform = { os: "linux", architecture: process.arch === "x64" ? "amd64" : process.arch };
let secure: TestRegistry;
let untrusted: TestRegistry;
let tokens: TokenServer;
let guarded: TestRegistry;
let daemon: TestDaemon;
let client: Client;
let layout: TestLayout;

before(async () => {
  layout = await busyboxLayout();
  await makeAuthority(base, "ca");
  await makeCertificate(base, "ca", "registry", { names: "IP:127.0.0.1" });
  const tls = { cert: path.join(base, "registry.pem"), key: path.join(base, "registry-key.pem") };
  secure = await startRegistry({ tls, login });
  untrusted = await startRegistry({ tls, login });
  await makeAuthority(base, "issuer");
  tokens = await startTokenServer(path.join(base, "issuer.pem"), path.join(base, "issuer-key.pem"), login);
  guarded = await startRegistry({
    token: { realm: tokens.realm, service: "the-registry", issuer: "test", bundle: path.join(base, "issuer.pem") },
  });
  for (const [registry, credentials] of [
    [secure, ["--dest-creds", `${login.username}:${login.password}`]],
    [guarded, ["--dest-creds", `${login.username}:${login.password}`]],
  ] as const)
    await promisify(execFile)("skopeo", [
      "copy",
      "-q",
      "--preserve-digests",
      "--dest-tls-verify=false",
      ...credentials,
      `oci:${layout.dir}:latest`,
      `docker://${registry.host}/busybox:1`,
    ]);
  const config = [
    `[registry."${secure.host}"]\nhttp = false\nca = ["${path.join(base, "ca.pem")}"]`,
    `[registry."${untrusted.host}"]\nhttp = false`,
    `[registry."${guarded.host}"]\nhttp = true\n`,
  ].join("\n");
  daemon = await startBuildkitd({ config });
  client = await connect(daemon.address);
});
after(async () => {
  client.close();
  await daemon.stop();
  await tokens.stop();
  for (const registry of [secure, untrusted, guarded]) await registry.stop();
  fs.rmSync(base, { recursive: true, force: true });
});

let configs = 0;
/** The logins of a docker configuration with these contents. */
function configured(config: object, env: Record<string, string> = {}): RegistryAuth {
  const dir = path.join(base, `docker-${configs++}`);
  fs.mkdirSync(dir);
  fs.writeFileSync(path.join(dir, "config.json"), JSON.stringify(config));
  return dockerAuth({ DOCKER_CONFIG: dir, PATH: process.env["PATH"], ...env });
}

const basic = ({ username, password }: typeof login): string => Buffer.from(`${username}:${password}`).toString("base64");

/** Pulls `ref` by running a step in it; `tag` makes the step another one. */
async function resolve(auth: RegistryAuth, ref: string): Promise<string> {
  const build = await client.build({ session: sessionServices(layout, { auth }), exporters: [], record: false, onStatus: () => {} });
  try {
    return (await build.resolveImageConfig(ref, platform, "pull")).digest;
  } finally {
    await build.abort();
  }
}

test("a registry with basic auth over TLS takes the login of docker's config, of a helper, and of the job", async () => {
  const ref = `${secure.host}/busybox:1`;
  assert.equal(await resolve(configured({ auths: { [secure.host]: { auth: basic(login) } } }), ref), layout.digest);
  const helper = path.join(base, "docker-credential-mine");
  fs.writeFileSync(helper, `#!/bin/sh\necho '{"Username":"${login.username}","Secret":"${login.password}"}'\n`, { mode: 0o755 });
  const helped = configured({ credHelpers: { [secure.host]: "mine" } }, { PATH: `${base}:${process.env["PATH"]}` });
  assert.equal(await resolve(helped, ref), layout.digest);
  const wrong = configured({ auths: { [secure.host]: { auth: basic({ ...login, password: "x" }) } } });
  const refused = await failureOf(resolve(wrong, ref));
  assert.deepEqual([refused.exit, refused.diagnostics[0]?.code], [1, "image-unavailable"]);
  const own = withLogins(wrong, async (host) => (host === secure.host ? { username: login.username, secret: login.password } : undefined));
  assert.equal(await resolve(own, ref), layout.digest);
});

test("a registry whose certificate the daemon does not know is told from a missing image", async () => {
  const error = await failureOf(resolve(configured({}), `${untrusted.host}/busybox:1`));
  assert.equal(error.diagnostics[0]?.code, "image-unavailable");
  assert.match(error.message, /certificate/);
});

test("Docker Hub's names mean one login", async () => {
  const asked: string[] = [];
  const auth = withLogins(configured({}), async (host) => {
    asked.push(host);
    return undefined;
  });
  await auth.credentials("registry-1.docker.io");
  await auth.credentials("ghcr.io");
  assert.deepEqual(asked, ["docker.io", "ghcr.io"]);
});

test("tokens are fetched on this side: by POST, by GET where there is none, with an identity token, or not at all", async () => {
  const ref = `${guarded.host}/busybox:1`;
  const auths = (entry: object, env: Record<string, string> = {}): RegistryAuth => configured({ auths: { [guarded.host]: entry } }, env);
  const asked = async (auth: RegistryAuth): Promise<string[]> => {
    tokens.requests.length = 0;
    assert.equal(await resolve(auth, ref), layout.digest);
    return [...new Set(tokens.requests)];
  };
  // A proxy in the environment changes nothing: it is used for what it is meant for.
  assert.deepEqual(await asked(auths({ auth: basic(login) }, { HTTPS_PROXY: "http://127.0.0.1:1" })), ["ours POST password"]);
  tokens.post = false;
  assert.deepEqual(await asked(auths({ auth: basic({ ...login, username: "me" }), email: "another" })), [
    "ours POST password",
    "ours GET basic",
  ]);
  tokens.post = true;
  assert.deepEqual(await asked(auths({ identitytoken: "the-identity" })), ["ours POST refresh_token"]);
  assert.deepEqual(await asked(auths({ registrytoken: tokens.issue(["repository:busybox:pull"]) })), []);
  const daemons = await asked(auths({ auth: basic(login) }, { BUILDKIT_NO_CLIENT_TOKEN: "1" }));
  assert.ok(daemons.length > 0 && daemons.every((request) => request.startsWith("daemon")), String(daemons));
});

test("a refused token says who refused it, and no token server ends a build that does not need it", async () => {
  const wrong = configured({ auths: { [guarded.host]: { auth: basic({ ...login, password: "x" }) } } });
  const refused = await failureOf(resolve(wrong, `${guarded.host}/busybox:1`));
  assert.deepEqual([refused.exit, refused.diagnostics[0]?.code], [3, "registry-token"]);
  assert.match(refused.message, /^Cannot get a token for busybox:pull at 127.0.0.1:\d+: 127.0.0.1:\d+ refuses the login$/);
  const cache = { imports: [{ type: "registry", attrs: { ref: `${guarded.host}/cache:1` } }] };
  const build = await client.build({
    session: sessionServices(layout, { auth: wrong }),
    cache,
    exporters: [],
    record: false,
    onStatus: () => {},
  });
  const failed = await failureOf(build.finish(definition(shell(layoutImage("busybox", layout.digest), "exit 7"))));
  assert.match(failed.message, /exit code: 7/);
  const fine = await client.build({
    session: sessionServices(layout, { auth: wrong }),
    cache,
    exporters: [],
    record: false,
    onStatus: () => {},
  });
  await fine.finish(definition(fileNode(undefined, [mkfile("/a", "a")])));
});
