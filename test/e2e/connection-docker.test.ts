// The BuildKit inside a real, old Docker daemon: found as the docker command finds it, used for whole jobs, and told apart from newer ones.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { connect as connectSocket } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createServer as createTlsServer } from "node:tls";
import { promisify } from "node:util";
import { lookForDaemon } from "../../runtime/daemon/index.ts";
import { connect } from "../../runtime/solve/index.ts";
import { builtBinary } from "../support/buildkitd.ts";
import { makeAuthority, makeCertificate } from "../support/certificates.ts";
import { startDockerd, type TestDocker } from "../support/dockerd.ts";
import { failureAt } from "./connections.ts";
import { type Bench, type Outcome, startBench } from "./dagger.ts";

const run = promisify(execFile);
let bench: Bench;
let docker: TestDocker;

before(async () => {
  bench = await startBench();
  docker = await startDockerd();
});
after(async () => {
  await docker.stop();
  await bench.end();
});

/** Runs a config on Docker, with an empty image store: this Docker takes images of its own only. */
function up(name: string, config: string, more: readonly string[] = []): Promise<Outcome> {
  const dir = join(bench.dir, name);
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, "up.cue"), `package up\n${config}`);
  const env = { BUILDKIT_HOST: `docker://${docker.socket}`, DAGGER_DATA_DIR: join(bench.dir, "no-images") };
  return bench.dagger(["up", "--progress", "quiet", ...more, dir], env);
}

test("a whole job runs on Docker's own BuildKit: files in, commands, files and values out", async () => {
  const config = `
image: #up: [{do: "fetch-container", ref: "busybox"}]
answer: {
	#up: [
		{do: "load", from: image},
		{do: "copy", from: [{do: "local", dir: "."}], src: "up.cue", dest: "/in/"},
		{do: "exec", network: "none", args: ["sh", "-c", "wc -l < /in/up.cue | tr -d '\\\\n' > /lines"], mount: "/tmp": "tmpfs"},
		{do: "export", source: "/lines", format: "number"},
	]
	int
}
kept: #up: [
	{do: "load", from: image},
	{do: "exec", network: "none", args: ["mkdir", "/out"]},
	{do: "write-file", dest: "/out/value", content: "hello"},
	{do: "subdir", dir: "/out"},
	{do: "save-dir", dest: "./saved"},
]
`;
  const { code, stdout, stderr } = await up("job", config, ["--output", "json"]);
  assert.equal(code, 0, stderr);
  const result = JSON.parse(stdout) as { values: { answer: number }; passes: unknown[] };
  assert.equal(result.values.answer, config.split("\n").length);
  assert.equal(result.passes.length, 1);
  assert.equal(readFileSync(join(bench.dir, "job/saved/value"), "utf8"), "hello");
});

test("what an old daemon cannot do is told before anything runs, with op, line and version", async () => {
  const { code, stdout, stderr } = await up(
    "lacks",
    `a: #up: [{do: "fetch-container", ref: "busybox"}, {do: "exec", network: "none", args: ["touch", "/ran"]}]
b: #up: [{do: "scratch"}, {do: "symlink", oldpath: "x", newpath: "/y"}]
m: #up: [{do: "merge", inputs: [a, b]}]
d: #up: [{do: "diff", lower: a, upper: m}]
c: #up: [{do: "scratch"}, {do: "copy", from: a, src: "/", include: ["bin"]}]
`,
    ["--output", "json"],
  );
  assert.equal(code, 3, stderr);
  const { diagnostics } = JSON.parse(stdout) as { diagnostics: { code: string; message: string; at: { line: number }[] }[] };
  assert.deepEqual([...new Set(diagnostics.map((one) => one.code))], ["daemon-lacks"]);
  const found = diagnostics.map(({ message, at }) => [message.replace(/^`(\S+).*` needs /, "$1: "), at[0]?.line]);
  const lacks = `which Docker ${docker.version} does not have`;
  assert.deepEqual(
    found.sort((a, b) => Number(a[1]) - Number(b[1])),
    [
      [`symlink: making symlinks (file.symlink.create), ${lacks}`, 3],
      [`merge: merging filesystems (mergeop), ${lacks}`, 4],
      [`diff: the difference of filesystems (diffop), ${lacks}`, 5],
      [`copy: include and exclude in copies (file.copy.includeexcludepatterns), ${lacks}`, 6],
    ],
  );
  assert.doesNotMatch(stderr, /exec touch/, "nothing ran");
});

test("a command that fails on an old daemon is told at its line, though the daemon's error does not say which it was", async () => {
  const ops = '{do: "exec", network: "none", args: ["sh", "-c", "exit 7"], mount: "/tmp": "tmpfs"}';
  const { code, stderr } = await up("fails", `a: #up: [{do: "fetch-container", ref: "busybox"},\n\t${ops}]\n`);
  assert.equal(code, 1, stderr);
  assert.match(stderr, /`exec sh -c exit 7` of a (ended with exit code 7|failed: .*exit code: 7)/);
  assert.match(stderr, /up\.cue:3:2\n/);
  assert.match(stderr, /= mounts: \/tmp \(tmpfs\)/);
});

test("a Dockerfile is built by Docker's own frontend, and what its context cannot be made of is told before it is asked", async () => {
  const { code, stdout, stderr } = await up(
    "dockerfile",
    `app: {string, #up: [
	{do: "docker-build", context: [{do: "local", dir: "."}], dockerfile: "FROM busybox\\nCOPY up.cue /copied\\n"},
	{do: "export", source: "/copied", format: "string"},
]}
`,
    ["--output", "json"],
  );
  assert.equal(code, 0, stderr);
  assert.match((JSON.parse(stdout) as { values: { app: string } }).values.app, /^package up\n/);
  const lacking = await up(
    "dockerfile-lacks",
    `files: #up: [{do: "fetch-container", ref: "busybox"}, {do: "exec", network: "none", args: ["touch", "/ran"]}, {do: "symlink", oldpath: "x", newpath: "/y"}]
app: #up: [{do: "docker-build", context: files, dockerfile: "FROM busybox"}]
`,
  );
  assert.equal(lacking.code, 3, lacking.stderr);
  assert.match(
    lacking.stderr,
    /error\[daemon-lacks\]: `symlink .*` needs making symlinks \(file\.symlink\.create\), which Docker .*\n.*up\.cue:2:\d+/,
  );
  assert.doesNotMatch(lacking.stderr, /exec touch/, "nothing ran");
  const old = await up("dockerfile-old", 'app: #up: [{do: "docker-build", dockerfile: "FROM busybox\\nRUN --network=none true"}]\n');
  assert.equal(old.code, 2, old.stderr);
  assert.match(
    old.stderr,
    /error\[bad-dockerfile\]: Cannot build app\.#up\[0\]\.dockerfile: dockerfile parse error line 2: Unknown flag: network\n/,
  );
});

test("the same job runs on a daemon of our time", async () => {
  const { code, stderr } = await bench.dagger(["up", "--progress", "quiet", join(bench.dir, "lacks")]);
  assert.equal(code, 0, stderr);
});

test("a daemon that does not set PATH by itself gets a graph that does, for Dockerfiles too", async () => {
  const dir = join(bench.dir, "path");
  const cache = join(bench.dir, "path-cache");
  mkdirSync(dir);
  const config = `package up
busybox: #up: [{do: "fetch-container", ref: "busybox"}]
bare: #up: [{do: "scratch"}, {do: "copy", from: busybox, src: "/", dest: "/"}]
files: #up: [{do: "load", from: bare}, {do: "exec", args: ["sh", "-c", "echo $PATH > /path"]}]
built: {string, #up: [{do: "docker-build", context: files, dockerfile: "FROM scratch\\nCOPY path /\\n"}, {do: "export", source: "/path", format: "string"}]}
`;
  writeFileSync(join(dir, "up.cue"), config);
  const steps = async (): Promise<readonly string[]> => {
    const { code, stdout, stderr } = await bench.dagger(["up", "--progress", "json", "--output", "json", dir], { DAGGER_CACHE_DIR: cache });
    assert.equal(code, 0, stderr);
    assert.match((JSON.parse(stdout) as { values: { built: string } }).values.built, /^\/usr\/local\/sbin:.*:\/bin\n$/);
    return [...new Set(stderr.match(/sha256:[0-9a-f]{64}(?=","name":"exec )/g))];
  };
  const usual = await steps();
  const [known = ""] = readdirSync(join(cache, "capabilities"));
  const file = join(cache, "capabilities", known);
  const caps = JSON.parse(readFileSync(file, "utf8")) as string[];
  writeFileSync(file, JSON.stringify(caps.filter((cap) => cap !== "exec.meta.setsdefaultpath")));
  const old = await steps();
  assert.deepEqual([usual.length, old.length], [1, 1]);
  assert.notEqual(usual[0], old[0], "PATH is part of the step");
});

test("Docker is found by DOCKER_HOST and by its context, after the standard sockets", async () => {
  const config = join(bench.dir, "docker-config");
  const id = createHash("sha256").update("far").digest("hex");
  mkdirSync(join(config, "contexts/meta", id), { recursive: true });
  writeFileSync(
    join(config, "contexts/meta", id, "meta.json"),
    JSON.stringify({ Name: "far", Endpoints: { docker: { Host: docker.host } } }),
  );
  writeFileSync(join(config, "config.json"), JSON.stringify({ currentContext: "far" }));
  for (const env of [{ DOCKER_HOST: docker.host }, { DOCKER_CONFIG: config }, { DOCKER_CONFIG: config, DOCKER_CONTEXT: "far" }]) {
    assert.deepEqual(await lookForDaemon({ env: { HOME: bench.dir, ...env } }), { address: "docker://", from: "docker" });
    const client = await connect("docker://", { env });
    assert.equal((await client.capabilities({ DAGGER_CACHE_DIR: bench.dir }))?.name, `Docker ${docker.version}`);
    client.close();
  }
  const { stdout } = await bench.dagger(["doctor"], { BUILDKIT_HOST: "", DOCKER_HOST: docker.host });
  assert.match(stdout, new RegExp(`ok +BuildKit +Docker ${docker.version} at docker:// \\(Docker's own\\)`));
});

test("a Docker that is not there, or is none, is passed over when nobody asked for it, and an error when somebody did", async () => {
  const server = createServer((_request, response) => response.writeHead(404).end("page not found")).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const cases: readonly [Readonly<Record<string, string>>, string][] = [
    [{ DOCKER_HOST: `unix://${bench.dir}/no.sock` }, `docker:// (unix://${bench.dir}/no.sock): there is no such socket`],
    [{ DOCKER_HOST: `tcp://127.0.0.1:${port}` }, `docker:// (tcp://127.0.0.1:${port}): it has no BuildKit`],
  ];
  for (const [env, message] of cases) {
    assert.equal(await lookForDaemon({ env: { HOME: bench.dir, ...env } }), undefined);
    assert.deepEqual((await failureAt("docker://", { env })).slice(0, 3), [
      3,
      "no-daemon",
      `Cannot connect to a BuildKit daemon at ${message}`,
    ]);
  }
  server.close();
  const [exit, code] = await failureAt("docker://", { env: { DOCKER_CONFIG: bench.dir, DOCKER_CONTEXT: "nowhere" } });
  assert.deepEqual([exit, code], [2, "no-docker-context"]);
  assert.deepEqual((await failureAt("docker://", { env: { DOCKER_HOST: "npipe:////./pipe/docker" } })).slice(0, 2), [2, "bad-address"]);
});

test("a Docker on another machine is reached by ssh, as the docker command does it", async () => {
  const tools = join(bench.dir, "tools");
  mkdirSync(tools);
  // Stands for ssh: the other machine is this one. What it is told to run there is the real thing.
  const script = `#!/bin/sh\nprintf '%s ' "$@" > ${tools}/args\nshift 4\nDOCKER_HOST=${docker.host} exec "$@"\n`;
  writeFileSync(join(tools, "ssh"), script, { mode: 0o755 });
  const env = { DOCKER_HOST: "ssh://me@far", PATH: `${tools}:${process.env["PATH"] ?? ""}` };
  const client = await connect("docker://", { env });
  assert.equal((await client.capabilities({ DAGGER_CACHE_DIR: bench.dir }))?.name, `Docker ${docker.version}`);
  client.close();
  assert.equal(readFileSync(join(tools, "args"), "utf8"), "-l me -- far docker system dial-stdio ");
});

test("a Docker behind TLS takes the certificates that the docker command would", async () => {
  const certs = join(bench.dir, "certs");
  mkdirSync(certs);
  await makeAuthority(certs, "ca");
  await makeCertificate(certs, "ca", "server", { names: "IP:127.0.0.1" });
  await makeCertificate(certs, "ca", "cert");
  renameSync(join(certs, "cert-key.pem"), join(certs, "key.pem"));
  const read = (name: string): Buffer => readFileSync(join(certs, name));
  const options = {
    ca: read("ca.pem"),
    cert: read("server.pem"),
    key: read("server-key.pem"),
    requestCert: true,
    ALPNProtocols: ["h2", "http/1.1"],
  };
  // Docker's own TLS cannot be started for one address only, so this ends it in front of the daemon.
  const server = createTlsServer(options, (socket) => {
    const daemon = connectSocket(docker.socket);
    if (socket.alpnProtocol !== "http/1.1") return void socket.destroy();
    socket.on("error", () => daemon.destroy());
    daemon.on("error", () => socket.destroy());
    socket.pipe(daemon).pipe(socket);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const env = { DOCKER_HOST: `tcp://127.0.0.1:${port}`, DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH: certs };
  const client = await connect("docker://", { env });
  assert.equal((await client.listWorkers()).length, 1);
  client.close();
  const [exit, , message] = await failureAt("docker://", { env: { ...env, DOCKER_CERT_PATH: bench.dir } });
  assert.equal(exit, 3);
  assert.match(message, /its certificate is not signed by a certificate authority that is trusted here$/);
  server.close();
});

test("a buildkitd is reached through a real container", async () => {
  const env = { PATH: process.env["PATH"] ?? "", DOCKER_HOST: docker.host };
  const files = [`${bench.daemon.dir}:/run/buildkit`, `${builtBinary("buildctl")}:/usr/bin/buildctl:ro`].flatMap((mount) => ["-v", mount]);
  await run("docker", ["run", "-d", "--name", "builder", "--network", "none", ...files, "busybox", "sleep", "1000"], { env });
  try {
    const client = await connect("docker-container://builder", { env });
    assert.match((await client.info()).version, /^v\d/);
    client.close();
    assert.match((await failureAt("docker-container://gone", { env }))[2], /docker ended with exit code 1: .*No such container: gone/);
    await run("docker", ["kill", "builder"], { env });
    assert.match((await failureAt("docker-container://builder", { env }))[2], /docker ended with exit code 1: .*is not running/);
  } finally {
    await run("docker", ["rm", "-f", "builder"], { env });
  }
});
