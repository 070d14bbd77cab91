// What exporters send and where it goes: archives, OCI layouts, several at once; attestations; what happens when a disk is full.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { failureOf } from "../../test/support/failures.ts";
import { sessionServices } from "../../test/support/jobs.ts";
import { copy, definition, file, layoutImage, mkdir, mkfile, type Node, shell } from "../../test/support/llb.ts";
import { solving } from "../../test/support/solving.ts";
import { createArchiveReceiver, createReceiver } from "../session/index.ts";
import type { BuildOptions, BuildResult } from "./index.ts";

const base = fs.mkdtempSync(path.join(os.tmpdir(), "dagger-exporters-"));
const on = solving();

after(() => fs.rmSync(base, { recursive: true, force: true }));

async function run(node: Node, more: Partial<BuildOptions>): Promise<BuildResult> {
  const build = await on.client.build({ session: sessionServices(on.layout), exporters: [], record: false, onStatus: () => {}, ...more });
  return build.finish(definition(node));
}

const tree = (): Node => file(undefined, [mkdir("/values"), mkfile("/values/1", "abc"), mkfile("/hello", "hi", 0o755)]);

test("one solve feeds a directory, a tar and two image archives at once, each its own", async () => {
  const names = ["out.tar", "oci.tar", "docker.tar"].map((name) => path.join(base, "several", name));
  const [tar, oci, docker] = names.map((dest) => createArchiveReceiver({ dest }));
  const receiver = createReceiver({ memory: ["values", "hello"], dirs: [] });
  assert.ok(tar !== undefined && oci !== undefined && docker !== undefined);
  const result = await run(tree(), {
    session: sessionServices(on.layout, { receiver }),
    exporters: [
      { type: "tar", attrs: {}, output: tar },
      { type: "local", attrs: {} },
      { type: "oci", attrs: { name: "example.com/a/b:1" }, output: oci },
      { type: "docker", attrs: { name: "example.com/a/b:2" }, output: docker },
    ],
  });
  assert.equal(receiver.values.get("values/1")?.toString(), "abc");
  assert.deepEqual(
    fs.readdirSync(path.join(base, "several")).filter((name) => !name.startsWith(".")),
    [],
  );
  const saved = await Promise.all([tar, oci, docker].map((archive) => archive.commit()));
  assert.deepEqual(fs.readdirSync(path.join(base, "several")), ["docker.tar", "oci.tar", "out.tar"]);
  assert.deepEqual(
    saved.map(({ dest }) => dest),
    names,
  );
  assert.deepEqual(
    saved.map(({ dest, bytes }) => fs.statSync(dest).size === bytes),
    [true, true, true],
  );
  assert.deepEqual(
    execFileSync("tar", ["-tf", names[0] as string], { encoding: "utf8" })
      .split("\n")
      .sort(),
    ["", "hello", "values/", "values/1"],
  );
  assert.match(saved[1]?.metadata["containerimage.digest"] ?? "", /^sha256:/);
  assert.match(result.exporterResponse["containerimage.digest"] ?? "", /^sha256:/);
  const inspect = (source: string): { Layers: string[] } =>
    JSON.parse(execFileSync("skopeo", ["inspect", source], { encoding: "utf8" })) as { Layers: string[] };
  assert.equal(inspect(`oci-archive:${names[1]}`).Layers.length, 1);
  assert.equal(inspect(`docker-archive:${names[2]}`).Layers.length, 1);
});

test("an image becomes an OCI layout whose other images stay, and can be used by the next build", async () => {
  const dir = path.join(base, "layout");
  const build = (name: string, node: Node): Promise<BuildResult> =>
    run(node, { exporters: [{ type: "oci", attrs: { tar: "false", ...(name === "" ? {} : { name }) }, layout: dir }] });
  const first = await build("example.com:5000/one:1.2", tree());
  await build("", shell(layoutImage("busybox", on.layout.digest), "echo second > /second"));
  await build("example.com:5000/one:1.2", tree());
  const index = JSON.parse(fs.readFileSync(path.join(dir, "index.json"), "utf8")) as {
    manifests: { digest: string; annotations: object }[];
  };
  const named = index.manifests.map(({ annotations }) => annotations as Record<string, string>);
  assert.deepEqual(named.map((a) => a["org.opencontainers.image.ref.name"]).sort(), ["1.2", "latest"]);
  assert.equal(named.find((a) => a["io.containerd.image.name"])?.["io.containerd.image.name"], "example.com:5000/one:1.2");
  assert.deepEqual(fs.readdirSync(path.join(dir, "ingest")), []);
  execFileSync("skopeo", ["inspect", `oci:${dir}:latest`]);
  const digest = first.exporterResponse["containerimage.digest"] as string;
  const receiver = createReceiver({ memory: ["values"], dirs: [] });
  const session = sessionServices(on.layout, { receiver, layouts: new Map([["mine", dir]]) });
  await run(file(undefined, [copy(layoutImage("mine", digest), "/values", "/values/")]), {
    session,
    exporters: [{ type: "local", attrs: {} }],
  });
  assert.equal(receiver.values.get("values/1")?.toString(), "abc");
});

test("an image carries its provenance when it is asked for", async () => {
  const dir = path.join(base, "attested");
  await run(tree(), {
    exporters: [{ type: "oci", attrs: { tar: "false" }, layout: dir }],
    attestations: { provenance: "mode=max,builder-id=https://example.com/builder" },
  });
  const blobs = fs
    .readdirSync(path.join(dir, "blobs/sha256"))
    .map((name) => fs.readFileSync(path.join(dir, "blobs/sha256", name), "latin1"));
  assert.ok(blobs.some((text) => text.includes("slsa.dev/provenance") && text.includes("https://example.com/builder")));
});

test("a full disk ends the build with one clear error, and leaves nothing", async () => {
  const small = path.join(base, "small");
  fs.mkdirSync(small);
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=256k", "tmpfs", small]);
  try {
    const big = file(undefined, [mkfile("/big", Buffer.alloc(4 << 20, "x"))]);
    const archive = createArchiveReceiver({ dest: path.join(small, "big.tar"), at: [{ file: "a.cue", line: 1, column: 2 }] });
    const full = await failureOf(run(big, { exporters: [{ type: "tar", attrs: {}, output: archive }] }));
    assert.deepEqual([full.exit, full.diagnostics[0]?.code, full.diagnostics[0]?.at.length], [3, "disk-full", 1]);
    const image = file(undefined, [mkfile("/big", Buffer.from(Array.from({ length: 1 << 20 }, (_, i) => (i * 7919) % 251)))]);
    const store = await failureOf(
      run(image, {
        exporters: [{ type: "oci", attrs: { tar: "false", compression: "uncompressed" }, layout: path.join(small, "layout") }],
      }),
    );
    assert.deepEqual([store.exit, store.diagnostics[0]?.code], [3, "disk-full"]);
    assert.deepEqual(fs.readdirSync(path.join(small, "layout/ingest")), []);
    assert.equal(fs.existsSync(path.join(small, "layout/index.json")), false);
    assert.deepEqual(fs.readdirSync(small), ["layout"]);
  } finally {
    execFileSync("umount", ["-l", small]);
  }
});

test("a directory in the place of an archive is told, and an archive that is there is replaced", async () => {
  const dest = path.join(base, "taken.tar");
  fs.mkdirSync(dest);
  const refused = createArchiveReceiver({ dest });
  const error = await failureOf(run(tree(), { exporters: [{ type: "tar", attrs: {}, output: refused }] }));
  assert.deepEqual([error.diagnostics[0]?.code, error.message], ["save-failed", `Cannot save to ${dest}: a directory is in the way`]);
  fs.rmdirSync(dest);
  fs.writeFileSync(dest, "old");
  const archive = createArchiveReceiver({ dest });
  await run(tree(), { exporters: [{ type: "tar", attrs: {}, output: archive }] });
  assert.equal(fs.readFileSync(dest, "utf8"), "old");
  await archive.commit();
  execFileSync("tar", ["-tf", dest]);
});

test("nothing of an archive stays when the build fails or is given up", async () => {
  const dest = path.join(base, "given-up", "a.tar");
  const archive = createArchiveReceiver({ dest });
  await run(tree(), { exporters: [{ type: "tar", attrs: {}, output: archive }] });
  archive.rollback();
  assert.deepEqual(fs.readdirSync(path.dirname(dest)), []);
});
