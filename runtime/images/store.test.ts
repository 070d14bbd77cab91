// The image store against real images: what other tools wrote is imported, and what we wrote is read by other tools and buildkitd.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmod,
  cp,
  link,
  lutimes,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { pack } from "tar-stream";
import { UserError } from "../../compiler/diagnostic.ts";
import { builtBinary, startBuildkitd } from "../../test/support/buildkitd.ts";
import { busyboxLayout, busyboxRoot, type TestLayout } from "../../test/support/images.ts";
import { hostPlatform } from "./platform.ts";
import { type ImageStore, openImageStore } from "./store.ts";

const run = promisify(execFile);
const ref = "docker.io/library/busybox:latest";
const host = hostPlatform();

let scratch: string;
let layout: TestLayout;
let store: ImageStore;

before(async () => {
  scratch = await mkdtemp(join(tmpdir(), "dagger-images-"));
  layout = await busyboxLayout();
});
beforeEach(async () => {
  store = openImageStore(await mkdtemp(join(scratch, "store-")));
});
after(async () => {
  await rm(scratch, { recursive: true, force: true });
});

async function temporary(): Promise<string> {
  return mkdtemp(join(scratch, "t-"));
}

async function refused(work: Promise<unknown>, code: string, message: RegExp): Promise<void> {
  const error = await work.then(
    () => assert.fail("expected an error"),
    (found: unknown) => found,
  );
  assert.ok(error instanceof UserError, String(error instanceof Error ? error.stack : error));
  assert.equal(error.diagnostics[0]?.code, code, error.message);
  assert.match(error.message, message);
}

async function blobsOf(dir: string): Promise<string[]> {
  return (await readdir(join(dir, "blobs/sha256"))).sort();
}

/** Every blob is what its name says, none is unneeded, and nothing lies in ingest. */
async function assertSound(dir: string): Promise<void> {
  for (const name of await blobsOf(dir)) {
    const data = await readFile(join(dir, "blobs/sha256", name));
    assert.equal(createHash("sha256").update(data).digest("hex"), name);
  }
  assert.deepEqual(await readdir(join(dir, "ingest")), []);
}

type TarEntry = { name: string; data?: Uint8Array | string; link?: string; hard?: string };

async function tarOf(entries: readonly TarEntry[]): Promise<Buffer> {
  const tar = pack();
  for (const { name, data, link: target, hard } of entries) {
    if (target !== undefined) tar.entry({ name, type: "symlink", linkname: target });
    else if (hard !== undefined) tar.entry({ name, type: "link", linkname: hard });
    else tar.entry({ name }, Buffer.from(data ?? ""));
  }
  tar.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of tar) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
}

async function fileOf(data: Uint8Array, name = "image.tar"): Promise<string> {
  const file = join(await temporary(), name);
  await writeFile(file, data);
  return file;
}

/** The parts of a docker archive of one layer. */
function dockerParts(layer: Uint8Array): { config: Buffer; configHex: string } {
  const diffId = `sha256:${createHash("sha256").update(layer).digest("hex")}`;
  const config = Buffer.from(
    JSON.stringify({ os: "linux", architecture: host.architecture, config: {}, rootfs: { type: "layers", diff_ids: [diffId] } }),
  );
  return { config, configHex: createHash("sha256").update(config).digest("hex") };
}

test("a root directory becomes an image that buildkitd runs, with the config that was given", async () => {
  const root = await busyboxRoot(await temporary());
  const options = { env: ["GREETING=grüezi"], workdir: "/work", user: "nobody", cmd: ["sh"], entrypoint: ["/bin/env"] };
  const stored = await store.import(ref, root, options);
  assert.deepEqual(stored.platforms, [host]);
  const image = await store.resolve(ref, host);
  assert.ok(image !== undefined);
  const config = JSON.parse(Buffer.from(image.config).toString()) as { config: Record<string, unknown> };
  assert.deepEqual(config.config, {
    Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "GREETING=grüezi"],
    WorkingDir: "/work",
    User: "nobody",
    Entrypoint: ["/bin/env"],
    Cmd: ["sh"],
  });
  const daemon = await startBuildkitd();
  try {
    const dir = await temporary();
    await writeFile(
      join(dir, "Dockerfile"),
      "FROM base\nUSER root\nRUN echo $GREETING $(pwd) > /out\nFROM scratch\nCOPY --from=0 /out /\n",
    );
    const source = ["--opt", `context:base=oci-layout://store@${image.digest}`, "--oci-layout", `store=${image.layoutDir}`];
    const flags = [
      "--frontend",
      "dockerfile.v0",
      "--local",
      `context=${dir}`,
      "--local",
      `dockerfile=${dir}`,
      "--output",
      `type=local,dest=${dir}/out`,
    ];
    await run(builtBinary("buildctl"), ["--addr", daemon.address, "build", ...source, ...flags]);
    assert.equal(await readFile(join(dir, "out/out"), "utf8"), "grüezi /work\n");
  } finally {
    await daemon.stop();
  }
});

test("a layer has every kind of file, with owner, mode and time, as GNU tar reads it", async () => {
  const root = await temporary();
  const long = `${"d".repeat(90)}/${"ö".repeat(90)}/${"f".repeat(200)}`;
  await mkdir(join(root, long, ".."), { recursive: true });
  await writeFile(join(root, long), "deep");
  await writeFile(join(root, "empty"), "");
  await writeFile(join(root, "no-mode"), "x", { mode: 0o000 });
  await chmod(join(root, "no-mode"), 0);
  await writeFile(join(root, "setuid"), "y");
  await chmod(join(root, "setuid"), 0o4755);
  await writeFile(join(root, "big"), Buffer.alloc(3_000_001, "z"));
  await link(join(root, "big"), join(root, "hard"));
  await symlink("../../../etc/passwd", join(root, "upwards"));
  await symlink("x".repeat(300), join(root, "long-link"));
  await writeFile(Buffer.concat([Buffer.from(`${root}/bytes-`), Buffer.from([0xff, 0xfe])]), "not UTF-8");
  await run("mknod", [join(root, "null"), "c", "1", "3"]);
  await run("mknod", [join(root, "disk"), "b", "259", "70000"]);
  await run("mkfifo", [join(root, "pipe")]);
  await run("chown", ["-h", "3000000:4000000", join(root, "empty"), join(root, "upwards")]);
  // Whole seconds: fractions are dropped, and tar would tell.
  await run("find", [root, "-exec", "touch", "--no-dereference", "--date=@1700000000", "{}", "+"]);
  await utimes(join(root, "empty"), 5_000_000_000, 5_000_000_000);
  await lutimes(join(root, "upwards"), 1, 1);
  await store.import(ref, root);
  const image = await store.resolve(ref, host);
  const manifest = JSON.parse(await readFile(join(store.dir, "blobs", (image?.digest ?? "").replace(":", "/")), "utf8")) as {
    layers: [{ digest: string }];
  };
  const tar = join(store.dir, "blobs", manifest.layers[0].digest.replace(":", "/"));
  // tar says nothing, and ends with 0, when the archive and the directory are the same.
  assert.deepEqual(await run("tar", ["--compare", "--file", tar, "--directory", root]), { stdout: "", stderr: "" });
  const unpacked = await temporary();
  await run("tar", ["--extract", "--same-permissions", "--file", tar, "--directory", unpacked]);
  const listing = async (dir: string): Promise<string> =>
    (
      await run("sh", [
        "-c",
        'cd "$1" && find . -mindepth 1 -printf "%p %y %#m %U:%G %s %l %n %T@\\n" | LC_ALL=C sort | sed "s/ d \\(.*\\)\\.[0-9]*$/ d \\1/; s/\\.[0-9]*$//"',
        "sh",
        dir,
      ])
    ).stdout;
  // The size and link count of a directory belong to the disk it is on.
  const comparable = (text: string): string => text.replace(/^(\S+ d \S+ \S+) .*$/gm, "$1");
  assert.equal(comparable(await listing(unpacked)), comparable(await listing(root)));
  assert.equal((await stat(join(unpacked, "null"))).rdev, (await stat(join(root, "null"))).rdev);
  assert.equal((await stat(join(unpacked, "disk"))).rdev, (await stat(join(root, "disk"))).rdev);
});

test("the same directory gives the same image, wherever it lies", async () => {
  const root = await busyboxRoot(await temporary());
  const other = await temporary();
  await run("cp", ["-a", `${root}/.`, other]);
  const first = await store.import(ref, root);
  const second = await store.import("docker.io/library/other:1", other);
  assert.equal(first.digest, second.digest);
});

test("sockets are left out and named", async () => {
  const root = await temporary();
  await writeFile(join(root, "file"), "");
  await run("python3", ["-c", "import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])", join(root, "a.sock")]);
  assert.deepEqual((await store.import(ref, root)).skipped, ["a.sock"]);
});

test("a mounted filesystem inside a root directory is refused", async () => {
  const root = await temporary();
  await mkdir(join(root, "proc"));
  await run("mount", ["-t", "proc", "proc", join(root, "proc")]);
  try {
    await refused(store.import(ref, root), "image-mounted", /\/proc is another filesystem, mounted inside the root directory/);
  } finally {
    await run("umount", [join(root, "proc")]);
  }
  assert.deepEqual(await store.list(), []);
});

test("a name that would delete files in an image is refused", async () => {
  const root = await temporary();
  await writeFile(join(root, ".wh.etc"), "");
  await refused(store.import(ref, root), "image-whiteout", /\.wh\.etc cannot be in an image/);
});

test("an OCI layout directory is imported with its digests, and skopeo and umoci read the store", async () => {
  const stored = await store.import(ref, layout.dir);
  assert.equal(stored.digest, layout.digest);
  assert.equal((await store.resolve(ref, host))?.digest, layout.digest);
  await assertSound(store.dir);
  const { stdout } = await run("skopeo", ["inspect", "--raw", `oci:${store.dir}:${ref}`]);
  assert.equal(`sha256:${createHash("sha256").update(stdout).digest("hex")}`, layout.digest);
  const copy = join(await temporary(), "layout");
  await run("skopeo", ["copy", "-q", `oci:${store.dir}:${ref}`, `oci:${copy}:x`]);
  await run("umoci", ["unpack", "--image", `${copy}:x`, join(scratch, "bundle")]);
  assert.ok((await stat(join(scratch, "bundle/rootfs/bin/busybox"))).size > 0);
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
  await refused(openImageStore(join(scratch, "none")).remove(ref), "image-not-stored", /no image/);
  await assert.rejects(stat(join(scratch, "none")));
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

test("an archive with names that leave it is refused and writes nothing", async () => {
  const marker = join(scratch, "escaped");
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
