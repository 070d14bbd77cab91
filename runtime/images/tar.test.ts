// Layers made of root directories: every kind of file, read back by GNU tar and run by buildkitd.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmod, link, lutimes, mkdir, readFile, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import { promisify } from "node:util";
import { builtBinary, startBuildkitd } from "../../test/support/buildkitd.ts";
import { busyboxRoot } from "../../test/support/images.ts";
import { cleanUp, ref, refused, temporary } from "../../test/support/store.ts";
import { hostPlatform } from "./platform.ts";
import { type ImageStore, openImageStore } from "./store.ts";

const run = promisify(execFile);
const host = hostPlatform();
let store: ImageStore;

beforeEach(async () => {
  store = openImageStore(await temporary());
});
after(cleanUp);

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
