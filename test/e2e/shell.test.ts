// dagger shell and up --shell-on-error, with real daemons and real pseudo-terminals.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { startBuildkitd } from "../support/buildkitd.ts";
import { TestTerminal } from "../support/terminal.ts";
import { type Bench, repository, startBench } from "./dagger.ts";

let bench: Bench;
let env: Record<string, string>;

const config = `package test

_image: {do: "fetch-container", ref: "docker.io/library/busybox:latest"}
tool: #up: [_image, {do: "write-file", dest: "/tool", content: "tool of mine"}]
app: #up: [
	_image,
	{do: "env", env: GREETING: "grüezi"},
	{do: "workdir", path: "/srv"},
	{do: "exec", args: ["sh", "-c", "echo built > result"], dir: "/srv", mount: {
		"/tools": {from: tool, readonly: true}
		"/keep": "cache"
		"/token": {secret: "token"}
	}},
]
empty: #up: [{do: "mkdir", path: "/x"}]
version: {string, #up: [_image, {do: "exec", args: ["sh", "-c", "printf '1.2 ü' > /v"]}, {do: "export", source: "/v", format: "string"}]}
computed: #up: [
	_image,
	{do: "env", env: {VERSION: version, PLAIN: "text"}},
	{do: "exec", args: ["sh", "-c", "test $PLAIN = text && echo $VERSION > /seen"]},
]
plain: #up: [_image]
stranger: #up: [_image, {do: "user", user: "nobody-here"}]
group: {a: #up: [_image], b: #up: [_image]}
`;
const failing = `package test

fail: #up: [
	{do: "fetch-container", ref: "docker.io/library/busybox:latest"},
	{do: "exec", args: ["sh", "-c", "echo half > /work/half; echo broken; exit 3"], env: WHERE: "inside", mount: "/keep": {cache: "kept"}},
]
computed: {
	value: {string, #up: [{do: "write-file", dest: "/v", content: "from the job"}, {do: "export", source: "/v", format: "string"}]}
	use: #up: [
		{do: "fetch-container", ref: "docker.io/library/busybox:latest"},
		{do: "exec", args: ["sh", "-c", "echo at wo''rk; exit 4"], env: {VALUE: value, OWN: "mine"}, timeout: "1m"},
	]
}
images: {
	#up: [
		{do: "fetch-container", ref: "docker.io/library/busybox:latest"},
		{do: "exec", args: ["sh", "-c", "echo for im''age; exit 6"]},
		{do: "save-image", tag: "saved:v1", dest: "image.tar"},
	]
}
going: {
	fails: #up: [
		{do: "fetch-container", ref: "docker.io/library/busybox:latest"},
		{do: "exec", args: ["sh", "-c", "echo on the w''ay; exit 8"]},
	]
	works: #up: [{do: "write-file", dest: "/done", content: "done"}, {do: "save-dir", dest: "out"}]
}
vanishing: #up: [
	{do: "fetch-container", ref: "docker.io/library/busybox:latest"},
	{do: "exec", args: ["sh", "-c", "echo rea''dy; sleep 1; exit 5"], env: TOKEN: {secret: "token"}, always: true},
]
`;

before(async () => {
  bench = await startBench();
  for (const [name, text] of Object.entries({ good: config, bad: failing })) {
    mkdirSync(join(bench.dir, name), { recursive: true });
    writeFileSync(join(bench.dir, name, "test.cue"), text);
  }
  env = {
    PATH: process.env["PATH"] ?? "",
    HOME: bench.dir,
    DAGGER_DATA_DIR: join(bench.dir, "data"),
    BUILDKIT_HOST: bench.daemon.address,
    TOKEN: "hush",
    TERM: "xterm",
  };
});
after(() => bench.end());

const dagger = join(repository, "bin/dagger");
const secret = ["--secret", "token=env:TOKEN"];

function terminal(args: readonly string[], more: Record<string, string> = {}): TestTerminal {
  return new TestTerminal([dagger, ...args], { cwd: bench.dir, env: { ...env, ...more } });
}

/** dagger with pipes instead of a terminal. */
function piped(args: readonly string[], input: string): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = spawn(dagger, args, { cwd: bench.dir, env: { ...env, NO_COLOR: "1" }, stdio: ["pipe", "pipe", "pipe"] });
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
    child.once("close", (code) => resolve({ code, stdout, stderr }));
  });
}

test("without a terminal, a command runs with the component's files, environment, directory and mounts; what is secret is hidden in what it prints", async () => {
  const script = "cat result; echo $GREETING; pwd; cat /tools/tool; echo; cat /token; echo; cat; exit 6";
  const { code, stdout, stderr } = await piped(["shell", "app", "good", ...secret, "--", "sh", "-c", script], "from stdin\n");
  assert.equal(stdout, "built\ngrüezi\n/srv\ntool of mine\n***\nfrom stdin\n", stderr);
  assert.equal(code, 6);
});

test("without a terminal, the shell reads its commands from stdin, and errors go to stderr", async () => {
  const { code, stdout, stderr } = await piped(["shell", "app", "good", ...secret, "--progress", "quiet"], "echo one\necho two >&2\n");
  assert.deepEqual([code, stdout, stderr], [0, "one\n", "two\n"]);
});

test("what a shell writes is lost, except in caches", async () => {
  const first = await piped(["shell", "app", "good", ...secret], "echo x > /keep/x; echo x > /srv/x\n");
  assert.equal(first.code, 0, first.stderr);
  const { stdout, stderr } = await piped(["shell", "app", "good", ...secret], "ls /keep /srv\n");
  assert.equal(stdout, "/keep:\nx\n\n/srv:\nresult\n", stderr);
});

test("in a terminal, keys go to the process, Ctrl-C too, it follows the size, and its exit code is dagger's", async () => {
  const shell = terminal(["shell", "app", "good", ...secret]);
  await shell.until(/\/srv # /);
  shell.type("stty size; echo $GREETING\n");
  await shell.until(/24 80\r\ngrüezi\r\n/);
  shell.resize(61, 17);
  shell.type("until [ \"$(stty size)\" = '17 61' ]; do sleep 0.05; done; echo re''sized\n");
  await shell.until(/resized/);
  shell.type("echo wai''ting; sleep 1000\n");
  await shell.until(/waiting/);
  shell.type("\x03");
  await shell.until(/# /);
  shell.type("exit 9\n");
  assert.equal(await shell.ended, 9);
});

test("Ctrl-D leaves the shell", async () => {
  const shell = terminal(["shell", "app", "good", ...secret]);
  await shell.until(/# /);
  shell.type("\x04");
  assert.equal(await shell.ended, 0);
});

test("a command runs with the environment that the job computes, too", async () => {
  const { code, stdout, stderr } = await piped(["shell", "computed", "good", "--", "sh", "-c", "echo $VERSION $PLAIN; cat /seen"], "");
  assert.deepEqual([code, stdout], [0, "1.2 ü text\n1.2 ü\n"], stderr);
});

test("a program that is not there is told, whatever a mount could hold too; so is a user that the image lacks", async () => {
  const bare = await piped(["shell", "plain", "good", "--", "no-such"], "");
  assert.deepEqual([bare.code, bare.stdout], [2, ""]);
  assert.match(bare.stderr, /error\[no-program\]: There is no program no-such in plain/);
  const path = await piped(["shell", "plain", "good", "--", "/no/such"], "");
  assert.match(path.stderr, /error\[no-program\]: There is no program \/no\/such in plain/);
  const mounts = await piped(["shell", "app", "good", ...secret, "--", "/tools/no-such"], "");
  assert.notEqual(mounts.code, 0);
  assert.match(mounts.stderr, /no-such.*no such file/);
  const user = await piped(["shell", "stranger", "good", "--", "ls"], "");
  assert.deepEqual([user.code, user.stdout], [1, ""]);
  assert.match(user.stderr, /error\[shell-failed\]: Cannot run ls: .*nobody-here/);
});

test("a component without a shell, an unknown shell and several components are told", async () => {
  const none = await piped(["shell", "empty", "good"], "");
  assert.equal(none.code, 2);
  assert.match(none.stderr, /error\[no-shell\]: There is no shell in empty/);
  const unknown = await piped(["shell", "app", "good", ...secret, "--shell", "fish"], "");
  assert.match(unknown.stderr, /There is no fish in app/);
  const several = await piped(["shell", "group", "good"], "");
  assert.equal(several.code, 2);
  assert.match(several.stderr, /group is no component: it has several below it/);
  const typo = await piped(["shell", "ap", "good"], "");
  assert.match(typo.stderr, /Did you mean app/);
  const both = await piped(["shell", "app", "good", "--shell", "sh", "--", "ls"], "");
  assert.equal(both.code, 2);
});

test("a failing build opens no shell and is told as by up", async () => {
  const { code, stderr } = await piped(["shell", "fail", "bad"], "echo never\n");
  assert.equal(code, 1);
  assert.match(stderr, /ended with exit code 3/);
});

test("up --shell-on-error opens a shell in the failed state, then ends with the failure", async () => {
  const shell = terminal(["up", "bad", "-t", "fail", "--shell-on-error"]);
  await shell.until(/broken/);
  await shell.until(/# /);
  shell.type("cat /work/half; echo $WHERE; echo later > /keep/later; ls /keep\n");
  await shell.until(/half\r\ninside\r\nlater/);
  shell.type("exit 77\n");
  assert.equal(await shell.ended, 1);
  assert.match(shell.shown, /command-failed.*ended with exit code 3/);
  assert.match(shell.shown, /bad\/test\.cue:5/);
});

test("the shell where a command failed has the environment that the job computed", async () => {
  const shell = terminal(["up", "bad", "-t", "computed", "--shell-on-error"]);
  await shell.until(/at work/);
  await shell.until(/# /);
  shell.type("echo $OWN: $VALUE\n");
  await shell.until(/mine: from the job/);
  shell.type("exit\n");
  assert.equal(await shell.ended, 1);
  assert.match(shell.shown, /sh -c echo at/);
  assert.doesNotMatch(shell.shown, /\.dagger/);
});

test("a step that only an image needs, and a run that keeps going, open a shell where they failed", async () => {
  const image = terminal(["up", "bad", "-t", "images", "--shell-on-error"]);
  await image.until(/for image/);
  await image.until(/# /);
  image.type("exit\n");
  assert.equal(await image.ended, 1);
  assert.match(image.shown, /ended with exit code 6/);
  const going = terminal(["up", "bad", "-t", "going", "--shell-on-error", "--keep-going"]);
  await going.until(/on the way/);
  await going.until(/# /);
  going.type("echo in the sh''ell\n");
  await going.until(/in the shell/);
  going.type("exit\n");
  assert.equal(await going.ended, 1);
  assert.match(going.shown, /ended with exit code 8/);
  assert.equal(readFileSync(join(bench.dir, "bad/out/done"), "utf8"), "done");
});

test("a secret that has vanished when the shell is to open is told at once, and the failure too", async () => {
  const file = join(bench.dir, "vanishing-token");
  writeFileSync(file, "hush hush");
  const shell = terminal(["up", "bad", "-t", "vanishing", "--secret", `token=file:${file}`, "--shell-on-error"]);
  await shell.until(/ready/);
  rmSync(file);
  assert.equal(await shell.ended, 1);
  assert.match(shell.shown, /No shell could be opened: Cannot read the file of secret "token"/);
  assert.match(shell.shown, /ended with exit code 5/);
});

test("up --shell-on-error wants a terminal, and has nothing to do when all is well", async () => {
  const { code, stderr } = await piped(["up", "bad", "-t", "fail", "--shell-on-error"], "");
  assert.equal(code, 2);
  assert.match(stderr, /error\[no-terminal\]/);
  const fine = terminal(["up", "good", "-t", "tool", "--shell-on-error"]);
  assert.equal(await fine.ended, 0);
});

test("a daemon that dies while a shell is open ends it, and the terminal is as before", async () => {
  const own = await startBuildkitd();
  try {
    const shell = terminal(["shell", "app", "good", ...secret], { BUILDKIT_HOST: own.address });
    await shell.until(/# /);
    assert.match(shell.settings(), /-icanon/);
    await own.kill();
    assert.equal(await shell.ended, 3);
    assert.match(shell.shown, /connection-lost/);
  } finally {
    await own.stop();
  }
});
