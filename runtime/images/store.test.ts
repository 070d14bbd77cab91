// The store itself: list, remove, replace, many processes at once, a full disk, a broken index.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdir, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { promisify } from "node:util";
import { busyboxLayout, type TestLayout } from "../../test/support/images.ts";
import { assertSound, blobsOf, cleanUp, ref, refused, temporary } from "../../test/support/store.ts";
import { hostPlatform } from "./platform.ts";
import { type ImageStore, openImageStore } from "./store.ts";

const run = promisify(execFile);
const host = hostPlatform();
let layout: TestLayout;
let store: ImageStore;

before(async () => {
  layout = await busyboxLayout();
});
beforeEach(async () => {
  store = openImageStore(await temporary());
});
after(cleanUp);

test("list shows what there is; rm removes an image and only the blobs that no other one needs", async () => {
  assert.deepEqual(await store.list(), []);
  const root = await temporary();
  await writeFile(join(root, "file"), "only here");
  await store.import("docker.io/library/b:1", layout.dir);
  await store.import("docker.io/library/a:1", root);
  await store.import("docker.io/library/c:1", layout.dir);
  assert.deepEqual(
    (await store.list()).map((image) => image.ref),
    ["docker.io/library/a:1", "docker.io/library/b:1", "docker.io/library/c:1"],
  );
  await store.remove("docker.io/library/a:1");
  assert.deepEqual(await blobsOf(store.dir), await blobsOf(layout.dir));
  await store.remove("docker.io/library/b:1");
  assert.deepEqual(await blobsOf(store.dir), await blobsOf(layout.dir));
  assert.ok((await store.resolve("docker.io/library/c:1", host)) !== undefined);
  await store.remove("docker.io/library/c:1");
  assert.deepEqual(await blobsOf(store.dir), []);
  await refused(store.remove("docker.io/library/c:1"), "image-not-stored", /no image docker\.io\/library\/c:1/);
  const nowhere = join(await temporary(), "none");
  await refused(openImageStore(nowhere).remove(ref), "image-not-stored", /no image/);
  await assert.rejects(stat(nowhere));
});

test("importing a reference again replaces its image and drops the old blobs", async () => {
  const root = await temporary();
  await writeFile(join(root, "file"), "one");
  const first = await store.import(ref, root);
  await writeFile(join(root, "file"), "two");
  const second = await store.import(ref, root);
  assert.notEqual(first.digest, second.digest);
  assert.equal((await store.list()).length, 1);
  assert.equal((await blobsOf(store.dir)).length, 3);
});

test("eight processes importing at once lose nothing", async () => {
  const index = new URL("./index.ts", import.meta.url).href;
  const root = await temporary();
  await writeFile(join(root, "shared"), "same for all");
  const script = `
    const { openImageStore } = await import(${JSON.stringify(index)});
    const [dir, name, layout, root] = process.argv.slice(1);
    const store = openImageStore(dir);
    for (let round = 0; round < 3; round++) {
      await store.import("a/" + name + ":" + round, layout);
      await store.import("b/" + name + ":" + round, root, { cmd: [name] });
      await store.remove("a/" + name + ":" + round);
    }`;
  const names = Array.from({ length: 8 }, (_, at) => `p${String(at)}`);
  await Promise.all(
    names.map((name) => run(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script, store.dir, name, layout.dir, root])),
  );
  const images = await store.list();
  assert.deepEqual(
    images.map((image) => image.ref),
    names.flatMap((name) => [0, 1, 2].map((round) => `b/${name}:${String(round)}`)),
  );
  for (const { ref: each } of images) assert.ok(await store.resolve(each, host));
  await assertSound(store.dir);
});

test("a broken store says so and what to do; a lost layer is found before a build starts", async () => {
  await store.import(ref, layout.dir);
  for (const name of await blobsOf(store.dir)) {
    const file = join(store.dir, "blobs/sha256", name);
    if ((await stat(file)).size > 100_000) await truncate(file, 10);
  }
  await refused(store.resolve(ref, host), "image-broken", /the layer sha256:\w+ of .* is cut short/);
  await writeFile(join(store.dir, "index.json"), "{");
  await refused(store.list(), "image-store-broken", /The image store is broken/);
  await refused(store.resolve(ref, host), "image-store-broken", /index\.json/);
});

test("a full disk is said to be full, and leaves the store as it was", async () => {
  const dir = await temporary();
  await run("mount", ["-t", "tmpfs", "-o", "size=3m", "tmpfs", dir]);
  try {
    const small = openImageStore(join(dir, "images"));
    const root = await temporary();
    await writeFile(join(root, "file"), "fits");
    await small.import("fits:1", root);
    await writeFile(join(root, "big"), Buffer.alloc(8 << 20));
    await refused(small.import("big:1", root), "disk-full", /No space is left for images in /);
    assert.deepEqual(
      (await small.list()).map((image) => image.ref),
      ["fits:1"],
    );
    await assertSound(small.dir);
  } finally {
    await run("umount", [dir]);
  }
});

test("an aborted import leaves nothing", async () => {
  const abort = new AbortController();
  const importing = store.import(ref, layout.dir, { signal: abort.signal });
  abort.abort();
  await assert.rejects(importing, { name: "AbortError" });
  assert.deepEqual(await store.list(), []);
  assert.deepEqual(await readdir(join(store.dir, "ingest")), []);
});
