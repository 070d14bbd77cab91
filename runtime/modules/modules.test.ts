// Modules against the real cue command and a real registry: what cue publishes and caches is used here, and the other way round.
import assert from "node:assert/strict";
import fs from "node:fs";
import http from "node:http";
import type net from "node:net";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { UserError } from "../../compiler/diagnostic.ts";
import { cue, moduleText, writeTree } from "../../test/support/cue.ts";
import { startRegistry, type TestRegistry } from "../../test/support/registry.ts";
import { freePort } from "../../test/support/server.ts";
import { createEvaluator, type Evaluator, readSource } from "../cue/index.ts";
import { openModules } from "./index.ts";

const login = { username: "ann", password: "secret" };
const work = fs.mkdtempSync(path.join(os.tmpdir(), "modules-"));
const repository = path.join(import.meta.dirname, "../..");
let open: TestRegistry;
let closed: TestRegistry;
/** A registry that nobody runs. */
let nowhere: string;
let evaluator: Evaluator;

let count = 0;
const fresh = (): string => path.join(work, `d${++count}`);

function envFor(host: string, cache: string): Record<string, string> {
  return { HOME: path.join(work, "home"), PATH: process.env["PATH"] ?? "", CUE_REGISTRY: host, CUE_CACHE_DIR: cache };
}

async function publish(
  env: Record<string, string>,
  module: string,
  version: string,
  source: string,
  deps: Record<string, string> = {},
): Promise<void> {
  const dir = writeTree(fresh(), { "cue.mod/module.cue": moduleText(module, deps), "a.cue": source });
  await cue(dir, env, "mod", "publish", version);
}

before(async () => {
  [open, closed] = await Promise.all([startRegistry(), startRegistry({ login })]);
  nowhere = `127.0.0.1:${await freePort()}`;
  evaluator = await createEvaluator({ wasm: path.join(repository, "dist/cue.wasm"), follow: [] });
  const env = envFor(open.host, fresh());
  for (const version of ["v0.1.0", "v0.1.1", "v0.2.0"])
    await publish(env, "example.com/base@v0", version, `package base\nversion: "${version}"\n_hidden: 1`);
  await publish(env, "example.com/base@v1", "v1.0.0", 'package base\nversion: "v1.0.0"');
  const uses = 'package PKG\nimport "example.com/base"\nbase: base.version';
  await publish(env, "example.com/left@v0", "v0.1.0", uses.replaceAll("PKG", "left").replace("base: base", "b: base"), {
    "example.com/base@v0": "v0.1.1",
  });
  await publish(env, "example.com/right@v0", "v0.1.0", uses.replaceAll("PKG", "right").replace("base: base", "b: base"), {
    "example.com/base@v0": "v0.2.0",
  });
  await publish(env, "example.com/new@v0", "v0.1.0", uses.replaceAll("PKG", "new").replace("base: base", "b: base"), {
    "example.com/base@v1": "v1.0.0",
  });
  await publish({ ...env, CUE_REGISTRY: open.host }, "example.com/base/inner@v0", "v0.1.0", "package inner\nx: 1");
});
after(async () => {
  await evaluator.close();
  await Promise.all([open.stop(), closed.stop()]);
  fs.chmodSync(work, 0o755);
  await import("node:child_process").then(({ execFileSync }) => execFileSync("chmod", ["-R", "u+w", work]));
  fs.rmSync(work, { recursive: true, force: true });
});

async function load(dir: string, env: Record<string, string>, options: { offline?: boolean; patience?: number } = {}): Promise<unknown> {
  const { resolver } = openModules({ env, ...options, evaluator });
  const source = await readSource(evaluator, ".", { cwd: dir, library: path.join(repository, "packages"), modules: resolver });
  return (await evaluator.load(source)).exportJson();
}

async function failure(promise: Promise<unknown>): Promise<{ exit: number; code: string; text: string; at: string }> {
  try {
    await promise;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const [first] = error.diagnostics;
    const { file, line, column } = first?.at[0] ?? { file: "", line: 0, column: 0 };
    return { exit: error.exit, code: first?.code ?? "", text: error.message, at: `${file}:${line}:${column}` };
  }
  throw new Error("it was accepted");
}

const main = (source: string, deps: Record<string, string>): string =>
  writeTree(fresh(), { "cue.mod/module.cue": moduleText("example.com/main@v0", deps), "a.cue": source });

const diamond = { "example.com/left@v0": "v0.1.0", "example.com/right@v0": "v0.1.0" };
const diamondSource = 'package main\nimport (\n\t"example.com/left"\n\t"example.com/right"\n)\nl: left.b\nr: right.b\n';

for (const [what, source, deps] of [
  ["a diamond with the versions listed", diamondSource, { ...diamond, "example.com/base@v0": "v0.2.0" }],
  ["a diamond whose base is not listed", diamondSource, diamond],
  [
    "two major versions of a module",
    'package main\nimport (\n\t"example.com/base@v0"\n\tone "example.com/base@v1"\n\t"example.com/new"\n)\na: base.version\nb: one.version\nc: new.b',
    { "example.com/base@v0": "v0.1.0", "example.com/base@v1": "v1.0.0", "example.com/new@v0": "v0.1.0" },
  ],
  [
    "a module inside the path of another",
    'package main\nimport (\n\t"example.com/base"\n\t"example.com/base/inner"\n)\na: base.version\nb: inner.x',
    { "example.com/base@v0": "v0.1.0", "example.com/base/inner@v0": "v0.1.0" },
  ],
] as const)
  test(`${what}: the answer is that of cue export`, async () => {
    const dir = main(source, deps);
    const theirs = JSON.parse(await cue(dir, envFor(open.host, fresh()), "export")) as unknown;
    assert.deepEqual(await load(dir, envFor(open.host, fresh())), theirs);
  });

test("what cue has fetched is used without a registry, and what dagger has fetched is used by cue", async () => {
  const dir = main(diamondSource, { ...diamond, "example.com/base@v0": "v0.2.0" });
  const [theirs, ours] = [fresh(), fresh()];
  const expected = { l: "v0.2.0", r: "v0.2.0" };
  await cue(dir, envFor(open.host, theirs), "export");
  assert.deepEqual(await load(dir, envFor(nowhere, theirs)), expected);
  assert.deepEqual(await load(dir, envFor(open.host, theirs), { offline: true }), expected);
  await load(dir, envFor(open.host, ours));
  assert.deepEqual(JSON.parse(await cue(dir, envFor(nowhere, ours), "export")), expected);
});

test("several at once fetch the same modules into one cache", async () => {
  const dir = main(diamondSource, { ...diamond, "example.com/base@v0": "v0.2.0" });
  const env = envFor(open.host, fresh());
  const [theirs, ...ours] = await Promise.all([cue(dir, env, "export"), load(dir, env), load(dir, env), load(dir, env)]);
  for (const answer of ours) assert.deepEqual(answer, JSON.parse(theirs));
});

test("without a network an error names the module, the registry and the line", async () => {
  const dir = main('package main\nimport "example.com/base"\na: base.version', { "example.com/base@v0": "v0.1.0" });
  const down = await failure(load(dir, envFor(nowhere, fresh())));
  assert.equal(`${down.exit} ${down.code} ${down.at}`, "3 module-registry a.cue:2:8");
  assert.match(down.text, /example\.com\/base@v0\.1\.0 from the registry 127\.0\.0\.1:\d+: connect ECONNREFUSED/);
  const offline = await failure(load(dir, envFor(open.host, fresh()), { offline: true }));
  assert.equal(`${offline.exit} ${offline.code} ${offline.at}`, "3 module-offline a.cue:2:8");
  assert.match(offline.text, /example\.com\/base@v0\.1\.0/);
});

test("a module or version that the registry does not have is wrong input", async () => {
  const version = await failure(
    load(main('package main\nimport "example.com/base"\na: base.version', { "example.com/base@v0": "v0.9.9" }), envFor(open.host, fresh())),
  );
  assert.equal(`${version.exit} ${version.code} ${version.at}`, "2 module-not-found a.cue:2:8");
  const none = await failure(
    load(main('package main\nimport "example.com/base"\na: base.version', { "example.com/base@v0": "v0.1.0" }), envFor("none", fresh())),
  );
  assert.equal(`${none.exit} ${none.code}`, "2 module-not-found");
  const unlisted = await failure(
    load(main('package main\nimport "example.com/other"\na: other.x', { "example.com/base@v0": "v0.1.0" }), envFor(open.host, fresh())),
  );
  assert.equal(`${unlisted.exit} ${unlisted.code}`, "2 cue-import");
});

test("a package that two places have is ambiguous, as for cue", async () => {
  const dir = main('package main\nimport "example.com/base"\na: base.version', { "example.com/base@v0": "v0.1.0" });
  writeTree(dir, { "cue.mod/pkg/example.com/base/a.cue": "package base\nversion: 1" });
  await assert.rejects(cue(dir, envFor(open.host, fresh()), "export"), /ambiguous import/);
  const ours = await failure(load(dir, envFor(open.host, fresh())));
  assert.equal(`${ours.exit} ${ours.code}`, "2 ambiguous-import");
  assert.match(ours.text, /example\.com\/base@v0\.1\.0/);
});

test("a registry with a login takes docker's, and refuses without one", async () => {
  const auth = { auths: { [closed.host]: { auth: Buffer.from(`${login.username}:${login.password}`).toString("base64") } } };
  const docker = writeTree(fresh(), { "config.json": JSON.stringify(auth) });
  const env = { ...envFor(closed.host, fresh()), DOCKER_CONFIG: docker };
  await publish(env, "example.com/secret@v0", "v0.1.0", "package secret\nx: 1");
  const dir = main('package main\nimport "example.com/secret"\na: secret.x', { "example.com/secret@v0": "v0.1.0" });
  assert.deepEqual(await load(dir, { ...env, CUE_CACHE_DIR: fresh() }), { a: 1 });
  const refused = await failure(load(dir, envFor(closed.host, fresh())));
  assert.equal(`${refused.exit} ${refused.code} ${refused.at}`, "3 module-login a.cue:2:8");
});

for (const [what, setting] of [
  ["prefixes", (host: string) => `example.com=${host}/deep/down+insecure,none`],
  [
    "a configuration file",
    (host: string) =>
      `file:${path.join(writeTree(fresh(), { "r.cue": `moduleRegistries: "example.com": {registry: "${host}/p", stripPrefix: true, prefixForTags: "t-"}\ndefaultRegistry: registry: "none"` }), "r.cue")}`,
  ],
  ["hashes as tags", (host: string) => `inline:defaultRegistry: {registry: "${host}/all", pathEncoding: "hashAsTag"}`],
  ["hashes as repositories", (host: string) => `inline:defaultRegistry: {registry: "${host}/all", pathEncoding: "hashAsRepo"}`],
] as const)
  test(`CUE_REGISTRY with ${what} finds what cue publishes there`, async () => {
    const env = envFor(setting(open.host), fresh());
    await publish(env, "example.com/placed@v0", "v0.1.0", "package placed\nx: 1");
    const dir = main('package main\nimport "example.com/placed"\na: placed.x', { "example.com/placed@v0": "v0.1.0" });
    assert.deepEqual(await load(dir, { ...env, CUE_CACHE_DIR: fresh() }), { a: 1 });
  });

for (const setting of [
  "",
  "reg.example,",
  "a.b=",
  "=x.example",
  "x.example,y.example",
  "a.b=x.example,a.b=y.example",
  "x.example+odd",
  "x.example/UP",
  "x.example/a:tag",
  "a.b=x.example+insecure,x.example+secure",
  "file:/nowhere/x.cue",
  'inline:defaultRegistry: {registry: "x.example", stripPrefix: true}',
  "inline:odd: 1",
].slice(1))
  test(`CUE_REGISTRY=${setting} is refused, as cue refuses it`, async () => {
    const dir = main('package main\nimport "example.com/base"\na: base.version', { "example.com/base@v0": "v0.1.0" });
    await assert.rejects(cue(dir, envFor(setting, fresh()), "export"));
    const ours = await failure(load(dir, envFor(setting, fresh())));
    assert.equal(`${ours.exit} ${ours.code} ${ours.at}`, "2 bad-cue-registry a.cue:2:8");
  });

/** A registry in front of the real one that spoils what goes through. */
async function spoiled(
  spoil: (url: string, body: Buffer, response: http.ServerResponse) => void,
): Promise<{ host: string; close(): void }> {
  const server = http.createServer((request, response) => {
    void fetch(`http://${open.host}${request.url ?? ""}`, { headers: { accept: request.headers.accept ?? "*/*" } }).then(async (real) => {
      response.writeHead(real.status, { "content-type": real.headers.get("content-type") ?? "" });
      spoil(request.url ?? "", Buffer.from(await real.arrayBuffer()), response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    host: `127.0.0.1:${(server.address() as net.AddressInfo).port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

test("bytes that are not what their digest says are not used, and the cache stays clean", async () => {
  const registry = await spoiled((url, body, response) =>
    response.end(url.includes("/blobs/") ? Buffer.from(body.map((byte, i) => (i === 40 ? byte ^ 1 : byte))) : body),
  );
  const dir = main('package main\nimport "example.com/base"\na: base.version', { "example.com/base@v0": "v0.1.0" });
  const cache = fresh();
  const spoilt = await failure(load(dir, envFor(registry.host, cache)));
  registry.close();
  assert.equal(`${spoilt.exit} ${spoilt.code}`, "3 module-damaged");
  assert.deepEqual(await load(dir, envFor(open.host, cache)), { a: "v0.1.0" });
});

test("a registry that stalls halfway through a download is given up", async () => {
  const registry = await spoiled((url, body, response) =>
    url.includes("/blobs/") ? response.write(body.subarray(0, 10)) : response.end(body),
  );
  const dir = main('package main\nimport "example.com/base"\na: base.version', { "example.com/base@v0": "v0.1.0" });
  const stalled = await failure(load(dir, envFor(registry.host, fresh()), { patience: 300 }));
  registry.close();
  assert.equal(`${stalled.exit} ${stalled.code}`, "3 module-registry");
  assert.match(stalled.text, /says nothing for 0\.3 s/);
});

test("local-module.cue replaces modules by directories and by other modules, as for cue", async () => {
  const deps = { "example.com/base@v0": "v0.1.0", "example.com/left@v0": "v0.1.0" };
  const dir = main('package main\nimport (\n\t"example.com/base"\n\t"example.com/left"\n)\na: base.version\nb: left.b', deps);
  writeTree(dir, {
    "cue.mod/local-module.cue":
      'language: version: "v0.17.0"\ndeps: "example.com/base@v0": replaceWith: "./mine"\ndeps: "example.com/left@v0": {}',
    "mine/cue.mod/module.cue": moduleText("example.com/base@v0"),
    "mine/a.cue": 'package base\nversion: "mine"',
  });
  const theirs = JSON.parse(await cue(dir, envFor(open.host, fresh()), "export")) as unknown;
  assert.deepEqual(theirs, { a: "mine", b: "mine" });
  assert.deepEqual(await load(dir, envFor(open.host, fresh())), theirs);
});

test("the library is dagger's own unless a version of it is asked for", async () => {
  const env = envFor(open.host, fresh());
  await publish(env, "cuellb.dev@v0", "v0.9.0", "package cuellb").catch(() => undefined);
  const lib = writeTree(fresh(), { "cue.mod/module.cue": moduleText("cuellb.dev@v0"), "op/op.cue": "package op\npinned: true" });
  await cue(lib, env, "mod", "publish", "v0.9.1");
  const source = 'package main\nimport "cuellb.dev/op"\nx: op.pinned';
  assert.deepEqual(await load(main(source, { "cuellb.dev@v0": "v0.9.1" }), env), { x: true });
  const vendored = writeTree(main(source, {}), { "cue.mod/pkg/cuellb.dev/op/op.cue": "package op\npinned: false" });
  assert.deepEqual(await load(vendored, env), { x: false });
  await assert.doesNotReject(
    load(
      main('package main\nimport "cuellb.dev/op"\nx: op.#Exec & {args: ["a"]}\ny: 1', { "example.com/base@v0": "v0.1.0" }),
      envFor(nowhere, fresh()),
    ),
  );
});
