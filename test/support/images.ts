// Images for tests and the demo, made on this machine: a small busybox one, and Debian with a C toolchain by debootstrap.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, copyFile, mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { arch, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const repository = fileURLToPath(new URL("../..", import.meta.url));

/** An OCI layout on disk with one image in it. */
export interface TestLayout {
  readonly dir: string;
  readonly tag: string;
  /** Digest of the manifest, `sha256:…`. */
  readonly digest: string;
}

/** The image config that `busyboxLayout` gives its image; what `fetch-container` and `fetch-oci` must apply. */
export const busyboxConfig = {
  Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "FROM_IMAGE=busybox"],
  WorkingDir: "/work",
  Cmd: ["sh"],
} as const;

/** Fills `dir` with a busybox root: every applet, /etc/passwd with root and nobody, /tmp and /work. */
export async function busyboxRoot(dir: string): Promise<string> {
  for (const name of ["bin", "etc", "tmp", "work", "root", "proc", "sys", "dev", "usr/bin"])
    await mkdir(join(dir, name), { recursive: true });
  await chmod(dir, 0o755);
  await chmod(join(dir, "tmp"), 0o1777);
  await copyFile("/bin/busybox", join(dir, "bin/busybox"));
  const { stdout } = await run("/bin/busybox", ["--list"]);
  for (const applet of stdout.split("\n").filter((name) => name !== "" && name !== "busybox"))
    await symlink("busybox", join(dir, "bin", applet));
  await symlink("../../bin/env", join(dir, "usr/bin/env"));
  await writeFile(join(dir, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n");
  await writeFile(join(dir, "etc/group"), "root:x:0:\nnogroup:x:65534:\n");
  return dir;
}

let busybox: Promise<TestLayout> | undefined;

/**
 * An OCI layout of a busybox image (tag `latest`), made once under dist/images and shared by all tests.
 * Packed by tar, not by our own store, so that the store's tests may be held against it.
 */
export function busyboxLayout(): Promise<TestLayout> {
  busybox ??= makeBusyboxLayout();
  return busybox;
}

async function makeBusyboxLayout(): Promise<TestLayout> {
  // Named by what makes it, so that it is never replaced while another test reads it.
  const recipe = createHash("sha256")
    .update(await readFile(fileURLToPath(import.meta.url)))
    .update(await readFile("/bin/busybox"));
  const dir = join(repository, "dist/images", `busybox-${recipe.digest("hex").slice(0, 16)}`);
  if (!existsSync(dir)) {
    await mkdir(join(repository, "dist/images"), { recursive: true });
    const made = await mkdtemp(`${dir}.new-`);
    await writeBusyboxLayout(made);
    // Several test files may do this at once; the first one wins, and all make the same bytes.
    await rename(made, dir).catch(() => rm(made, { recursive: true, force: true }));
  }
  const index = JSON.parse(await readFile(join(dir, "index.json"), "utf8")) as { manifests: [{ digest: string }] };
  return { dir, tag: "latest", digest: index.manifests[0].digest };
}

async function writeBusyboxLayout(dir: string): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), "dagger-busybox-"));
  try {
    await busyboxRoot(root);
    const layerFile = join(dir, "layer");
    await run("tar", ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner", "-cf", layerFile, "-C", root, "."]);
    const layer = await readFile(layerFile);
    await rm(layerFile);
    await mkdir(join(dir, "blobs/sha256"), { recursive: true });
    const put = async (mediaType: string, data: Uint8Array): Promise<object> => {
      const hex = createHash("sha256").update(data).digest("hex");
      await writeFile(join(dir, "blobs/sha256", hex), data);
      return { mediaType, digest: `sha256:${hex}`, size: data.byteLength };
    };
    const layerBlob = await put("application/vnd.oci.image.layer.v1.tar", layer);
    const config = {
      created: "1970-01-01T00:00:00Z",
      architecture: arch() === "x64" ? "amd64" : arch(),
      os: "linux",
      config: busyboxConfig,
      rootfs: { type: "layers", diff_ids: [(layerBlob as { digest: string }).digest] },
    };
    const configBlob = await put("application/vnd.oci.image.config.v1+json", Buffer.from(JSON.stringify(config)));
    const manifest = { schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json", config: configBlob, layers: [layerBlob] };
    const manifestBlob = await put(manifest.mediaType, Buffer.from(JSON.stringify(manifest)));
    const index = { schemaVersion: 2, manifests: [{ ...manifestBlob, annotations: { "org.opencontainers.image.ref.name": "latest" } }] };
    await writeFile(join(dir, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
    await writeFile(join(dir, "index.json"), JSON.stringify(index));
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

/**
 * The root directory of a Debian (bookworm, with gcc, libc6-dev and make), made once by debootstrap under dist/images:
 * about 30 seconds the first time. `make debian` makes it beforehand. For `dagger image import docker.io/library/debian:bookworm DIR`.
 */
export function debianRoot(): Promise<string> {
  return makeRoot("compiler", "debian");
}

/** The root directory of a Debian with curl, git, ssh, rclone, kubectl and docker's client, made once by debootstrap under dist/images. */
export function toolsRoot(): Promise<string> {
  return makeRoot("tools", "tools");
}

async function makeRoot(kind: string, name: string): Promise<string> {
  const dir = join(repository, "dist/images", name);
  await run("bash", [join(repository, "tools/debian-root.sh"), kind, dir], { maxBuffer: 1 << 24 });
  return join(dir, "rootfs");
}
