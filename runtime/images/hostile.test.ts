// Images that are damaged, hostile, or none at all are refused, and nothing is written outside the store.
import assert from "node:assert/strict";
import { cp, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { gzipSync } from "node:zlib";
import { busyboxLayout, type TestLayout } from "../../test/support/images.ts";
import { assertSound, blobsOf, cleanUp, dockerParts, fileOf, ref, refused, tarOf, temporary } from "../../test/support/store.ts";
import { type ImageStore, openImageStore } from "./store.ts";

let layout: TestLayout;
let store: ImageStore;

before(async () => {
  layout = await busyboxLayout();
});
beforeEach(async () => {
  store = openImageStore(await temporary());
});
after(cleanUp);

test("an archive with names that leave it is refused and writes nothing", async () => {
  const marker = join(await temporary(), "escaped");
  for (const entry of [
    { name: "../../escaped", data: "x" },
    { name: `${"../".repeat(20)}${marker.slice(1)}`, data: "x" },
    { name: "/etc/escaped", data: "x" },
    { name: "manifest.json", link: "../../../../etc/passwd" },
    { name: "index.json", hard: "../../etc/passwd" },
  ]) {
    const file = await fileOf(await tarOf([entry, { name: "manifest.json", data: "[]" }]));
    await refused(store.import(ref, file), "image-hostile", /leaves the archive/);
  }
  await assert.rejects(stat(marker));
  await assert.rejects(stat("/etc/escaped"));
  assert.deepEqual(await store.list(), []);
  assert.deepEqual(await readdir(join(store.dir, "ingest")), []);
});

test("an archive whose links point at files of this machine, or at each other, reads none of them", async () => {
  const loop = [
    { name: "index.json", link: "other" },
    { name: "other", link: "index.json" },
  ];
  await refused(store.import(ref, await fileOf(await tarOf(loop))), "image-source-unknown", /not of an image/);
  const absolute = await fileOf(await tarOf([{ name: "manifest.json", link: "/etc/passwd" }]));
  await refused(store.import(ref, absolute), "image-source-unknown", /not of an image/);
});

test("a damaged image is refused: wrong blob, wrong layer, wrong config, cut archive", async () => {
  const copy = join(await temporary(), "layout");
  await cp(layout.dir, copy, { recursive: true });
  const sizes = await Promise.all(
    (await blobsOf(copy)).map(async (name) => ({ name, size: (await stat(join(copy, "blobs/sha256", name))).size })),
  );
  const largest = sizes.sort((a, b) => b.size - a.size)[0]?.name ?? "";
  const whole = await readFile(join(copy, "blobs/sha256", largest));
  whole[5000] = (whole[5000] ?? 0) ^ 1;
  await writeFile(join(copy, "blobs/sha256", largest), whole);
  await refused(store.import(ref, copy), "image-digest", /is damaged: its digest is sha256:\w+, expected sha256:/);
  await rm(join(copy, "blobs/sha256", largest));
  await refused(store.import(ref, copy), "image-broken", /the blob sha256:\w+ is missing/);

  const layer = await tarOf([{ name: "hello", data: "world" }]);
  const { config, configHex } = dockerParts(layer);
  const manifest = JSON.stringify([{ Config: `${configHex}.json`, RepoTags: null, Layers: ["l.tar"] }]);
  const archive = (layerData: Uint8Array, configData: Uint8Array): Promise<Buffer> =>
    tarOf([
      { name: "l.tar", data: layerData },
      { name: `${configHex}.json`, data: configData },
      { name: "manifest.json", data: manifest },
    ]);
  const other = await tarOf([{ name: "hello", data: "moon!" }]);
  await refused(store.import(ref, await fileOf(await archive(other, config))), "image-digest", /l\.tar in .* is damaged/);
  await refused(
    store.import(ref, await fileOf(await archive(layer, Buffer.concat([config, Buffer.from(" ")])))),
    "image-digest",
    /\.json in .* is damaged/,
  );

  const good = await fileOf(await archive(layer, config));
  await store.import(ref, good);
  await truncate(good, 1000);
  await refused(store.import("x:1", good), "image-broken", /not a whole tar archive/);
  const zipped = await fileOf(gzipSync(await archive(layer, config)).subarray(0, 200));
  await refused(store.import("x:1", zipped), "image-broken", /not a whole tar archive/);
  assert.deepEqual(
    (await store.list()).map((image) => image.ref),
    [ref],
  );
  await assertSound(store.dir);
});

test("a digest that is a path is refused before it becomes one", async () => {
  const copy = join(await temporary(), "layout");
  await cp(layout.dir, copy, { recursive: true });
  const index = { schemaVersion: 2, manifests: [{ mediaType: "x", digest: "sha256:../../../../etc/passwd", size: 1 }] };
  await writeFile(join(copy, "index.json"), JSON.stringify(index));
  await refused(store.import(ref, copy), "image-broken", /is not a sha256 digest/);
});

test("what is no image is said to be none", async () => {
  const dir = await temporary();
  await writeFile(join(dir, "text"), "this is not an archive, and long enough to have been one".repeat(40));
  await refused(store.import(ref, join(dir, "nothing")), "image-source-missing", /nothing does not exist/);
  await refused(store.import(ref, join(dir, "text")), "image-broken", /not a whole tar archive/);
  await refused(store.import(ref, await temporary()), "image-source-empty", /empty directory/);
  await refused(store.import(ref, "/dev/null"), "image-source-unknown", /neither a directory nor a file/);
  await refused(
    store.import(ref, await fileOf(await tarOf([{ name: "etc/passwd", data: "x" }]))),
    "image-source-unknown",
    /neither index\.json .* nor manifest\.json/,
  );
  await refused(store.import(ref, await fileOf(Buffer.from("28b52ffd00000000", "hex"))), "image-compression", /compressed with zstd/);
  await refused(store.import(ref, await fileOf(await tarOf([{ name: "manifest.json", data: "{nope" }]))), "image-broken", /is not JSON/);
  await refused(store.import("two words", layout.dir), "image-reference", /is not an image reference/);
  await refused(store.import(ref, layout.dir, { user: "root" }), "image-option", /user: only an image made of a root directory/);
  await refused(store.import(ref, dir, { env: ["NOVALUE"] }), "image-option", /NAME=value/);
  await refused(store.import(ref, dir, { workdir: "here" }), "image-option", /absolute path/);
});
