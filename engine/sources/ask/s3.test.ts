// Objects are written to a real S3 server on condition of what is there.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { startS3 } from "../../../test/support/s3.ts";
import { at } from "../../workspace/find.ts";
import { openBucket } from "./s3.ts";

test("an object is written only over what it is said to be", async () => {
  const s3 = await startS3();
  const dir = await mkdtemp(join(tmpdir(), "dagger-s3-"));
  try {
    s3.bucket("downloads");
    const workspace = at(dir);
    await mkdir(join(workspace.dir, "connectors"), { recursive: true });
    const secrets = { accessKey: "env:S3_ID", secretKey: "env:S3_KEY" };
    const connector = { type: "s3", fields: { endpoint: s3.url }, secrets };
    await writeFile(join(workspace.dir, "connectors/store.json"), JSON.stringify(connector));
    await writeFile(join(workspace.dir, "workspace.json"), '{"format": 1}');
    const env = { PATH: process.env["PATH"] ?? "", HOME: dir, S3_ID: s3.accessKey, S3_KEY: s3.secretKey };
    const askDaemon = { image: async () => "", address: async () => "" };
    const scope = { env, cwd: dir, workspace, askDaemon, signal: new AbortController().signal };
    const bucket = await openBucket({ name: "out", kind: "s3", location: "downloads", path: "/mac" }, scope);
    const tag = async (): Promise<string> => (await bucket.list())[0]?.etag ?? "";
    assert.equal(await bucket.put("a.txt", Buffer.from("one"), '"0123456789abcdef0123456789abcdef"'), false);
    assert.equal(await bucket.put("a.txt", Buffer.from("one"), ""), true);
    assert.equal(await bucket.put("a.txt", Buffer.from("two"), ""), false);
    const first = await tag();
    assert.equal(await bucket.put("a.txt", Buffer.from("two"), first), true);
    assert.equal(await bucket.put("a.txt", Buffer.from("three"), first), false);
    const [object] = await bucket.list();
    assert.ok(object !== undefined);
    assert.equal(Buffer.from((await bucket.get(object)) ?? []).toString(), "two");
    assert.equal(await bucket.put("a.txt", Buffer.from("four")), true);
  } finally {
    await s3.stop();
    await rm(dir, { recursive: true, force: true });
  }
});
