// Images that other tools wrote: layouts and archives of docker and OCI kind, with one platform and several.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { busyboxLayout, type TestLayout } from "../../test/support/images.ts";
import { assertSound, cleanUp, dockerParts, fileOf, ref, refused, tarOf, temporary } from "../../test/support/store.ts";
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

test("an OCI layout directory is imported with its digests, and skopeo and umoci read the store", async () => {
  const stored = await store.import(ref, layout.dir);
  assert.equal(stored.digest, layout.digest);
  assert.equal((await store.resolve(ref, host))?.digest, layout.digest);
  await assertSound(store.dir);
  const { stdout } = await run("skopeo", ["inspect", "--raw", `oci:${store.dir}:${ref}`]);
  assert.equal(`sha256:${createHash("sha256").update(stdout).digest("hex")}`, layout.digest);
  const copy = join(await temporary(), "layout");
  await run("skopeo", ["copy", "-q", `oci:${store.dir}:${ref}`, `oci:${copy}:x`]);
  const bundle = join(await temporary(), "bundle");
  await run("umoci", ["unpack", "--image", `${copy}:x`, bundle]);
  assert.ok((await stat(join(bundle, "rootfs/bin/busybox"))).size > 0);
});

test("archives that skopeo writes are imported: docker and OCI, plain and gzipped", async () => {
  const dir = await temporary();
  await run("skopeo", ["copy", "-q", `oci:${layout.dir}:latest`, `docker-archive:${dir}/docker.tar:busybox:latest`]);
  await run("skopeo", ["copy", "-q", `oci:${layout.dir}:latest`, `oci-archive:${dir}/oci.tar:latest`]);
  for (const kind of ["docker", "oci"]) await writeFile(join(dir, `${kind}.tar.gz`), gzipSync(await readFile(join(dir, `${kind}.tar`))));
  // skopeo compresses layers on the way, so the digest is its own.
  const { stdout } = await run("skopeo", ["inspect", "--raw", `oci-archive:${dir}/oci.tar:latest`]);
  const digest = `sha256:${createHash("sha256").update(stdout).digest("hex")}`;
  for (const name of ["docker.tar", "docker.tar.gz", "oci.tar", "oci.tar.gz"]) {
    const stored = await store.import(`docker.io/library/${name}:1`, join(dir, name));
    assert.deepEqual(stored.platforms, [host]);
    const image = await store.resolve(stored.ref, host);
    const config = JSON.parse(Buffer.from(image?.config ?? "").toString()) as { config: { WorkingDir: string } };
    assert.equal(config.config.WorkingDir, "/work");
    if (name.startsWith("oci")) assert.equal(stored.digest, digest);
  }
  await assertSound(store.dir);
});

test("an old docker archive, with links between layers and gzipped layers, is imported", async () => {
  const layer = await tarOf([{ name: "hello", data: "world" }]);
  const diffId = `sha256:${createHash("sha256").update(layer).digest("hex")}`;
  const config = JSON.stringify({
    os: "linux",
    architecture: host.architecture,
    rootfs: { type: "layers", diff_ids: [diffId, diffId, diffId] },
  });
  const manifest = JSON.stringify([{ Config: "cfg.json", RepoTags: ["app:v1"], Layers: ["a/layer.tar", "b/layer.tar", "c/layer.tar.gz"] }]);
  const file = await fileOf(
    await tarOf([
      { name: "./a/layer.tar", data: layer },
      { name: "b/layer.tar", link: "../a/layer.tar" },
      { name: "c/layer.tar.gz", data: gzipSync(layer) },
      { name: "cfg.json", data: config },
      { name: "manifest.json", data: manifest },
    ]),
  );
  await store.import("docker.io/library/app:v1", file);
  const image = await store.resolve("docker.io/library/app:v1", host);
  const { stdout } = await run("skopeo", ["inspect", `oci:${store.dir}:docker.io/library/app:v1`]);
  assert.equal((JSON.parse(stdout) as { Layers: string[] }).Layers.length, 3);
  assert.equal(image?.platform.architecture, host.architecture);
  await assertSound(store.dir);
});

test("an image with several platforms gives each its own, and says which it has when one is missing", async () => {
  const dir = join(await temporary(), "multi");
  const roots: Record<string, string> = {};
  for (const architecture of ["amd64", "arm64"]) {
    const root = await temporary();
    await writeFile(join(root, "arch"), architecture);
    roots[architecture] = (await openImageStore(dir).import(`x:${architecture}`, root, { platform: { os: "linux", architecture } })).digest;
  }
  // Two manifests of that layout in one index, as a multi-platform image has them.
  const entries = await Promise.all(
    Object.entries(roots).map(async ([architecture, digest]) => {
      const size = (await stat(join(dir, "blobs", digest.replace(":", "/")))).size;
      return { mediaType: "application/vnd.oci.image.manifest.v1+json", digest, size, platform: { os: "linux", architecture } };
    }),
  );
  const absent = { ...entries[0], digest: `sha256:${"0".repeat(64)}`, platform: { os: "linux", architecture: "s390x" } };
  const index = JSON.stringify({ schemaVersion: 2, manifests: [...entries, absent] });
  const digest = `sha256:${createHash("sha256").update(index).digest("hex")}`;
  await writeFile(join(dir, "blobs", digest.replace(":", "/")), index);
  const top = { mediaType: "application/vnd.oci.image.index.v1+json", digest, size: index.length };
  await writeFile(join(dir, "index.json"), JSON.stringify({ schemaVersion: 2, manifests: [top] }));

  const stored = await store.import(ref, dir);
  assert.equal(stored.digest, digest);
  assert.deepEqual(stored.platforms.map((platform) => platform.architecture).sort(), ["amd64", "arm64"]);
  assert.equal((await store.resolve(ref, { os: "linux", architecture: "aarch64" }))?.digest, roots["arm64"]);
  assert.equal((await store.resolve(ref, { os: "linux", architecture: "amd64", variant: "v3" }))?.digest, roots["amd64"]);
  await refused(
    store.resolve(ref, { os: "linux", architecture: "s390x" }),
    "image-platform",
    /no image for linux\/s390x: it has linux\/amd64, linux\/arm64/,
  );
  await assertSound(store.dir);
});

test("an archive with several images wants to be told which, and takes the one with the reference itself", async () => {
  const layer = await tarOf([{ name: "hello", data: "world" }]);
  const { config } = dockerParts(layer);
  const manifest = JSON.stringify(["one:1", "two:2"].map((tag) => ({ Config: "c.json", RepoTags: [tag], Layers: ["l.tar"] })));
  const parts = [
    { name: "l.tar", data: layer },
    { name: "c.json", data: config },
    { name: "manifest.json", data: manifest },
  ];
  const file = await fileOf(await tarOf(parts));
  await refused(store.import(ref, file), "image-choice", /no image named docker\.io\/library\/busybox:latest: it has one:1, two:2/);
  await store.import(ref, file, { name: "two:2" });
  await store.import("docker.io/library/one:1", file);
  await refused(store.import(ref, file, { name: "three" }), "image-choice", /no image named three/);
  assert.equal((await store.list()).length, 2);
});
