// Cache from and to elsewhere, on a real daemon and a real registry: what one daemon computed, another one does not compute again.
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { startAzurite } from "../../test/support/azurite.ts";
import { startBuildkitd, type TestDaemon } from "../../test/support/buildkitd.ts";
import { failureOf } from "../../test/support/failures.ts";
import { busyboxLayout, type TestLayout } from "../../test/support/images.ts";
import { sessionServices } from "../../test/support/jobs.ts";
import { definition, layoutImage, type Node, shell } from "../../test/support/llb.ts";
import { startRegistry, type TestRegistry } from "../../test/support/registry.ts";
import {
  type BuildResult,
  type CacheEntry,
  type CacheFailure,
  type CacheOptions,
  type Client,
  connect,
  type StatusVertex,
} from "./index.ts";

const base = fs.mkdtempSync(path.join(os.tmpdir(), "dagger-cache-"));
let daemon: TestDaemon;
let client: Client;
let layout: TestLayout;
let registry: TestRegistry;

before(async () => {
  layout = await busyboxLayout();
  registry = await startRegistry();
  daemon = await startBuildkitd({ config: `[registry."${registry.host}"]\n  http = true\n` });
  client = await connect(daemon.address);
});
after(async () => {
  client.close();
  await daemon.stop();
  await registry.stop();
  fs.rmSync(base, { recursive: true, force: true });
});

interface Ran extends BuildResult {
  /** Steps that ran a shell, by whether the cache had them. */
  readonly steps: readonly boolean[];
  readonly missing: readonly string[];
  readonly failures: readonly CacheFailure[];
}

async function run(node: Node, cache: CacheOptions, throughGateway = false): Promise<Ran> {
  const vertexes = new Map<string, StatusVertex>();
  const missing: string[] = [];
  const failures: CacheFailure[] = [];
  const build = await client.build({
    session: sessionServices(layout),
    exporters: [],
    cache,
    record: false,
    onStatus: (update) => {
      for (const vertex of update.vertexes) vertexes.set(vertex.digest, vertex);
    },
    onCacheFailure: (failure) => failures.push(failure),
    onMissingCache: (dir, why) => missing.push(`${path.basename(dir)}: ${why}`),
  });
  const encoded = definition(node);
  const result = await build.finish(throughGateway ? await build.solve(encoded) : encoded);
  const steps = [...vertexes.values()].filter((vertex) => vertex.name.includes("/bin/sh")).map((vertex) => vertex.cached);
  return { ...result, steps, missing, failures };
}

async function forget(): Promise<void> {
  await client.prune({ all: true }, () => {});
}

const chain = (name: string): Node => shell(shell(layoutImage("busybox", layout.digest), `echo ${name} > /a`), "cat /a > /b");

async function roundTrip(to: CacheEntry, from: CacheEntry, name: string): Promise<void> {
  assert.deepEqual((await run(chain(name), { exports: [to] })).steps, [false, false]);
  for (const throughGateway of [false, true]) {
    await forget();
    assert.deepEqual((await run(chain(name), { imports: [from] }, throughGateway)).steps, [true, true], `gateway: ${throughGateway}`);
  }
  await forget();
  assert.deepEqual((await run(chain(name), {})).steps, [false, false]);
}

test("a local cache is written as an OCI layout, and spares another daemon the steps", async () => {
  const dir = path.join(base, "local");
  await roundTrip({ type: "local", attrs: { dest: dir, mode: "max" } }, { type: "local", attrs: { src: dir } }, "local");
  assert.deepEqual(fs.readdirSync(dir).sort(), ["blobs", "index.json", "ingest", "oci-layout"]);
  const index = JSON.parse(fs.readFileSync(path.join(dir, "index.json"), "utf8")) as { manifests: { annotations: object }[] };
  assert.deepEqual(
    index.manifests.map((m) => m.annotations),
    [{ "org.opencontainers.image.ref.name": "latest" }],
  );
});

test("tags of a local cache live side by side; reset removes what no tag needs any more", async () => {
  const dir = path.join(base, "tags");
  const blobs = (): number => fs.readdirSync(path.join(dir, "blobs/sha256")).length;
  await run(chain("tag-a"), { exports: [{ type: "local", attrs: { dest: dir, mode: "max", tag: "a" } }] });
  await run(chain("tag-b"), { exports: [{ type: "local", attrs: { dest: dir, mode: "max", tag: "b" } }] });
  const both = blobs();
  await run(chain("tag-c"), { exports: [{ type: "local", attrs: { dest: dir, mode: "max", tag: "b", reset: "true" } }] });
  assert.ok(blobs() <= both);
  await forget();
  assert.deepEqual((await run(chain("tag-a"), { imports: [{ type: "local", attrs: { src: dir, tag: "a" } }] })).steps, [true, true]);
  await forget();
  assert.deepEqual((await run(chain("tag-b"), { imports: [{ type: "local", attrs: { src: dir, tag: "b" } }] })).steps, [false, false]);
});

test("a cache in a registry spares another daemon the steps", async () => {
  const ref = `${registry.host}/cache:main`;
  await roundTrip({ type: "registry", attrs: { ref, mode: "max" } }, { type: "registry", attrs: { ref } }, "registry");
});

test("a cache that is not there yet is no error: the build runs, and says what it missed", async () => {
  const imports = [
    { type: "local", attrs: { src: path.join(base, "nowhere") } },
    { type: "local", attrs: { src: path.join(base, "local"), tag: "other" } },
    { type: "registry", attrs: { ref: `${registry.host}/cache:missing` } },
  ];
  const { missing, steps, failures } = await run(chain("first"), { imports });
  assert.deepEqual(steps, [false, false]);
  assert.deepEqual(failures, [
    { use: "import", cache: `${registry.host}/cache:missing`, reason: `${registry.host}/cache:missing: not found` },
  ]);
  assert.deepEqual(missing, ["nowhere: there is no such directory", "local: it has no cache with the tag other"]);
});

test("a cache without what it needs, a broken index and an unwritable place are told", async () => {
  for (const [entry, name] of [
    [{ type: "local", attrs: {} }, "dest"],
    [{ type: "registry", attrs: {} }, "ref"],
  ] as const) {
    const error = await failureOf(run(chain("x"), { exports: [entry] }));
    assert.deepEqual([error.exit, error.diagnostics[0]?.code], [2, "bad-cache"]);
    assert.equal(error.message, `A cache of type ${entry.type} needs the attribute ${name}`);
  }
  const broken = path.join(base, "broken");
  fs.mkdirSync(broken);
  fs.writeFileSync(path.join(broken, "index.json"), "{");
  const error = await failureOf(run(chain("x"), { imports: [{ type: "local", attrs: { src: broken } }] }));
  assert.deepEqual([error.exit, error.diagnostics[0]?.code], [2, "bad-layout"]);
  const file = path.join(base, "file");
  fs.writeFileSync(file, "");
  const taken = await failureOf(run(chain("y"), { exports: [{ type: "local", attrs: { dest: path.join(file, "x") } }] }));
  assert.deepEqual([taken.exit, taken.diagnostics[0]?.code], [3, "save-failed"]);
});

test("a registry that does not take a cache is told, unless that is to be ignored", async () => {
  const refused = { type: "registry", attrs: { ref: "127.0.0.1:1/cache:main" } };
  const error = await failureOf(run(chain("refused"), { exports: [refused] }));
  assert.deepEqual([error.exit, error.diagnostics[0]?.code], [1, "cache-export-failed"]);
  assert.match(error.message, /^Cannot leave cache in 127\.0\.0\.1:1\/cache:main: .*refused/);
  const { failures } = await run(chain("refused"), { exports: [{ ...refused, attrs: { ...refused.attrs, "ignore-error": "true" } }] });
  assert.deepEqual(
    failures.map(({ use, cache }) => [use, cache]),
    [["export", "127.0.0.1:1/cache:main"]],
  );
});

test("a build whose store answers late goes on, with its progress and through the gateway", async () => {
  const azurite = await startAzurite();
  const { url, account, key } = azurite;
  const entry = { type: "azblob", attrs: { account_url: url, account_name: account, secret_access_key: key } };
  azurite.freeze();
  // The daemon says after 3 s to the gateway, and after 6 s to who asks for the status, that it knows no such build.
  const thaw = setTimeout(() => azurite.thaw(), 7_000);
  try {
    assert.deepEqual((await run(chain("late"), { exports: [entry] }, true)).steps, [false, false]);
  } finally {
    clearTimeout(thaw);
    await azurite.stop();
  }
});

test("the attributes of gha, s3 and azblob reach the daemon as they were given", async () => {
  const gone = "http://127.0.0.1:1";
  const s3 = {
    type: "s3",
    attrs: { bucket: "b", region: "eu", name: "n", endpoint_url: gone, access_key_id: "k", secret_access_key: "s", use_path_style: "true" },
  };
  const azblob = {
    type: "azblob",
    attrs: { account_url: gone, account_name: "a", secret_access_key: Buffer.from("s").toString("base64"), name: "n" },
  };
  const gha = { type: "gha", attrs: { url: `${gone}/`, token: "not-a-token", scope: "main" } };
  for (const entry of [s3, azblob, gha]) {
    const error = await failureOf(run(chain(entry.type), { exports: [entry] }));
    assert.equal(error.diagnostics[0]?.code, "cache-export-failed");
    assert.match(error.message, entry.type === "gha" ? /token|cache|gha/i : /127\.0\.0\.1:1|refused/);
  }
});
