// A connection that is cut at every stage of a job, and a registry that falls silent: one clear error each, nothing half-written, and the next run works.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { UserError } from "../../compiler/diagnostic.ts";
import { createReceiver } from "../../runtime/session/index.ts";
import { type Client, connect } from "../../runtime/solve/index.ts";
import { startBuildkitd, type TestDaemon } from "../support/buildkitd.ts";
import { failureOf } from "../support/failures.ts";
import { busyboxLayout, type TestLayout } from "../support/images.ts";
import { sessionServices } from "../support/jobs.ts";
import { copy, definition, exec, file, layoutImage, mkdir, type Node, shell, source } from "../support/llb.ts";
import { startProxy } from "../support/proxy.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";

const base = fs.mkdtempSync(path.join(os.tmpdir(), "dagger-faults-"));
const upload = path.join(base, "upload");
let daemon: TestDaemon;
let registry: TestRegistry;
let layout: TestLayout;

before(async () => {
  layout = await busyboxLayout();
  registry = await startRegistry();
  const image = `docker://${registry.host}/busybox:1`;
  await promisify(execFile)("skopeo", ["copy", "-q", "--dest-tls-verify=false", `oci:${layout.dir}:latest`, image]);
  daemon = await startBuildkitd({ config: `[registry."${registry.host}"]\nhttp = true\n` });
  fs.mkdirSync(upload);
  for (let i = 0; i < 20; i++) fs.writeFileSync(path.join(upload, `f${i}`), Buffer.alloc(20_000, i));
});
after(async () => {
  await daemon.stop();
  registry.thaw();
  await registry.stop();
  fs.rmSync(base, { recursive: true, force: true });
});

/** Everything a session does: an image, files up, a secret, files down. `key` makes the upload a new one. */
function everything(key: string): Node {
  const files = source("local://files", { "local.unique": key });
  const secret = {
    mount: { dest: "/secret", mountType: 1, output: 0n, secretOpt: { ID: "s", uid: 0, gid: 0, mode: 0o400, optional: false } },
  };
  const script = `cat /secret /files/* > /all; # ${key}`;
  const image = layoutImage("busybox", layout.digest);
  const all = exec({
    root: image,
    args: ["/bin/sh", "-c", script],
    mounts: [{ from: files, mount: { dest: "/files", readonly: true } }, secret],
  });
  return file(undefined, [mkdir("/d"), copy(all, "/all", "/d/"), copy(files, "/", "/d/files/")]);
}

async function run(client: Client, key: string, dest: string): Promise<void> {
  const receiver = createReceiver({ memory: [], dirs: [{ prefix: "d", dest }] });
  const secrets = async (): Promise<Uint8Array> => Buffer.from("hush");
  const session = sessionServices(layout, { receiver, secrets, locals: new Map([["files", { dir: upload }]]) });
  const build = await client.build({ session, exporters: [{ type: "local", attrs: {} }], record: false, onStatus: () => {} });
  try {
    await build.finish(definition(everything(key)));
    await receiver.commit();
  } finally {
    receiver.rollback();
    await build.abort();
  }
}

test("wherever the connection is cut, the job ends with one error, leaves nothing half-written, and runs the next time", async () => {
  const whole = await startProxy(daemon.address);
  const client = await connect(whole.address);
  await run(client, "whole", path.join(base, "whole"));
  client.close();
  const { up, down } = whole.bytes;
  await whole.stop();
  assert.equal(fs.statSync(path.join(base, "whole/all")).size, 4 + 20 * 20_000);
  for (const [direction, total] of [
    ["up", up],
    ["down", down],
  ] as const) {
    for (let i = 0; i < 24; i++) {
      // Dense where messages are small, sparse within the bulk of the data.
      const after = Math.floor(i < 12 ? 40 * 1.8 ** i : (total * (i - 11)) / 13);
      const key = `${direction}-${after}`;
      const dest = path.join(base, "cut", key);
      const proxy = await startProxy(daemon.address);
      proxy.cut(direction, after);
      try {
        const cut = await connect(proxy.address);
        await run(cut, key, dest).finally(() => cut.close());
        assert.ok(proxy.bytes[direction] <= after, `${key} went through`);
      } catch (error) {
        assert.ok(error instanceof UserError, `${key}: ${error instanceof Error ? error.stack : String(error)}`);
        assert.equal(error.exit, 3, `${key}: ${error.message}`);
        assert.ok(["connection-lost", "no-daemon"].includes(error.diagnostics[0]?.code ?? ""), `${key}: ${error.message}`);
        assert.equal(fs.existsSync(dest), false, key);
      }
      await proxy.stop();
      assert.deepEqual(
        fs.existsSync(path.dirname(dest)) ? fs.readdirSync(path.dirname(dest)).filter((name) => name.startsWith(".")) : [],
        [],
      );
    }
  }
  const again = await connect(daemon.address);
  await run(again, "again", path.join(base, "again"));
  again.close();
  assert.deepEqual(fs.readdirSync(path.join(base, "again")), ["all", "files"]);
});

test("a registry that falls silent is told after a while, can be interrupted before, and serves the next run", async () => {
  const client = await connect(daemon.address);
  const ref = `${registry.host}/busybox:1`;
  const platform = { os: "linux", architecture: process.arch === "x64" ? "amd64" : process.arch };
  const options = { session: sessionServices(layout), exporters: [], record: false, onStatus: () => {} };
  registry.freeze();
  const waiting = await client.build({ ...options, patience: 1500 });
  const silent = await failureOf(waiting.resolveImageConfig(ref, platform, "pull"));
  await waiting.abort();
  assert.deepEqual([silent.exit, silent.diagnostics[0]?.code], [1, "image-unavailable"]);
  assert.match(silent.message, /^Cannot resolve the image .*: its registry gives no answer/);
  const stop = new AbortController();
  const build = await client.build({ ...options, signal: stop.signal });
  const ended = failureOf(build.finish(definition(shell(source(`docker-image://${ref}`), "true"))));
  setTimeout(() => stop.abort(), 500);
  assert.equal((await ended).exit, 130);
  registry.thaw();
  await (await client.build(options)).finish(definition(shell(source(`docker-image://${ref}`), "true")));
  client.close();
});
