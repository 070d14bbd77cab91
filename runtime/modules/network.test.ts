// Modules over networks as they are: proxies, busy registries, connections that break, tokens, helpers, logins made by cue.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import fs from "node:fs";
import http from "node:http";
import type net from "node:net";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { UserError } from "../../compiler/diagnostic.ts";
import { cue, moduleText, writeTree } from "../../test/support/cue.ts";
import { type HttpProxy, startHttpProxy } from "../../test/support/http-proxy.ts";
import { startRegistry, type TestRegistry } from "../../test/support/registry.ts";
import { makeZip } from "../../test/support/zip.ts";
import { createEvaluator, type Evaluator, readSource } from "../cue/index.ts";
import { openModules } from "./index.ts";

const login = { username: "ann", password: "secret" };
const basic = Buffer.from(`${login.username}:${login.password}`).toString("base64");
const work = fs.mkdtempSync(path.join(os.tmpdir(), "modules-network-"));
const repository = path.join(import.meta.dirname, "../..");
const noise = Array.from({ length: 4000 }, (_, i) => `x${i}: "${(i * 2654435761) % 4294967296}"`).join("\n");
let open: TestRegistry;
let closed: TestRegistry;
let evaluator: Evaluator;
let main: string;

let count = 0;
const fresh = (): string => path.join(work, `d${++count}`);

function envFor(host: string, more: Record<string, string> = {}): Record<string, string> {
  return { HOME: path.join(work, "home"), PATH: process.env["PATH"] ?? "", CUE_REGISTRY: host, CUE_CACHE_DIR: fresh(), ...more };
}

before(async () => {
  [open, closed] = await Promise.all([startRegistry(), startRegistry({ login })]);
  evaluator = await createEvaluator({ wasm: path.join(repository, "dist/cue.wasm"), follow: [] });
  const lib = writeTree(fresh(), { "cue.mod/module.cue": moduleText("example.com/lib@v0"), "a.cue": `package lib\na: 1\n${noise}` });
  await cue(lib, envFor(open.host), "mod", "publish", "v0.1.0");
  const docker = writeTree(fresh(), { "config.json": JSON.stringify({ auths: { [closed.host]: { auth: basic } } }) });
  await cue(lib, envFor(closed.host, { DOCKER_CONFIG: docker }), "mod", "publish", "v0.1.0");
  main = writeTree(fresh(), {
    "cue.mod/module.cue": moduleText("example.com/main@v0", { "example.com/lib@v0": "v0.1.0" }),
    "a.cue": 'package main\nimport "example.com/lib"\na: lib.a',
  });
});
after(async () => {
  await evaluator.close();
  await Promise.all([open.stop(), closed.stop()]);
  execFileSync("chmod", ["-R", "u+w", work]);
  fs.rmSync(work, { recursive: true, force: true });
});

async function load(env: Record<string, string>, patience?: number): Promise<unknown> {
  const { resolver } = openModules({ env, evaluator, ...(patience !== undefined && { patience }) });
  const source = await readSource(evaluator, ".", { cwd: main, library: path.join(repository, "packages"), modules: resolver });
  return (await evaluator.load(source)).exportJson();
}

async function failure(promise: Promise<unknown>): Promise<{ exit: number; code: string; text: string }> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof UserError) return { exit: error.exit, code: error.diagnostics[0]?.code ?? "", text: error.message };
    throw error;
  }
  throw new Error("it was accepted");
}

interface Front {
  readonly host: string;
  /** Method and path of each request, with the range that it asked for. */
  readonly requests: string[];
  stop(): Promise<void>;
}

/** Passes a request on to the real registry. */
type Pass = () => Promise<{ status: number; headers: Record<string, string>; body: Buffer }>;

/** A server of its own in front of the real registry. */
async function front(
  answer: (request: http.IncomingMessage, response: http.ServerResponse, pass: Pass) => Promise<void> | void,
): Promise<Front> {
  const requests: string[] = [];
  const server = http.createServer((request, response) => {
    requests.push(`${request.method} ${request.url}${request.headers.range === undefined ? "" : ` ${request.headers.range}`}`);
    const pass: Pass = async () => {
      const { accept = "*/*", range } = request.headers;
      const real = await fetch(`http://${open.host}${request.url}`, { headers: { accept, ...(range !== undefined && { range }) } });
      const kept = ["content-type", "content-range"].flatMap((name) => {
        const value = real.headers.get(name);
        return value === null ? [] : [[name, value] as const];
      });
      return { status: real.status, headers: Object.fromEntries(kept), body: Buffer.from(await real.arrayBuffer()) };
    };
    Promise.resolve(answer(request, response, pass)).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { host: `127.0.0.1:${(server.address() as net.AddressInfo).port}`, requests, stop };
}

async function passOn(response: http.ServerResponse, pass: Pass): Promise<void> {
  const { status, headers, body } = await pass();
  response.writeHead(status, { ...headers, "content-length": body.length }).end(body);
}

test("a registry is asked through the proxy of the environment, which alone knows its name", async () => {
  const proxy: HttpProxy = await startHttpProxy({ hosts: { "registry.example": open.host }, login: "me:p@ss" });
  try {
    const setting = "registry.example:6000+insecure";
    assert.deepEqual(await load(envFor(setting, { HTTP_PROXY: `http://me:p%40ss@${proxy.host}` })), { a: 1 });
    assert.ok(proxy.requests.length > 0);
    assert.ok(
      proxy.requests.every((line) => line.startsWith("GET http://registry.example:6000/v2/example.com/lib/")),
      proxy.requests[0],
    );
    const refused = await failure(load(envFor(setting, { HTTP_PROXY: `http://${proxy.host}` })));
    assert.equal(`${refused.exit} ${refused.code}`, "3 module-registry");
    assert.match(refused.text, /407/);
    const asked = proxy.requests.length;
    const direct = await failure(load(envFor(setting, { HTTP_PROXY: `http://${proxy.host}`, NO_PROXY: ".example" })));
    assert.equal(`${direct.exit} ${direct.code} ${proxy.requests.length - asked}`, "3 module-registry 0");
    assert.equal((await failure(load(envFor(setting, { HTTP_PROXY: "socks5://x:1" })))).code, "bad-proxy");
  } finally {
    await proxy.stop();
  }
});

for (const status of [429, 503])
  test(`a registry that answers ${status} is asked again when it says so`, async () => {
    const seen = new Set<string>();
    const registry = await front(async (request, response, pass) => {
      if (seen.has(request.url ?? "")) return passOn(response, pass);
      seen.add(request.url ?? "");
      response.writeHead(status, { "retry-after": status === 429 ? "0" : new Date(Date.now() - 1000).toUTCString() }).end("busy");
    });
    try {
      assert.deepEqual(await load(envFor(registry.host)), { a: 1 });
      assert.equal(registry.requests.length, 2 * seen.size);
    } finally {
      await registry.stop();
    }
  });

test("a registry that stays busy, or wants us back much later, is given up after a bounded number of requests", async () => {
  const busy = await front((_, response) => void response.writeHead(503, { "retry-after": "0" }).end());
  const later = await front((_, response) => void response.writeHead(429, { "retry-after": "3600" }).end());
  try {
    const first = await failure(load(envFor(busy.host)));
    assert.equal(`${first.exit} ${first.code} ${busy.requests.length}`, "3 module-registry 5");
    assert.match(first.text, /it answers with status 503, 5 times in a row$/);
    const second = await failure(load(envFor(later.host)));
    assert.equal(`${second.exit} ${second.code} ${later.requests.length}`, "3 module-registry 1");
    assert.match(second.text, /asks to come back in 3600 s$/);
  } finally {
    await Promise.all([busy.stop(), later.stop()]);
  }
});

for (const ranges of [true, false])
  test(`a download whose connection breaks ${ranges ? "goes on where it broke off" : "starts anew where the registry knows no ranges"}`, async () => {
    let cuts = 0;
    const registry = await front(async (request, response, pass) => {
      if (!(request.url ?? "").includes("/blobs/")) return passOn(response, pass);
      if (!ranges) delete request.headers.range;
      const { status, headers, body } = await pass();
      response.writeHead(status, { ...headers, "content-length": body.length });
      if (body.length < 10_000 || cuts === 1) return void response.end(body);
      cuts++;
      response.write(body.subarray(0, 5000), () => setTimeout(() => response.destroy(), 50));
    });
    try {
      const env = envFor(registry.host);
      assert.deepEqual(await load(env), { a: 1 });
      assert.equal(cuts, 1);
      assert.equal(registry.requests.filter((line) => line.endsWith(" bytes=5000-")).length, 1, registry.requests.join("\n"));
      const names = fs.readdirSync(path.join(env["CUE_CACHE_DIR"] as string, "mod/download/example.com/lib/@v"));
      assert.deepEqual(names.sort(), ["v0.1.0.lock", "v0.1.0.mod", "v0.1.0.zip"]);
    } finally {
      await registry.stop();
    }
  });

test("a download that always breaks is given up, and leaves nothing half done in the cache", async () => {
  const registry = await front(async (request, response, pass) => {
    const { status, headers, body } = await pass();
    if (!(request.url ?? "").includes("/blobs/") || body.length < 1000) return void response.writeHead(status, headers).end(body);
    response.writeHead(status, { ...headers, "content-length": body.length });
    response.write(body.subarray(0, 10), () => setTimeout(() => response.destroy(), 10));
  });
  try {
    const env = envFor(registry.host);
    const broken = await failure(load(env));
    assert.equal(`${broken.exit} ${broken.code}`, "3 module-registry");
    const names = fs.readdirSync(path.join(env["CUE_CACHE_DIR"] as string, "mod/download/example.com/lib/@v"));
    assert.deepEqual(names, ["v0.1.0.lock"]);
    assert.deepEqual(await load({ ...env, CUE_REGISTRY: open.host }), { a: 1 });
  } finally {
    await registry.stop();
  }
});

test("blobs may lie on another server, which does not get the login", async () => {
  let seen = "none";
  const store = await front(async (request, response, pass) => {
    seen = request.headers.authorization ?? "none";
    await passOn(response, pass);
  });
  const registry = await front(async (request, response, pass) => {
    if (request.headers.authorization !== `Basic ${basic}`)
      return void response.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end();
    if ((request.url ?? "").includes("/blobs/"))
      return void response.writeHead(307, { location: `http://${store.host}${request.url}` }).end();
    await passOn(response, pass);
  });
  try {
    const docker = writeTree(fresh(), { "config.json": JSON.stringify({ auths: { [registry.host]: { auth: basic } } }) });
    assert.deepEqual(await load(envFor(registry.host, { DOCKER_CONFIG: docker })), { a: 1 });
    assert.ok(store.requests.length > 0);
    assert.equal(seen, "none");
  } finally {
    await Promise.all([store.stop(), registry.stop()]);
  }
});

test("a credential helper's login, a bearer token and CUE_REGISTRY=simple: are taken", async () => {
  const bin = writeTree(fresh(), {
    "docker-credential-mine": `#!/bin/sh\necho '{"Username":"${login.username}","Secret":"${login.password}"}'\n`,
  });
  fs.chmodSync(path.join(bin, "docker-credential-mine"), 0o755);
  const docker = writeTree(fresh(), { "config.json": JSON.stringify({ credHelpers: { [closed.host]: "mine" } }) });
  const helped = { DOCKER_CONFIG: docker, PATH: `${bin}:${process.env["PATH"]}` };
  assert.deepEqual(await load(envFor(`simple:example.com=${closed.host},none`, helped)), { a: 1 });
  const broken = writeTree(fresh(), { "config.json": JSON.stringify({ credsStore: "absent" }) });
  assert.equal((await failure(load(envFor(closed.host, { DOCKER_CONFIG: broken })))).code, "credential-helper");
});

/** A registry that wants bearer tokens, gives them for the login, and is cue's login server at once. */
function tokenRegistry(valid: ReadonlySet<string>): Promise<Front> {
  return front(async (request, response, pass) => {
    const url = new URL(request.url ?? "", "http://x");
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const form = new URLSearchParams(Buffer.concat(chunks).toString());
    if (url.pathname === "/token") {
      const scope = form.get("scope") ?? "";
      const fine = form.get("username") === login.username && form.get("password") === login.password && scope !== "";
      return void response.writeHead(fine ? 200 : 401).end(JSON.stringify({ access_token: "from-docker" }));
    }
    if (url.pathname === "/login/oauth/token") {
      if (form.get("refresh_token") !== "again") return void response.writeHead(400).end("{}");
      return void response.writeHead(200).end(JSON.stringify({ access_token: "from-cue", refresh_token: "more", expires_in: 3600 }));
    }
    if (valid.has(request.headers.authorization ?? "")) return passOn(response, pass);
    const realm = `http://${request.headers.host}/token`;
    response.writeHead(401, { "www-authenticate": `Bearer realm="${realm}",service="test",scope="repository:example.com/lib:pull"` }).end();
  });
}

test("bearer tokens are fetched with docker's login, and refused ones are told", async () => {
  const registry = await tokenRegistry(new Set(["Bearer from-docker"]));
  try {
    const configured = (auth: string): Record<string, string> => ({
      DOCKER_CONFIG: writeTree(fresh(), { "config.json": JSON.stringify({ auths: { [registry.host]: { auth } } }) }),
    });
    assert.deepEqual(await load(envFor(registry.host, configured(basic))), { a: 1 });
    const wrong = await failure(load(envFor(registry.host, configured(Buffer.from("ann:wrong").toString("base64")))));
    assert.equal(`${wrong.exit} ${wrong.code}`, "3 registry-token");
  } finally {
    await registry.stop();
  }
});

test("a login made by cue is taken; when it has expired it is made anew once, and kept", async () => {
  const registry = await tokenRegistry(new Set(["Bearer from-cue", "Bearer current"]));
  const logins = (entry: object): string =>
    writeTree(fresh(), {
      "logins.json": JSON.stringify({ registries: { "other.example": { access_token: "o" }, [registry.host]: entry } }),
    });
  const past = new Date(Date.now() - 60_000).toISOString();
  try {
    const current = logins({ access_token: "current", token_type: "Bearer" });
    assert.deepEqual(await load(envFor(registry.host, { CUE_CONFIG_DIR: current })), { a: 1 });
    const expired = logins({ access_token: "old", refresh_token: "again", expiry: past });
    const env = { CUE_CONFIG_DIR: expired };
    const both = await Promise.all([load(envFor(registry.host, env)), load(envFor(registry.host, env))]);
    assert.deepEqual(both, [{ a: 1 }, { a: 1 }]);
    assert.equal(registry.requests.filter((line) => line.startsWith("POST /login")).length, 1);
    const file = path.join(expired, "logins.json");
    const kept = JSON.parse(fs.readFileSync(file, "utf8")) as { registries: Record<string, Record<string, string>> };
    assert.equal(fs.statSync(file).mode & 0o777, 0o600);
    assert.deepEqual(kept.registries["other.example"], { access_token: "o" });
    const { access_token, refresh_token, expiry = "" } = kept.registries[registry.host] ?? {};
    assert.deepEqual([access_token, refresh_token, Date.parse(expiry) > Date.now()], ["from-cue", "more", true]);
    for (const [entry, code] of [
      [{ access_token: "old", refresh_token: "revoked", expiry: past }, "module-login"],
      [{ access_token: "old", expiry: past }, "module-login"],
      [{ token_type: "Bearer" }, "bad-cue-logins"],
    ] as const)
      assert.equal((await failure(load(envFor(registry.host, { CUE_CONFIG_DIR: logins(entry) })))).code, code);
    const torn = writeTree(fresh(), { "logins.json": "{" });
    assert.equal((await failure(load(envFor(registry.host, { CUE_CONFIG_DIR: torn })))).code, "bad-cue-logins");
  } finally {
    await registry.stop();
  }
});

/** A registry with one module, made of these bytes. */
function handMade(zip: Buffer, moduleFile: string, spoil: { readonly size?: number } = {}): Promise<Front> {
  const digest = (bytes: Buffer | string): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: { mediaType: "application/vnd.cue.module.v1+json", digest: digest("{}"), size: 2 },
    layers: [
      { mediaType: "application/zip", digest: digest(zip), size: spoil.size ?? zip.length },
      { mediaType: "application/vnd.cue.modulefile.v1", digest: digest(moduleFile), size: Buffer.byteLength(moduleFile) },
    ],
  });
  return front(({ url = "" }, response) => {
    if (url.includes("/manifests/")) return void response.end(manifest);
    response.end(url.endsWith(digest(zip)) ? zip : moduleFile);
  });
}

for (const [what, entries, spoil, message] of [
  ["leads out of its directory", [{ name: "../../evil.cue", data: "x" }], {}, /cannot be unpacked/],
  ["is smaller than announced", [], { size: 10_000 }, /it sends only \d+ of 10000 bytes/],
  ["is larger than announced", [], { size: 10 }, /sends more than the 10 bytes/],
  ["is announced larger than any may be", [], { size: 501 << 20 }, /more than the 524288000 that are allowed/],
] as const)
  test(`a module whose archive ${what} is not used`, async () => {
    const text = moduleText("example.com/lib@v0");
    const own = [
      { name: "cue.mod/module.cue", data: text },
      { name: "a.cue", data: "package lib\na: 1" },
    ];
    const registry = await handMade(makeZip([...own, ...entries]), text, spoil);
    try {
      const env = envFor(registry.host);
      const refused = await failure(load(env));
      assert.equal(refused.exit, 3);
      assert.match(refused.text, message);
      const left = fs.readdirSync(path.join(env["CUE_CACHE_DIR"] as string, "mod"), { recursive: true }).map(String);
      assert.deepEqual(
        left.filter((name) => /\.zip|\.tmp|partial|\.cue$|evil/.test(name)),
        [],
      );
    } finally {
      await registry.stop();
    }
  });

test("a module that asks for a newer CUE is refused at its line, with what to do", async () => {
  const text = moduleText("example.com/lib@v0", {}, "v0.99.0");
  const registry = await handMade(
    makeZip([
      { name: "cue.mod/module.cue", data: text },
      { name: "a.cue", data: "package lib\na: 1" },
    ]),
    text,
  );
  try {
    const error: unknown = await load(envFor(registry.host)).then(
      () => assert.fail("it was accepted"),
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof UserError);
    const [first] = error.diagnostics;
    assert.equal(error.exit, 2);
    assert.match(first?.message ?? "", /Language version v0\.99\.0 is newer than the CUE in this program/);
    assert.match(first?.at[0]?.file ?? "", /example\.com\/lib@v0\.1\.0\/cue\.mod\/module\.cue$/);
    assert.equal(first?.at[0]?.line, 2);
    assert.match(
      first?.hint ?? "",
      /Take another version of example\.com\/lib@v0\.1\.0: dagger mod get example\.com\/lib@VERSION; or a newer dagger/,
    );
  } finally {
    await registry.stop();
  }
});
