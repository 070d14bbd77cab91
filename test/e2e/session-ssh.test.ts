// SSH in a job, on a real sshd and with real keys: fetch-git over ssh, and the agent inside a step.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { userInfo } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type GitServer, startGitServer } from "../support/git-server.ts";
import { type Bench, startBench } from "./dagger.ts";

let bench: Bench;
let git: GitServer;
let port: number;
let hostKey: string;
let stopSshd: () => Promise<void>;
let key: string;

before(async () => {
  [bench, git] = await Promise.all([startBench(), startGitServer()]);
  await git.commit("app", { "hello.txt": "over ssh" }, { tag: "v1" });
  await startSshd(join(bench.dir, "sshd"));
});
after(async () => {
  await stopSshd?.();
  await git?.stop();
  await bench?.end();
});

async function startSshd(home: string): Promise<void> {
  chmodSync(bench.dir, 0o755);
  mkdirSync(home, { mode: 0o700 });
  for (const name of ["host", "client", "stranger"]) execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(home, name)]);
  key = join(home, "client");
  port = await freePort();
  hostKey = readFileSync(join(home, "host.pub"), "utf8").trim();
  const settings = [
    `ListenAddress 127.0.0.1:${port}`,
    `HostKey ${home}/host`,
    `AuthorizedKeysFile ${key}.pub`,
    ...[
      "PidFile none",
      "StrictModes no",
      "UsePAM no",
      "PasswordAuthentication no",
      "KbdInteractiveAuthentication no",
      "PermitRootLogin yes",
    ],
  ];
  writeFileSync(join(home, "config"), `${settings.join("\n")}\n`);
  if (!existsSync("/run/sshd")) mkdirSync("/run/sshd", { mode: 0o755 });
  const child = spawn("/usr/sbin/sshd", ["-D", "-E", join(home, "log"), "-f", join(home, "config")], { stdio: "ignore" });
  const ended = once(child, "exit");
  while (!(await listens())) {
    if (child.exitCode !== null) throw new Error(`sshd did not start: ${readFileSync(join(home, "log"), "utf8")}`);
    await sleep(20);
  }
  stopSshd = async () => {
    child.kill();
    await ended;
  };
}

function listens(): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}

async function run(name: string, cue: string, ...flags: string[]) {
  const dir = join(bench.dir, name);
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, "up.cue"), `package up\n\n${cue}`);
  return bench.dagger(["compute", ...flags, dir]);
}

/** A component with the file of the repository, fetched over ssh with more fields. */
function fetched(fields: string): string {
  return `app: {
	string
	#up: [
		{do: "fetch-git", remote: "ssh://${userInfo().username}@127.0.0.1:${port}${git.root}/app", ref: "v1", ${fields}},
		{do: "export", source: "/hello.txt"},
	]
}
`;
}

test("a repository is fetched over ssh with a key that only the client has, from a host that is known", async () => {
  const known = `knownHosts: "[127.0.0.1]:${port} ${hostKey}\\n"`;
  const given = await run("given", fetched(known), "--ssh", `default=${key}`);
  assert.equal(given.code, 0, given.stderr);
  assert.equal(given.stdout, '{"app":"over ssh"}\n');

  // The client's own list of hosts.
  mkdirSync(join(bench.dir, ".ssh"), { recursive: true });
  writeFileSync(join(bench.dir, ".ssh/known_hosts"), `[127.0.0.1]:${port} ${hostKey}\n`);
  const own = await run("own", fetched(`ssh: "deploy", keepGitDir: true`), "--ssh", `deploy=${key}`);
  writeFileSync(join(bench.dir, ".ssh/known_hosts"), "");
  assert.equal(own.code, 0, own.stderr);
});

test("an unknown host, another host key, a key that the server does not know and a missing agent are each one error", async () => {
  const unknown = await run("unknown", fetched(""), "--ssh", `default=${key}`);
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /No key is known of the ssh host 127\.0\.0\.1:\d+/);

  const stranger = readFileSync(join(bench.dir, "sshd/stranger.pub"), "utf8").trim();
  const other = await run(
    "other",
    fetched(`keepGitDir: true, knownHosts: "[127.0.0.1]:${port} ${stranger}\\n", subdir: "."`),
    "--ssh",
    `default=${key}`,
  );
  assert.equal(other.code, 1, other.stderr);
  assert.match(other.stderr, /Host key verification failed|HOST IDENTIFICATION HAS CHANGED/);

  const known = `knownHosts: "[127.0.0.1]:${port} ${hostKey}\\n"`;
  const refused = await run("refused", fetched(known), "--ssh", `default=${join(bench.dir, "sshd/stranger")}`);
  assert.equal(refused.code, 1, refused.stderr);
  assert.match(refused.stderr, /Permission denied/);

  const none = await run("none", fetched(known));
  assert.notEqual(none.code, 0);
  assert.match(none.stderr, /up\.cue:\d+:\d+/);
});

test("a step finds the agent's socket where it is mounted, and by SSH_AUTH_SOCK", async () => {
  const cue = `app: {
	string
	#up: [
		{do: "fetch-container", ref: "docker.io/library/busybox:latest"},
		{do: "exec", args: ["sh", "-c", "printf '%s %s %s' $SSH_AUTH_SOCK $(stat -c '%a %u' /agent) > /out; test -S /agent"], mount: "/agent": {ssh: "default", mode: 0o666, uid: 7}},
		{do: "export", source: "/out"},
	]
}
`;
  const { code, stdout, stderr } = await run("agent", cue, "--ssh", `default=${key}`);
  assert.equal(code, 0, stderr);
  assert.equal(stdout, '{"app":"/agent 666 7"}\n');
});

/** A static program that says hello to the socket that it is given, and prints the answer. */
const dialer = `package main

import (
	"io"
	"net"
	"os"
)

func main() {
	socket, err := net.Dial("unix", os.Args[1])
	if err != nil {
		panic(err)
	}
	socket.Write([]byte("hello"))
	io.Copy(os.Stdout, socket)
}
`;

import { freePort } from "../support/server.ts";

test("a step talks to a socket of the client that the client names, and to no other", async () => {
  const path = join(bench.dir, "service.sock");
  const tool = join(bench.dir, "tool");
  mkdirSync(tool);
  writeFileSync(join(tool, "main.go"), dialer);
  execFileSync("go", ["build", "-o", "dial", "main.go"], { cwd: tool, env: { ...process.env, CGO_ENABLED: "0" } });
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", (data) => socket.end(`heard ${data.toString()}`));
  }).listen(path);
  await once(server, "listening");
  const cue = (name: string, stream: string): string => {
    mkdirSync(join(bench.dir, name, "tool"), { recursive: true });
    copyFileSync(join(tool, "dial"), join(bench.dir, name, "tool/dial"));
    return `app: {
	string
	#up: [
		{do: "fetch-container", ref: "docker.io/library/busybox:latest"},
		{do: "exec", args: ["sh", "-c", "/tool/dial /run/service.sock > /out"], mount: {
			"/tool": from: {do: "local", dir: "tool"}
			"/run/service.sock": {stream: ${stream}}
		}},
		{do: "export", source: "/out"},
	]
}
`;
  };
  try {
    const named = await run("stream", cue("stream", `"service"`), "--ssh", `service=${path},raw=true`);
    assert.equal(named.code, 0, named.stderr);
    assert.equal(named.stdout, '{"app":"heard hello"}\n');
    const unnamed = await run("no-stream", cue("no-stream", `{unix: ${JSON.stringify(path)}}`));
    assert.notEqual(unnamed.code, 0);
    assert.match(unnamed.stderr, /up\.cue:\d+:\d+/);
  } finally {
    server.close();
  }
});
