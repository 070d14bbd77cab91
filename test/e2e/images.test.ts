// Dockerfiles, pushed and saved images, and logins: on a real buildkitd and real registries, judged by skopeo.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { definition, file, mkfile } from "../support/llb.ts";
import { startProxy } from "../support/proxy.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";
import { type Bench, type Outcome, startBench } from "./dagger.ts";

const run = promisify(execFile);
let bench: Bench;
let open: TestRegistry;
let locked: TestRegistry;

before(async () => {
  bench = await startBench();
  // A version of the daemon that was never seen is asked once what it can do, which takes an empty build of its own.
  assert.equal((await bench.dagger(["doctor"])).code, 0);
  open = await startRegistry();
  locked = await startRegistry({ login: { username: "me", password: "geheim" } });
});
after(async () => {
  await Promise.all([bench.end(), open.stop(), locked.stop()]);
});

let count = 0;

/** Writes a config with its files and runs it. */
async function up(
  files: Readonly<Record<string, string | Buffer>>,
  args: readonly string[] = [],
  env = {},
): Promise<Outcome & { dir: string }> {
  const dir = join(bench.dir, `config-${++count}`);
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), content);
  }
  const outcome = await bench.dagger(["up", dir, "--output", "json", "--progress", "plain", ...args], env);
  return { ...outcome, dir };
}

function values(outcome: Outcome): Record<string, unknown> {
  assert.equal(outcome.code, 0, outcome.stderr);
  return (JSON.parse(outcome.stdout) as { values: Record<string, unknown> }).values;
}

async function skopeo(...args: string[]): Promise<string> {
  const { stdout } = await run("skopeo", args, { maxBuffer: 1 << 26 });
  return stdout;
}

const dockerfile = `FROM busybox AS base
ARG WORD
RUN echo "built $WORD" > /word
FROM base
ENV COLOR=red
WORKDIR /srv
COPY . /all
USER nobody
ENTRYPOINT ["/bin/cat"]
CMD ["/word"]
`;

test("a Dockerfile builds inside the job's one solve, its context and image config applied", async () => {
  const proxy = await startProxy(bench.daemon.address);
  try {
    const outcome = await up(
      {
        "up.cue": `package up
out: {string, #up: [
	{do: "docker-build", context: [{do: "local", dir: "app"}], buildArg: WORD: "well", label: l: "1"},
	{do: "exec", args: ["sh", "-c", "{ cat /word; echo $COLOR; pwd; id -un; ls -A /all; } > /tmp/out"]},
	{do: "export", source: "/tmp/out"},
]}
`,
        "app/Dockerfile": dockerfile,
        "app/.dockerignore": "*.log\nnode_modules\n",
        "app/a.txt": "a",
        "app/b.log": "b",
        "app/node_modules/x": "x",
      },
      [],
      { BUILDKIT_HOST: proxy.address },
    );
    assert.equal(values(outcome)["out"], "built well\nred\n/srv\nnobody\n.dockerignore\nDockerfile\na.txt\n");
    assert.equal(proxy.count("Control/Solve"), 1);
  } finally {
    await proxy.stop();
  }
});

test("the Dockerfile may be text, lie elsewhere, have targets, and name other components in FROM and COPY --from", async () => {
  const outcome = await up({
    "up.cue": `package up
tool: #up: [{do: "fetch-container", ref: "busybox"}, {do: "write-file", dest: "/tool", content: "tool"}, {do: "env", env: FROM_TOOL: "yes"}]
text: {string, #up: [
	{do: "docker-build", dockerfile: "FROM tool\\nRUN echo $FROM_TOOL > /o\\nFROM busybox AS other\\nCOPY --from=tool /tool /o\\n", contexts: "tool": tool},
	{do: "export", source: "/o"},
]}
stage: {string, #up: [
	{do: "docker-build", context: [{do: "scratch"}, {do: "write-file", dest: "/d/F", content: "FROM busybox AS one\\nRUN echo one > /o\\nFROM one\\nRUN echo two > /o\\n"}], dockerfilePath: "d/F", target: "one"},
	{do: "export", source: "/o"},
]}
`,
  });
  assert.deepEqual([values(outcome)["text"], values(outcome)["stage"]], ["tool", "one\n"]);
});

test("mistakes in a Dockerfile are told at its line and at the op's", async () => {
  const files = { "up.cue": `package up\napp: #up: [{do: "docker-build", context: [{do: "local", dir: "app"}]}]\n` };
  const wrong = await up({ ...files, "app/Dockerfile": "FROM busybox\nRUNN x\n" });
  assert.equal(wrong.code, 2, wrong.stderr);
  assert.match(wrong.stderr, /bad-dockerfile/);
  assert.match(wrong.stderr, /unknown instruction: RUNN/);
  assert.match(wrong.stderr, /app\/Dockerfile:2:/);
  assert.match(wrong.stderr, /up\.cue:2:12/);

  const missing = await up({ ...files, "app/other": "" });
  assert.equal(missing.code, 2, missing.stderr);
  assert.match(missing.stderr, /There is no app\/Dockerfile in the context/);

  const failing = await up({ ...files, "app/Dockerfile": "FROM busybox\n\nRUN exit 7\n" });
  assert.equal(failing.code, 1, failing.stderr);
  assert.match(failing.stderr, /exit code 7/);
  assert.match(failing.stderr, /app\/Dockerfile:3:/);

  const image = await up({ ...files, "app/Dockerfile": "FROM 127.0.0.1:1/none\n" });
  assert.equal(image.code, 2, image.stderr);
  assert.match(image.stderr, /127\.0\.0\.1:1\/none/);
});

test("a failed RUN of a Dockerfile is told with its mounts", async () => {
  const files = (step: string, more = ""): Record<string, string> => ({
    "up.cue": `package up\napp: #up: [{do: "docker-build"${more}, dockerfile: "FROM busybox AS base\\nFROM busybox\\n${step}\\n"}]\n`,
  });
  const mounts =
    "--mount=type=bind,from=base,source=/bin,target=/in --mount=type=cache,target=/c --mount=type=tmpfs,target=/t --mount=type=secret,id=token,target=/s";
  const options = ["--secret", "token=env:TOKEN"];
  const failing = await up(files(`RUN ${mounts} exit 7`, ', secrets: ["token"]'), options, { TOKEN: "12345" });
  assert.equal(failing.code, 1, failing.stderr);
  const [told = ""] = /(?<== mounts: ).*/.exec(failing.stderr) ?? [];
  assert.deepEqual(told.split(", ").sort(), ["/c (cache)", "/in (bind of /bin)", "/s (secret token)", "/t (tmpfs)"]);

  const missing = await up(files("RUN --mount=type=bind,from=base,source=/nope,target=/in --mount=type=tmpfs,target=/t true"));
  assert.equal(missing.code, 1, missing.stderr);
  assert.match(missing.stderr, /failed: open \/nope: no such file or directory/);
  assert.match(missing.stderr, /\.dockerfile:3:1\n/);
  assert.match(missing.stderr, /= mounts: \/in \(bind of \/nope\), \/t \(tmpfs\)/);
});

test("a Dockerfile alone needs no context, and gets no rights of its own", async () => {
  const config = (step: string): Record<string, string> => ({
    "up.cue": `package up\napp: #up: [{do: "docker-build", dockerfile: "FROM busybox\\n${step}\\n"}]\n`,
  });
  const alone = await up(config("RUN true"));
  assert.equal(alone.code, 0, alone.stderr);
  assert.doesNotMatch(alone.stderr, /ERROR/);
  const host = await up(config("RUN --network=host true"));
  assert.equal(host.code, 2, host.stderr);
  assert.match(host.stderr, /not-allowed/);
  assert.match(host.stderr, /up\.cue:2:12/);
});

test("a Dockerfile gets the secrets that its op lists, and no others", async () => {
  const files = (secrets: string): Record<string, string> => ({
    "up.cue": `package up
out: {string, #up: [
	{do: "docker-build", dockerfile: "FROM busybox\\nRUN --mount=type=secret,id=token,required=true wc -c < /run/secrets/token > /o\\n"${secrets}},
	{do: "export", source: "/o"},
]}
`,
  });
  const args = ["--secret", "token=env:TOKEN"];
  const given = await up(files(`, secrets: ["token"]`), args, { TOKEN: "12345" });
  assert.equal(values(given)["out"], "5\n");
  const refused = await up(files(""), args, { TOKEN: "12345" });
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /not-listed/);
  const absent = await up(files(`, secrets: ["token"]`));
  assert.equal(absent.code, 2);
  assert.match(absent.stderr, /missing-secret/);
});

test("images are pushed and saved in one run, for other platforms too, and their digest becomes a value", async () => {
  const outcome = await up({
    "up.cue": `package up
base: #up: [{do: "fetch-container", ref: "busybox"}, {do: "exec", args: ["sh", "-c", "echo made > /made"]}]
app: {string, #up: [
	{do: "load", from: base},
	{do: "env", env: COLOR: "blue"},
	{do: "image-config", entrypoint: ["/bin/cat"], cmd: ["/made"], labels: a: "b", ports: [80], healthcheck: {test: ["true"], interval: "5s"}},
	{do: "push-container", ref: "${open.host}/app:1"},
	{do: "save-image", tag: "app:1", dest: "out/app.tar"},
	{do: "save-image", tag: "app:1", dest: "out/oci.tar", format: "oci"},
]}
told: {string, #up: [{do: "scratch"}, {do: "write-file", dest: "/f", content: "is \\(app)"}, {do: "export", source: "/f"}]}
many: #up: [
	{do: "write-file", dest: "/f", content: "f"},
	{do: "push-container", ref: "${open.host}/many", platforms: ["linux/amd64", "linux/arm64"]},
]
built: #up: [
	{do: "docker-build", dockerfile: "FROM scratch\\nCOPY f /f\\n", context: many, platforms: ["linux/arm64"]},
	{do: "save-image", tag: "built", dest: "out/built.tar"},
]
`,
  });
  const digest = String(values(outcome)["app"]);
  assert.match(digest, /^sha256:[0-9a-f]{64}$/);
  assert.equal(values(outcome)["told"], `is ${digest}`);
  const out = (name: string): string => join(outcome.dir, "out", name);
  const pushed = JSON.parse(await skopeo("inspect", "--tls-verify=false", `docker://${open.host}/app:1`)) as { Digest: string };
  assert.equal(pushed.Digest, digest);
  const config = async (...from: string[]): Promise<unknown> => JSON.parse(await skopeo("inspect", "--raw", "--config", ...from));
  const remote = (await config("--tls-verify=false", `docker://${open.host}/app@${digest}`)) as { config: Record<string, unknown> };
  const { Env, ...rest } = remote.config;
  assert.ok((Env as string[]).includes("COLOR=blue") && (Env as string[]).includes("FROM_IMAGE=busybox"));
  assert.deepEqual(rest, {
    Entrypoint: ["/bin/cat"],
    Cmd: ["/made"],
    Labels: { a: "b" },
    ExposedPorts: { "80/tcp": {} },
    WorkingDir: "/work",
    Healthcheck: { Test: ["CMD", "true"], Interval: 5_000_000_000 },
  });
  assert.deepEqual(await config(`docker-archive:${out("app.tar")}`), remote);
  assert.deepEqual(await config(`oci-archive:${out("oci.tar")}`), remote);
  await skopeo("copy", "--src-tls-verify=false", `docker://${open.host}/app:1`, `dir:${out("pulled")}`);
  const list = JSON.parse(await skopeo("inspect", "--raw", "--tls-verify=false", `docker://${open.host}/many`)) as {
    manifests: { platform: { architecture: string } }[];
  };
  assert.deepEqual(
    list.manifests.map(({ platform }) => platform.architecture),
    ["amd64", "arm64"],
  );
  assert.equal(((await config(`docker-archive:${out("built.tar")}`)) as { architecture: string }).architecture, "arm64");
});

test("an image is pushed once, however many passes use its digest", async () => {
  const proxy = await startProxy(bench.daemon.address);
  try {
    const outcome = await up(
      {
        "up.cue": `package up
app: {string, #up: [{do: "write-file", dest: "/f", content: "once"}, {do: "push-container", ref: "${open.host}/once"}]}
a: {string, #up: [{do: "write-file", dest: "/f", content: "\\(app) and"}, {do: "export", source: "/f"}]}
if a != "" {b: {string, #up: [{do: "write-file", dest: "/f", content: "\\(a) more"}, {do: "export", source: "/f"}]}}
`,
      },
      [],
      { BUILDKIT_HOST: proxy.address },
    );
    assert.match(String(values(outcome)["b"]), /^sha256:[0-9a-f]{64} and more$/);
    // The job's own Solve, and one for the image.
    assert.equal(proxy.count("Control/Solve"), 2);
  } finally {
    await proxy.stop();
  }
});

test("nothing is pushed or saved when a step of the component fails before", async () => {
  const outcome = await up({
    "up.cue": `package up
app: #up: [
	{do: "fetch-container", ref: "busybox"},
	{do: "exec", args: ["false"]},
	{do: "scratch"},
	{do: "write-file", dest: "/f", content: "f"},
	{do: "push-container", ref: "${open.host}/never:1"},
	{do: "save-image", tag: "never", dest: "out/never.tar"},
]
`,
  });
  assert.equal(outcome.code, 1, outcome.stderr);
  assert.match(outcome.stderr, /command-failed/);
  await assert.rejects(skopeo("inspect", "--tls-verify=false", `docker://${open.host}/never:1`));
  assert.ok(!existsSync(join(outcome.dir, "out")));
});

test("an archive never leaves the workspace", async () => {
  const config = `package up\napp: #up: [{do: "write-file", dest: "/f", content: "f"}, {do: "save-image", tag: "a", dest: "out/a.tar"}]\n`;
  const outside = join(bench.dir, "outside");
  mkdirSync(outside);
  const dir = join(bench.dir, `config-${count + 1}`);
  mkdirSync(dir);
  symlinkSync(outside, join(dir, "out"));
  const outcome = await up({ "up.cue": config });
  assert.equal(outcome.code, 2, outcome.stderr);
  assert.match(outcome.stderr, /path-outside-workspace/);
  rmSync(outside, { recursive: true });
});

test("docker-login opens a registry for pushes and pulls; without it the push fails at its line", async () => {
  const push = (login: string): Record<string, string> => ({
    "up.cue": `package up
${login}
app: #up: [{do: "write-file", dest: "/f", content: "f"}, {do: "push-container", ref: "${locked.host}/app"}]
`,
  });
  const login = `login: #up: [{do: "docker-login", target: "${locked.host}", username: "me", secret: "password"}]`;
  const without = await up(push(""));
  assert.equal(without.code, 1, without.stderr);
  assert.match(without.stderr, /push-failed/);
  assert.match(without.stderr, /up\.cue:3:58/);
  const wrong = await up(push(login), ["--secret", "password=env:PASSWORD"], { PASSWORD: "falsch" });
  assert.equal(wrong.code, 1, wrong.stderr);
  assert.doesNotMatch(wrong.stderr, /falsch/);
  const right = await up(push(login), ["--secret", "password=env:PASSWORD"], { PASSWORD: "geheim" });
  assert.equal(right.code, 0, right.stderr);
  const fetched = await up(
    {
      "up.cue": `package up\n${login}\nout: {string, #up: [{do: "fetch-container", ref: "${locked.host}/app"}, {do: "export", source: "/f"}]}\n`,
    },
    ["--secret", "password=env:PASSWORD"],
    { PASSWORD: "geheim" },
  );
  assert.equal(values(fetched)["out"], "f");
});

test("templates are stamped with data; modes stay, .gomplateignore is honoured, errors name file and line", async () => {
  const config = (data: string): string => `package up
site: #up: [{do: "stamp", from: [{do: "local", dir: "site"}], data: ${data}}]
out: {string, #up: [
	{do: "fetch-container", ref: "busybox"},
	{do: "exec", args: ["sh", "-c", "cd /s && find . -type f | sort > /o && cat sub/a.txt >> /o && stat -c %a run.sh >> /o"], mount: "/s": from: site},
	{do: "export", source: "/o"},
]}
`;
  const files = {
    "site/sub/a.txt": `Hello {{ .name }}{{ range .list }} {{ . }}{{ end }}\n`,
    "site/run.sh": "#!/bin/sh\n",
    "site/x.bak": "{{ oops",
    "site/.gomplateignore": "*.bak\n",
  };
  const outcome = await up({ "up.cue": config(`{name: "World", list: [1, 2]}`), ...files });
  assert.equal(values(outcome)["out"], "./run.sh\n./sub/a.txt\nHello World 1 2\n644\n");
  const wrong = await up({ "up.cue": config("{}"), "site/bad.txt": "one\n{{ .name | nope }}\n" });
  assert.equal(wrong.code, 1, wrong.stderr);
  assert.match(wrong.stderr, /bad\.txt:2/);
});

test("a Definition that an op produced is solved inside the job", async () => {
  const bytes = definition(file(undefined, [mkfile("/o", "from a Definition")]));
  const outcome = await up({
    "up.cue": `package up
out: {string, #up: [{do: "build", from: [{do: "local", dir: "d"}], filename: "a.llb"}, {do: "export", source: "/o"}]}
made: #up: [
	{do: "fetch-container", ref: "busybox"},
	{do: "exec", args: ["sh", "-c", "echo ${bytes.toString("base64")} | base64 -d > /buildkit.llb.definition"]},
]
emitted: {string, #up: [{do: "build", from: made}, {do: "export", source: "/o"}]}
`,
    "d/a.llb": bytes,
  });
  assert.deepEqual([values(outcome)["out"], values(outcome)["emitted"]], ["from a Definition", "from a Definition"]);
  const wrong = await up({
    "up.cue": `package up\nout: #up: [{do: "build", from: [{do: "write-file", dest: "/buildkit.llb.definition", content: "no"}]}]\n`,
  });
  assert.equal(wrong.code, 1, wrong.stderr);
  assert.match(wrong.stderr, /up\.cue:2:12/);
});

test("an aborted save leaves nothing behind, and an archive that was there stays", async () => {
  const config = `package up\napp: #up: [{do: "write-file", dest: "/f", content: "f"}, {do: "save-image", tag: "a", dest: "a.tar"}]\nbad: #up: [{do: "fetch-container", ref: "busybox"}, {do: "exec", args: ["false"]}]\n`;
  const outcome = await up({ "up.cue": config, "a.tar": "before" });
  assert.equal(outcome.code, 1, outcome.stderr);
  assert.equal(readFileSync(join(outcome.dir, "a.tar"), "utf8"), "before");
});
