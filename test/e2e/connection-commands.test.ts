// Connections through programs: a real sshd, and the tools of containers, whose stream is real though they are not.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect as connectTcp } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { UserError } from "../../compiler/diagnostic.ts";
import { parseAddress } from "../../runtime/connect/index.ts";
import { builtBinary, startBuildkitd, type TestDaemon } from "../support/buildkitd.ts";
import { freePort } from "../support/server.ts";
import { failureAt, versionAt } from "./connections.ts";

const run = promisify(execFile);
const dir = mkdtempSync(join(tmpdir(), "dagger-commands-"));
const path = process.env["PATH"] ?? "";
let daemon: TestDaemon;
let sshd: Sshd;

before(async () => {
  daemon = await startBuildkitd();
  sshd = await startSshd();
  makeTools();
  process.env["PATH"] = `${join(dir, "tools")}:${path}`;
});
after(async () => {
  process.env["PATH"] = path;
  await sshd.stop();
  await daemon.stop();
  rmSync(dir, { recursive: true, force: true });
});

/**
 * Stands for docker, podman, nerdctl and kubectl, which have no containers to run here (connection-kubernetes.test.ts has): the container `good` reaches the daemon through
 * the real `buildctl dial-stdio`; others end as the real tools do. The arguments it got are kept.
 */
function makeTools(): void {
  mkdirSync(join(dir, "tools"));
  for (const name of ["docker", "podman", "nerdctl", "kubectl"]) {
    writeFileSync(
      join(dir, "tools", name),
      `#!/bin/sh
printf '%s\\n' "$@" > ${dir}/${name}.args
for arg; do
  case $arg in
    good) exec ${builtBinary("buildctl")} --addr ${daemon.address} dial-stdio ;;
    stopped) echo "Error response from daemon: container stopped is not running" >&2; exit 1 ;;
    no-buildctl) echo 'exec: "buildctl": executable file not found in $PATH' >&2; exit 127 ;;
    silent) exit 3 ;;
    killed) kill -KILL $$ ;;
    chatty) echo "this is no gRPC"; exec sleep 60 ;;
  esac
done
echo "no such container" >&2
exit 1
`,
      { mode: 0o755 },
    );
  }
}

interface Sshd {
  readonly port: number;
  stop(): Promise<void>;
}

/** A real sshd with keys of its own; whoever logs in finds buildctl on PATH, and the daemon by BUILDKIT_HOST. */
async function startSshd(): Promise<Sshd> {
  const home = join(dir, "ssh");
  mkdirSync(home, { mode: 0o700 });
  chmodSync(dir, 0o755);
  for (const name of ["host", "client"]) await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(home, name)]);
  writeFileSync(join(home, "authorized_keys"), readFileSync(join(home, "client.pub")), { mode: 0o600 });
  const port = await freePort();
  writeFileSync(
    join(home, "sshd_config"),
    `ListenAddress 127.0.0.1:${port}
HostKey ${home}/host
AuthorizedKeysFile ${home}/authorized_keys
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
SetEnv PATH=${dirname(builtBinary("buildctl"))}:/usr/bin:/bin BUILDKIT_HOST=${daemon.address}
`,
  );
  if (!existsSync("/run/sshd")) mkdirSync("/run/sshd", { mode: 0o755 });
  const child = spawn("/usr/sbin/sshd", ["-D", "-E", join(home, "sshd.log"), "-f", join(home, "sshd_config")], { stdio: "ignore" });
  const ended = once(child, "exit");
  while (!(await listens(port))) {
    if (child.exitCode !== null) throw new Error("sshd did not start");
    await sleep(20);
  }
  writeFileSync(join(home, "known_hosts"), `[127.0.0.1]:${port} ${readFileSync(join(home, "host.pub"), "utf8")}`);
  return {
    port,
    async stop() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectTcp(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

/** The real ssh with another configuration: its own has no variable that names it. */
function useSsh(knownHosts: string, key: string): void {
  const home = join(dir, "ssh");
  writeFileSync(
    join(dir, "tools/ssh"),
    `#!/bin/sh
exec /usr/bin/ssh -F none -o UserKnownHostsFile=${join(home, knownHosts)} -o IdentitiesOnly=yes -o IdentityFile=${join(home, key)} -o LogLevel=ERROR "$@"
`,
    { mode: 0o755 },
  );
}

test("programs are run with the arguments of BuildKit's own helpers", () => {
  const cases: readonly [string, string, readonly string[]][] = [
    ["docker-container://b", "docker", ["exec", "-i", "b"]],
    ["docker-container://b?context=far", "docker", ["--context=far", "exec", "-i", "b"]],
    ["podman-container://b", "podman", ["exec", "-i", "b"]],
    ["nerdctl-container://b", "nerdctl", ["exec", "-i", "b"]],
    ["nerdctl-container://b?namespace=n", "nerdctl", ["exec", "--namespace", "n", "-i", "b"]],
    ["kube-pod://p", "kubectl", ["--context=", "--namespace=", "exec", "--container=", "-i", "p", "--"]],
    [
      "kube-pod://p?context=me@there&namespace=n&container=c",
      "kubectl",
      ["--context=me@there", "--namespace=n", "exec", "--container=c", "-i", "p", "--"],
    ],
    ["ssh://host", "ssh", ["--", "host"]],
    ["ssh://me@host:2222", "ssh", ["-l", "me", "-p", "2222", "--", "host"]],
    ["ssh://[::1]:22", "ssh", ["-p", "22", "--", "::1"]],
  ];
  for (const [text, program, args] of cases) {
    assert.deepEqual(parseAddress(text), { kind: "command", text, program, args: [...args, "buildctl", "dial-stdio"] });
  }
  const text = "ssh://host/run/user/1000/b.sock";
  const args = ["--", "host", "buildctl", "--addr", "unix:///run/user/1000/b.sock", "dial-stdio"];
  assert.deepEqual(parseAddress(text), { kind: "command", text, program: "ssh", args });
});

test("addresses that no program could take are refused", () => {
  const bad = [
    "docker-container://",
    "docker-container://-v",
    "docker-container://a/b",
    "docker-container://a?contxt=b",
    "podman-container://a?context=b",
    "kube-pod://",
    "kube-pod://A_b",
    "kube-pod://-a",
    "kube-pod://a?namespace=B",
    "kube-pod://a?container=-b",
    "ssh://",
    "ssh://a:b@host",
    "ssh://host:0",
    "ssh://host?x=y",
    "npipe:////./pipe/x",
  ];
  for (const text of bad) {
    const isBad = (error: unknown): boolean =>
      error instanceof UserError && error.exit === 2 && error.diagnostics[0]?.code === "bad-address";
    assert.throws(() => parseAddress(text), isBad, text);
  }
});

test("a daemon in a container is reached through its tool", async () => {
  const addresses = ["docker-container://good", "podman-container://good", "nerdctl-container://good", "kube-pod://good?namespace=n"];
  for (const address of addresses) assert.match(await versionAt(address), /^v\d/);
  assert.equal(readFileSync(join(dir, "docker.args"), "utf8"), "exec\n-i\ngood\nbuildctl\ndial-stdio\n");
});

test("a tool that ends early is quoted", async () => {
  const cases: readonly [string, string, string][] = [
    [
      "docker-container://stopped",
      "docker ended with exit code 1: Error response from daemon: container stopped is not running",
      "check that this works: docker exec -i stopped buildctl dial-stdio",
    ],
    [
      "podman-container://no-buildctl",
      'podman ended with exit code 127: exec: "buildctl": executable file not found in $PATH',
      "buildctl must be installed where the daemon runs, and on PATH there",
    ],
    [
      "kube-pod://silent",
      "kubectl ended with exit code 3",
      "check that this works: kubectl --context= --namespace= exec --container= -i silent -- buildctl dial-stdio",
    ],
    ["nerdctl-container://killed", "nerdctl was ended by SIGKILL", "check that this works: nerdctl exec -i killed buildctl dial-stdio"],
  ];
  for (const [address, why, hint] of cases) {
    assert.deepEqual(await failureAt(address), [3, "no-daemon", `Cannot connect to a BuildKit daemon at ${address}: ${why}`, hint]);
  }
});

test("a tool that says something else is no daemon", async () => {
  assert.deepEqual((await failureAt("docker-container://chatty")).slice(0, 3), [
    3,
    "no-daemon",
    "Cannot connect to a BuildKit daemon at docker-container://chatty: what listens there does not speak gRPC",
  ]);
});

test("a tool that is not installed is named", async () => {
  const whole = process.env["PATH"];
  process.env["PATH"] = join(dir, "nothing");
  try {
    assert.deepEqual(await failureAt("podman-container://good"), [
      3,
      "no-daemon",
      "Cannot connect to a BuildKit daemon at podman-container://good: the program podman is not installed, or not on PATH",
      "install podman, or use another address with --buildkit or BUILDKIT_HOST",
    ]);
  } finally {
    process.env["PATH"] = whole;
  }
});

test("a daemon on another machine is reached through ssh, also on a socket of its own", async () => {
  useSsh("known_hosts", "client");
  assert.match(await versionAt(`ssh://127.0.0.1:${sshd.port}`), /^v\d/);
  assert.match(await versionAt(`ssh://root@127.0.0.1:${sshd.port}${daemon.address.replace("unix://", "")}`), /^v\d/);
  const [exit, code, message] = await failureAt(`ssh://127.0.0.1:${sshd.port}/nowhere.sock`);
  assert.deepEqual([exit, code], [3, "no-daemon"]);
  assert.match(message, /ssh ended with exit code 1: .*nowhere\.sock.*no such file/s);
});

test("an unknown host key is told, and is never accepted", async () => {
  useSsh("no_known_hosts", "client");
  const [exit, code, message, hint] = await failureAt(`ssh://127.0.0.1:${sshd.port}`);
  assert.deepEqual([exit, code], [3, "no-daemon"]);
  assert.match(message, /ssh ended with exit code 255: Host key verification failed\.$/);
  assert.match(
    hint,
    /^try it in a terminal, where ssh can ask about host keys and passwords: ssh -p \d+ -- 127\.0\.0\.1 buildctl dial-stdio$/,
  );
  assert.equal(existsSync(join(dir, "ssh/no_known_hosts")), false);
});

test("a key that the other machine does not take is told", async () => {
  useSsh("known_hosts", "host");
  const [exit, , message] = await failureAt(`ssh://127.0.0.1:${sshd.port}`);
  assert.equal(exit, 3);
  assert.match(message, /ssh ended with exit code 255: .*Permission denied/s);
});
