// Runs what the compiler makes on a real buildkitd: every component runs, values and directories come back, values reach processes.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { compile, type Job } from "../../compiler/index.ts";
import { builtBinary, startBuildkitd, type TestDaemon } from "../support/buildkitd.ts";
import { Incomplete, makeValue } from "../support/value.ts";

const repository = fileURLToPath(new URL("../..", import.meta.url));
const architecture = process.arch === "arm64" ? "arm64" : "amd64";

let daemon: TestDaemon;
let workspace: string;
before(async () => {
  daemon = await startBuildkitd();
  workspace = await mkdtemp(join(tmpdir(), "dagger-compile-"));
  await mkdir(join(workspace, "root/bin"), { recursive: true });
  await copyFile("/bin/busybox", join(workspace, "root/bin/busybox"));
});
after(async () => {
  await daemon.stop();
  await rm(workspace, { recursive: true });
});

const base = { "#up": [{ do: "local", dir: "root" }] };
const sh = (script: string, ...args: unknown[]): object => ({ do: "exec", args: ["/bin/busybox", "sh", "-ec", script, "sh", ...args] });

interface Ran {
  readonly ok: boolean;
  readonly output: string;
  /** Text by file name, below the result. */
  readonly files: Readonly<Record<string, string>>;
}

/** Solves a job through buildctl, the Go client, which serves its directories and receives its result. */
async function run(data: unknown): Promise<Ran & { readonly job: Job }> {
  const helper = join(repository, "dist/run", architecture);
  const job = await compile(
    makeValue({ base, ...(data as object) }),
    { images: { image: () => Promise.reject(new Error("unused")), layout: () => Promise.reject(new Error("unused")) } },
    {
      platform: { os: "linux", architecture },
      workspace,
      configDir: workspace,
      localUniqueId: workspace,
      helper: () => ({ name: "dagger-helper", dir: helper, at: [] }),
    },
  );
  const result = await mkdtemp(join(tmpdir(), "dagger-result-"));
  const definition = join(result, "definition.pb");
  await writeFile(definition, job.definition.encoded);
  const locals = job.locals.flatMap((local) => ["--local", `${local.name}=${local.dir}`]);
  const dest = join(result, "files");
  const args = ["--addr", daemon.address, "build", "--progress", "plain", ...locals, "--output", `type=local,dest=${dest}`];
  const ran = await new Promise<Omit<Ran, "files">>((resolve) => {
    const child = execFile(builtBinary("buildctl"), args, (error, stdout, stderr) =>
      resolve({ ok: error === null, output: stdout + stderr }),
    );
    child.stdin?.end(job.definition.encoded);
  });
  const files: Record<string, string> = {};
  for (const name of existsSync(dest) ? await readdir(dest, { recursive: true, withFileTypes: true }) : []) {
    const path = join(name.parentPath, name.name);
    if (name.isFile()) files[path.slice(dest.length + 1)] = await readFile(path, "utf8");
  }
  await rm(result, { recursive: true });
  return { ...ran, files, job };
}

const value = (...ops: unknown[]): Incomplete =>
  new Incomplete("string", { "#up": [{ do: "load", from: base }, ...ops, { do: "export", source: "/v" }] });

test("values and directories come back in one tree, and components with nothing to give run", async () => {
  const { ok, output, files } = await run({
    version: value(sh("echo 1.2.3 > /v")),
    linked: value(sh("echo real > /r; /bin/busybox ln -s r /v")),
    app: {
      "#up": [
        { do: "load", from: base },
        sh("/bin/busybox mkdir -p /dist/sub /empty; echo a > /dist/a; echo b > /dist/sub/b"),
        { do: "save-dir", dest: "out", src: "/dist" },
        { do: "save-dir", dest: "empty", src: "/empty" },
        { do: "save-dir", dest: "one", src: "/dist/a" },
      ],
    },
    lint: { "#up": [{ do: "load", from: base }, sh("echo LINT-RAN >&2")] },
    push: { "#up": [{ do: "load", from: base }, sh("echo PUSH-RAN >&2"), { do: "scratch" }] },
  });
  assert.ok(ok, output);
  assert.deepEqual(files, {
    "values/0": "1.2.3\n",
    "values/1": "real\n",
    "dirs/0/a": "a\n",
    "dirs/0/sub/b": "b\n",
    "dirs/2/a": "a\n",
  });
  assert.match(output, /LINT-RAN/);
  assert.match(output, /PUSH-RAN/);
});

test("computed values reach files, environment and arguments of the same solve, byte for byte", async () => {
  const url = value(sh("printf 'http://x/$HOME \"q\"\\n\\n' > /v"));
  const { ok, output, files } = await run({
    url,
    app: value(
      { do: "env", env: { STATE: url } },
      { do: "write-file", dest: "/etc/app/url", content: url, mode: 0o640 },
      {
        ...sh(
          'printf "%s|%s|%s|" "$URL" "$STATE" "$1" > /v; /bin/busybox cat /etc/app/url >> /v; /bin/busybox stat -c %a /etc/app/url >> /v',
          url,
        ),
        env: { URL: url },
      },
    ),
  });
  assert.ok(ok, output);
  const text = 'http://x/$HOME "q"\n\n';
  assert.equal(files["values/1"], `${text}|${text}|${text}|${text}640\n`);
});

test("a command behind a computed value keeps its exit code, and is looked up in PATH", async () => {
  const url = value(sh("echo x > /v"));
  const failing = await run({ url, app: { "#up": [{ do: "load", from: base }, sh("exit 7", url)] } });
  assert.equal(failing.ok, false);
  assert.match(failing.output, /exit code: 7/);
  const found = await run({ url, app: value({ do: "exec", args: ["busybox", "sh", "-c", "echo found > /v", url] }) });
  assert.equal(found.files["values/1"], "found\n");
  const lost = await run({
    url,
    app: {
      "#up": [
        { do: "load", from: base },
        { do: "exec", args: ["nothing-like-it", url] },
      ],
    },
  });
  assert.match(lost.output, /command "nothing-like-it" not found in PATH/);
});

test("an exported file that is not there is blamed on its export", async () => {
  const { ok, output } = await run({ lost: value() });
  assert.equal(ok, false);
  assert.match(output, /> lost:/);
  assert.match(output, /"\/v": not found/);
});

test("file ops do on the daemon what they say", async () => {
  const { ok, output, files } = await run({
    app: value(
      { do: "workdir", path: "/w" },
      { do: "mkdir", path: "d/e", mode: 0o700 },
      { do: "write-file", dest: "f", content: "text", owner: "1000:33" },
      { do: "copy", from: [{ do: "write-file", dest: "/x/y/z", content: "z" }], src: "/x", dest: "/copied" },
      { do: "copy", from: base, src: "/none", allowNotFound: true },
      { do: "symlink", oldpath: "f", newpath: "l" },
      { do: "write-file", dest: "gone", content: "" },
      { do: "rm", path: "gone" },
      { do: "rm", path: "*.none", allowNotFound: true, wildcard: true },
      sh(
        "/bin/busybox stat -c '%n %a %u:%g' d/e f > /v; /bin/busybox readlink l >> /v; /bin/busybox ls >> /v; /bin/busybox cat /copied/y/z >> /v",
      ),
    ),
  });
  assert.ok(ok, output);
  assert.equal(files["values/0"], "d/e 700 0:0\nf 644 1000:33\nf\nd\nf\nl\nz");
});

test("mounts give what they promise, and an output mount becomes the filesystem", async () => {
  const files = { "#up": [{ do: "write-file", dest: "/sub/f", content: "f\n" }] };
  const ran = await run({
    app: value({
      ...sh(
        "/bin/busybox cat /src/f > /v; ! echo x > /ro/f 2>/dev/null; /bin/busybox grep -c ' /mem tmpfs' /proc/mounts >> /v; echo kept > /cache/k",
      ),
      mount: { "/src": { from: files, path: "sub" }, "/ro": { from: files, readonly: true }, "/mem": { tmpfs: "1m" }, "/cache": "cache" },
    }),
    out: {
      "#up": [
        { do: "load", from: base },
        { ...sh("echo new > /out/new"), mount: { "/out": { from: files, output: true } } },
        { do: "save-dir", dest: "out" },
      ],
    },
  });
  assert.ok(ran.ok, ran.output);
  assert.equal(ran.files["values/0"], "f\n1\n");
  assert.equal(ran.files["dirs/0/new"], "new\n");
  assert.equal(ran.files["dirs/0/sub/f"], "f\n");
});

test("merge lays filesystems over each other, diff keeps what was added", async () => {
  const file = (name: string): object => ({ "#up": [{ do: "write-file", dest: `/${name}`, content: name }] });
  const [a, b] = [file("a"), file("b")];
  const both = {
    "#up": [
      { do: "merge", inputs: [a, b] },
      { do: "save-dir", dest: "both" },
    ],
  };
  const added = {
    "#up": [
      { do: "diff", lower: a, upper: both },
      { do: "save-dir", dest: "added" },
    ],
  };
  const { ok, output, files } = await run({ a, b, both, added });
  assert.ok(ok, output);
  assert.deepEqual(files, { "dirs/0/a": "a", "dirs/0/b": "b", "dirs/1/b": "b" });
});
