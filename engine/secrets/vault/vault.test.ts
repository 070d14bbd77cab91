// Secrets of a real Vault server: both versions of its store, logins, and everything that it can refuse.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { UserError } from "../../../compiler/index.ts";
import { makeAuthority, makeCertificate } from "../../../test/support/certificates.ts";
import { freePort } from "../../../test/support/server.ts";
import { startVault, type VaultServer } from "../../../test/support/vault.ts";
import { startWebService } from "../../../test/support/web-service.ts";
import { parseSecrets, secretReader } from "../sources.ts";

const base = mkdtempSync(join(tmpdir(), "vault-test-"));
let vault: VaultServer;
let env: Record<string, string>;

before(async () => {
  vault = await startVault();
  await vault.call("POST", "secret/data/web/deploy", { data: { token: "the value", port: 8080, "with spaces": "x" } });
  await vault.call("POST", "old/plain", { token: "an old value" });
  await vault.call("POST", "secret/data/gone", { data: { token: "x" } });
  await vault.call("DELETE", "secret/data/gone");
  env = { VAULT_ADDR: vault.url, VAULT_TOKEN: vault.rootToken, HOME: base };
});
after(async () => {
  await vault?.stop();
  rmSync(base, { recursive: true, force: true });
});

/** What a reference gives, as text. */
async function read(reference: string, vars: Record<string, string> = env): Promise<string> {
  const value = await secretReader(parseSecrets([`x=${reference}`], base), { env: vars, cwd: base })("x");
  return Buffer.from(value ?? "").toString("utf8");
}

/** `exit code: message` of the one finding. */
async function failure(reference: string, vars: Record<string, string> = env): Promise<string> {
  const error = await read(reference, vars).then(
    (value) => assert.fail(`it gives ${value}`),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof UserError, String(error));
  const [one] = error.diagnostics;
  assert.ok(one?.hint !== undefined, "a hint is missing");
  return `${error.exit} ${one.code}: ${one.message}`;
}

/** A token that may do what this policy says. */
async function tokenFor(policy: string): Promise<string> {
  await vault.call("PUT", "sys/policies/acl/own", { policy });
  const { auth } = (await vault.call("POST", "auth/token/create", { policies: ["own"] })) as { auth: { client_token: string } };
  return auth.client_token;
}

test("fields of both versions of the store come as they are, numbers as JSON", async () => {
  assert.equal(await read("vault:secret/web/deploy#token"), "the value");
  assert.equal(await read("vault:/secret/web/deploy#port"), "8080");
  assert.equal(await read("vault:secret/web/deploy#with spaces"), "x");
  assert.equal(await read("vault:old/plain#token"), "an old value");
});

test("a login that may read one path reads it, with a token, one of the home, or an AppRole", async () => {
  const token = await tokenFor('path "secret/data/web/*" { capabilities = ["read"] }');
  const own = { VAULT_ADDR: vault.url, HOME: base };
  assert.equal(await read("vault:secret/web/deploy#token", { ...own, VAULT_TOKEN: token }), "the value");
  writeFileSync(join(base, ".vault-token"), `${token}\n`);
  assert.equal(await read("vault:secret/web/deploy#token", own), "the value");
  rmSync(join(base, ".vault-token"));
  assert.match(await failure("vault:secret/web/deploy#token", own), /^2 vault-not-set: .* no login for it/);

  await vault.call("POST", "sys/auth/approle", { type: "approle" });
  await vault.call("POST", "auth/approle/role/ci", { token_policies: "own" });
  const role = (await vault.call("GET", "auth/approle/role/ci/role-id")) as { data: { role_id: string } };
  const secret = (await vault.call("POST", "auth/approle/role/ci/secret-id", {})) as { data: { secret_id: string } };
  const login = { ...own, VAULT_ROLE_ID: role.data.role_id, VAULT_SECRET_ID: secret.data.secret_id };
  assert.equal(await read("vault:secret/web/deploy#token", login), "the value");
  assert.match(
    await failure("vault:secret/web/deploy#token", { ...login, VAULT_SECRET_ID: "wrong" }),
    /^2 vault-login: .* refuses the AppRole: invalid/,
  );
  assert.match(await failure("vault:secret/web/deploy#token", { ...login, VAULT_APPROLE_PATH: "elsewhere" }), /^2 vault-login: /);
});

test("a path, a version and a field that there is not are told, each with what to do", async () => {
  assert.match(
    await failure("vault:secret/web/nothing#token"),
    /^2 vault-not-found: .* has no secret secret\/web\/nothing: nothing is kept there/,
  );
  assert.match(await failure("vault:nowhere/web#token"), /^2 vault-(not-found|denied): /);
  assert.match(await failure("vault:secret/gone#token"), /^2 vault-not-found: .*: its newest version was deleted/);
  assert.match(await failure("vault:secret/web/deploy#tokn"), /^2 vault-not-found: .* has no field "tokn"/);
  for (const wrong of ["vault:secret", "vault:secret/web", "vault:secret#x", "vault:secret/../sys#x"])
    assert.match(await failure(wrong), /^2 bad-vault-reference: /, wrong);
});

test("a token that may not read a path is told from one that has expired", async () => {
  const other = await tokenFor('path "secret/data/other" { capabilities = ["read"] }');
  assert.match(
    await failure("vault:secret/web/deploy#token", { ...env, VAULT_TOKEN: other }),
    /^2 vault-denied: .* does not let this login read secret\/web\/deploy/,
  );
  await vault.call("POST", "auth/token/revoke", { token: other });
  assert.match(await failure("vault:secret/web/deploy#token", { ...env, VAULT_TOKEN: other }), /^2 vault-token: /);
});

test("a server that is sealed, is not there or is no Vault is told", async () => {
  await vault.call("PUT", "sys/seal");
  assert.match(await failure("vault:secret/web/deploy#token"), /^3 vault-sealed: The Vault server .* is sealed/);
  await vault.unseal();
  assert.equal(await read("vault:secret/web/deploy#token"), "the value");
  assert.match(
    await failure("vault:secret/a#x", { ...env, VAULT_ADDR: `http://127.0.0.1:${await freePort()}` }),
    /^3 vault-unreachable: .* cannot be reached: .*ECONNREFUSED/,
  );
  assert.match(await failure("vault:secret/a#x", { ...env, VAULT_ADDR: "vault" }), /^2 vault-not-set: /);
  assert.match(await failure("vault:secret/a#x", { HOME: base }), /^2 vault-not-set: .*VAULT_ADDR is not set/);
  const other = await startWebService(() => ({ body: "<html>hello</html>" }));
  try {
    assert.match(
      await failure("vault:secret/a#x", { ...env, VAULT_ADDR: other.url, VAULT_NAMESPACE: "team/web" }),
      /^3 vault-unreachable: .* no answer that Vault gives/,
    );
    assert.equal(other.received[0]?.headers["x-vault-namespace"], "team/web");
  } finally {
    await other.stop();
  }
});

test("a server with a certificate of one's own is trusted by VAULT_CACERT alone", async () => {
  await makeAuthority(base, "ca");
  await makeCertificate(base, "ca", "server", { names: "IP:127.0.0.1" });
  const files = { cert: join(base, "server.pem"), key: join(base, "server-key.pem"), ca: join(base, "ca.pem") };
  const secure = await startVault(files);
  try {
    await secure.call("POST", "secret/data/a", { data: { x: "over TLS" } });
    const own = { VAULT_ADDR: secure.url, VAULT_TOKEN: secure.rootToken, HOME: base };
    assert.equal(await read("vault:secret/a#x", { ...own, VAULT_CACERT: "ca.pem" }), "over TLS");
    assert.match(await failure("vault:secret/a#x", own), /^3 vault-certificate: /);
    assert.match(
      await failure("vault:secret/a#x", { ...own, VAULT_CACERT: "no-such.pem" }),
      /^2 vault-not-set: Cannot read the file of VAULT_CACERT/,
    );
  } finally {
    await secure.stop();
  }
});

test("one login serves all secrets of a run, and a path is asked for once", async () => {
  const asked: string[] = [];
  const service = await startWebService(({ url }) => {
    asked.push(url);
    if (url.endsWith("/login")) return { body: JSON.stringify({ auth: { client_token: "t" } }) };
    if (url.includes("/mounts/")) return { body: JSON.stringify({ data: { path: "secret/", options: { version: "2" } } }) };
    return { body: JSON.stringify({ data: { data: { a: "1", b: "2" } } }) };
  });
  try {
    const sources = parseSecrets(["one=vault:secret/x#a", "two=vault:secret/x#b"], base);
    const reader = secretReader(sources, { env: { VAULT_ADDR: service.url, VAULT_ROLE_ID: "r" }, cwd: base });
    const values = await Promise.all([reader("one"), reader("two"), reader("one")]);
    assert.deepEqual(
      values.map((value) => Buffer.from(value ?? "").toString()),
      ["1", "2", "1"],
    );
    assert.deepEqual(asked, ["/v1/auth/approle/login", "/v1/sys/internal/ui/mounts/secret/x", "/v1/secret/data/x"]);
  } finally {
    await service.stop();
  }
});
