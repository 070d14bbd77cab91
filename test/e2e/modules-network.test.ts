// Modules as whole commands meet them: a diamond of thirty, two commands at once on an empty cache, TLS through a proxy, and no network.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { makeAuthority, makeCertificate } from "../support/certificates.ts";
import { cue, moduleText, writeTree } from "../support/cue.ts";
import { startHttpProxy } from "../support/http-proxy.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";
import { type Outcome, runDagger } from "./dagger.ts";

const work = fs.mkdtempSync(join(tmpdir(), "e2e-modules-"));
const width = 14;
let registry: TestRegistry;
let secure: TestRegistry;
let app: string;

function envFor(cache: string, more: Record<string, string> = {}): Record<string, string> {
  const home = join(work, "home");
  return {
    PATH: process.env["PATH"] ?? "",
    HOME: home,
    NO_COLOR: "1",
    CUE_REGISTRY: registry.host,
    CUE_CACHE_DIR: join(work, cache),
    ...more,
  };
}

/** Publishes one module that takes the sum of others; `needed` are what these need, which cue wants listed. */
async function publish(name: string, summed: readonly string[], needed: readonly string[], env: Record<string, string>): Promise<void> {
  const deps = [...summed, ...needed];
  const imports = summed.map((dep) => `import "example.com/${dep}"\n`).join("");
  const dir = writeTree(join(work, "src", name), {
    "cue.mod/module.cue": moduleText(`example.com/${name}@v0`, Object.fromEntries(deps.map((dep) => [`example.com/${dep}@v0`, "v0.1.0"]))),
    "a.cue": `package ${name}\n${imports}n: ${["1", ...summed.map((dep) => `${dep}.n`)].join(" + ")}\n`,
  });
  await cue(dir, env, "mod", "publish", "v0.1.0");
}

before(async () => {
  await makeAuthority(work, "ca");
  await makeCertificate(work, "ca", "registry", { names: "DNS:registry.example,IP:127.0.0.1" });
  const tls = { cert: join(work, "registry.pem"), key: join(work, "registry-key.pem") };
  [registry, secure] = await Promise.all([startRegistry(), startRegistry({ tls })]);
  const env = envFor("publish");
  // One at the bottom, two layers of which each module needs several of the one below, one on top: thirty.
  const low = Array.from({ length: width }, (_, i) => `low${i}`);
  const high = Array.from({ length: width }, (_, i) => `high${i}`);
  await publish("bottom", [], [], env);
  await Promise.all(low.map((name) => publish(name, ["bottom"], [], env)));
  await Promise.all(high.map((name, i) => publish(name, [`low${i}`, `low${(i + 1) % width}`, "bottom"], [], env)));
  await publish("top", high, [...low, "bottom"], env);
  await publish("bottom", [], [], { ...env, CUE_REGISTRY: `${secure.host}+secure`, SSL_CERT_FILE: join(work, "ca.pem") });
  app = writeTree(join(work, "app"), {
    "cue.mod/module.cue": moduleText("example.com/app@v0", { "example.com/top@v0": "v0.1.0" }),
    "a.cue":
      'package app\n\nimport "example.com/top"\n\nout: {\n\tstring\n\t#up: [{do: "write-file", dest: "/n", content: "n is \\(top.n)"}, {do: "export", source: "/n"}]\n}\n',
  });
});
after(async () => {
  await Promise.all([registry?.stop(), secure?.stop()]);
  execFileSync("chmod", ["-R", "u+w", work]);
  fs.rmSync(work, { recursive: true, force: true });
});

const ops = (env: Record<string, string>, dir: string = app): Promise<Outcome> => runDagger(["ops", dir, "--format", "json"], work, env);
/** The top, each high one with its two low ones (with a bottom each) and a bottom. */
const expected = `n is ${1 + width * (1 + 2 * 2 + 1)}`;

function extracted(cache: string): string[] {
  return fs.readdirSync(join(work, cache, "mod/extract/example.com")).sort();
}

test("thirty modules in a diamond are fetched, then taken from the cache; the answer is cue's", async () => {
  const cold = await ops(envFor("cold"));
  assert.equal(cold.code, 0, cold.stderr);
  assert.ok(cold.stdout.includes(expected), cold.stdout);
  assert.equal(extracted("cold").length, 2 * width + 2);
  const theirs = await cue(app, envFor("cue"), "eval", "-e", "out.#up[0].content");
  assert.equal(theirs.trim(), JSON.stringify(expected));
  assert.deepEqual(extracted("cold"), extracted("cue"));
  registry.freeze();
  try {
    const warm = await ops(envFor("cold"));
    assert.equal(warm.code, 0, warm.stderr);
    assert.equal(warm.stdout, cold.stdout);
    // Nor does cue miss anything in what dagger has left.
    assert.equal(await cue(app, envFor("cold"), "eval", "-e", "out.#up[0].content"), theirs);
  } finally {
    registry.thaw();
  }
});

test("two commands at once on an empty cache both succeed, and leave it whole", async () => {
  const both = await Promise.all([ops(envFor("shared")), ops(envFor("shared"))]);
  for (const one of both) {
    assert.equal(one.code, 0, one.stderr);
    assert.ok(one.stdout.includes(expected));
  }
  assert.equal(extracted("shared").length, 2 * width + 2);
  const left = fs.readdirSync(join(work, "shared/mod"), { recursive: true }).map(String);
  assert.deepEqual(
    left.filter((name) => /\.(tmp|partial)$/.test(name)),
    [],
  );
});

test("a registry behind TLS is asked through the tunnel of a proxy, and its certificate is checked", async () => {
  const proxy = await startHttpProxy({ hosts: { "registry.example": secure.host } });
  try {
    const dir = writeTree(join(work, "tls"), {
      "cue.mod/module.cue": moduleText("example.com/tls@v0", { "example.com/bottom@v0": "v0.1.0" }),
      "a.cue":
        'package tls\n\nimport "example.com/bottom"\n\nout: {\n\tstring\n\t#up: [{do: "write-file", dest: "/n", content: "n is \\(bottom.n)"}]\n}\n',
    });
    const env = { CUE_REGISTRY: "registry.example", HTTPS_PROXY: `http://${proxy.host}` };
    const unknown = await ops(envFor("tls", env), dir);
    assert.equal(unknown.code, 3, unknown.stderr);
    assert.match(unknown.stderr, /module-registry.*certificate/);
    const trusted = await ops(envFor("tls", { ...env, NODE_EXTRA_CA_CERTS: join(work, "ca.pem") }), dir);
    assert.equal(trusted.code, 0, trusted.stderr);
    assert.ok(trusted.stdout.includes("n is 1"));
    assert.ok(proxy.requests.length > 0 && proxy.requests.every((line) => line === "CONNECT registry.example:443"), proxy.requests[0]);
  } finally {
    await proxy.stop();
  }
});

for (const [args, form] of [
  [["ops", "APP"], "text"],
  [["catalog", "search"], "text"],
  [["up", "APP", "--progress", "plain"], "text"],
  [["up", "APP", "--progress", "quiet"], "text"],
  [["up", "APP", "--progress", "json"], "json"],
] as const)
  test(`while a busy registry is waited for, dagger ${args.join(" ")} says so`, async () => {
    const busy = await startBusyRegistry();
    try {
      // No daemon is needed to read modules, and there is none.
      const env = envFor(`busy-${args.join("-")}`, { CUE_REGISTRY: busy.host, BUILDKIT_HOST: `unix://${join(work, "no.sock")}` });
      const given = args.map((arg) => (arg === "APP" ? app : arg));
      const { code, stderr } = await runDagger(given, work, env);
      assert.equal(code, args[0] === "up" ? 3 : 0, stderr);
      const says = new RegExp(`The registry ${busy.host} is busy \\(status 429\\): it is asked for .+ again in 1 s`);
      assert.match(stderr, says);
      const told = form === "json" ? /"type":"warning","time":\d+,"code":"registry-busy"/g : /^warning\[registry-busy\]: /gm;
      assert.equal(stderr.match(told)?.length, 1, stderr);
    } finally {
      await busy.stop();
    }
  });

/** The registry behind a server that turns the first request away for a second. */
async function startBusyRegistry(): Promise<{ readonly host: string; stop(): Promise<void> }> {
  let turnedAway = false;
  const server = createServer((request, response) => {
    if (!turnedAway) {
      turnedAway = true;
      response.writeHead(429, { "retry-after": "1" }).end();
      return;
    }
    const { accept = "*/*" } = request.headers;
    fetch(`http://${registry.host}${request.url}`, { headers: { accept } })
      .then(async (answer) => {
        const body = Buffer.from(await answer.arrayBuffer());
        response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "" }).end(body);
      })
      .catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { host: `127.0.0.1:${String((server.address() as AddressInfo).port)}`, stop };
}

for (const args of [
  ["up"],
  ["compute"],
  ["ops"],
  ["graph"],
  ["llb"],
  ["shell", "out"],
  ["vet"],
  ["eval"],
  ["lock", "check"],
  ["lock", "update"],
])
  test(`dagger ${args.join(" ")} fetches nothing with --offline or DAGGER_OFFLINE, and takes what the cache has`, async () => {
    for (const [flag, more] of [
      [["--offline"], {}],
      [[], { DAGGER_OFFLINE: "1" }],
    ] as const) {
      const env = envFor("never", { ...more, BUILDKIT_HOST: `unix://${join(work, "no.sock")}` });
      const refused = await runDagger([...args, app, ...flag], work, env);
      assert.equal(refused.code, 3, refused.stderr);
      assert.match(refused.stderr, /error\[module-offline\]: .*example\.com\/top@v0\.1\.0 is not on this machine/);
      assert.ok(!fs.existsSync(join(work, "never")));
      // With the cache it goes on: at most a daemon is missing.
      const cached = await runDagger([...args, app, ...flag], work, { ...env, CUE_CACHE_DIR: join(work, "cold") });
      assert.ok(!cached.stderr.includes("module-offline"), cached.stderr);
    }
  });
