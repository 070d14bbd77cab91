// What the tests of the image store share: a store in a temporary directory, archives made by hand, and checks.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pack } from "tar-stream";
import { hostPlatform } from "../../runtime/images/index.ts";
import { failureOf } from "./failures.ts";

/** The reference that tests import under. */
export const ref = "docker.io/library/busybox:latest";

/** A temporary directory below one that `cleanUp` removes. */
export async function temporary(): Promise<string> {
  scratch ??= mkdtemp(join(tmpdir(), "dagger-images-"));
  return mkdtemp(join(await scratch, "t-"));
}
let scratch: Promise<string> | undefined;

/** Removes every temporary directory. */
export async function cleanUp(): Promise<void> {
  if (scratch !== undefined) await rm(await scratch, { recursive: true, force: true });
}

/** Asserts that the work fails with a UserError of this code, and that its message matches. */
export async function refused(work: Promise<unknown>, code: string, message: RegExp): Promise<void> {
  const error = await failureOf(work);
  assert.equal(error.diagnostics[0]?.code, code, error.message);
  assert.match(error.message, message);
}

/** Names of the blobs in a layout: their sha256 in hex, sorted. */
export async function blobsOf(dir: string): Promise<string[]> {
  return (await readdir(join(dir, "blobs/sha256"))).sort();
}

/** Every blob is what its name says, none is unneeded, and nothing lies in ingest. */
export async function assertSound(dir: string): Promise<void> {
  for (const name of await blobsOf(dir)) {
    const data = await readFile(join(dir, "blobs/sha256", name));
    assert.equal(createHash("sha256").update(data).digest("hex"), name);
  }
  assert.deepEqual(await readdir(join(dir, "ingest")), []);
}

/** A regular file, a symlink (`link`) or a hard link (`hard`). */
export type TarEntry = { name: string; data?: Uint8Array | string; link?: string; hard?: string };

/** A tar archive of these entries. */
export async function tarOf(entries: readonly TarEntry[]): Promise<Buffer> {
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

/** A file with these bytes in a new temporary directory. */
export async function fileOf(data: Uint8Array, name = "image.tar"): Promise<string> {
  const file = join(await temporary(), name);
  await writeFile(file, data);
  return file;
}

/** The parts of a docker archive of one layer. */
export function dockerParts(layer: Uint8Array): { config: Buffer; configHex: string } {
  const diffId = `sha256:${createHash("sha256").update(layer).digest("hex")}`;
  const config = Buffer.from(
    JSON.stringify({ os: "linux", architecture: hostPlatform().architecture, config: {}, rootfs: { type: "layers", diff_ids: [diffId] } }),
  );
  return { config, configHex: createHash("sha256").update(config).digest("hex") };
}
