// Pushes that cannot succeed: a registry that falls silent, wrong credentials over TLS, an expired certificate. One clear error each, and the next run works.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "../../runtime/solve/index.ts";
import { startBuildkitd, type TestDaemon } from "../support/buildkitd.ts";
import { makeAuthority, makeCertificate } from "../support/certificates.ts";
import { type NarrowWay, startNarrowWay } from "../support/narrow.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";
import { type Bench, type Outcome, repository, startBench } from "./dagger.ts";

const dir = mkdtempSync(join(tmpdir(), "push-faults-"));
const login = { username: "me", password: "geheim-1" };
let bench: Bench;
let plain: TestRegistry;
let secure: TestRegistry;
let expired: TestRegistry;
let daemon: TestDaemon;
let narrow: NarrowWay;

before(async () => {
  await makeAuthority(dir, "ca");
  await makeCertificate(dir, "ca", "good", { names: "IP:127.0.0.1" });
  await makeCertificate(dir, "ca", "old", { names: "IP:127.0.0.1", expired: true });
  const pem = (name: string): { cert: string; key: string } => ({ cert: join(dir, `${name}.pem`), key: join(dir, `${name}-key.pem`) });
  [bench, plain, secure, expired] = await Promise.all([
    startBench(),
    startRegistry(),
    startRegistry({ tls: pem("good"), login }),
    startRegistry({ tls: pem("old") }),
  ]);
  const trust = [secure, expired]
    .map(({ host }) => `[registry."${host}"]\n  http = false\n  ca = [${JSON.stringify(join(dir, "ca.pem"))}]\n`)
    .join("");
  narrow = await startNarrowWay(plain.host);
  daemon = await startBuildkitd({ config: trust });
});
after(async () => {
  plain.thaw();
  await narrow.stop();
  await Promise.all([bench.end(), plain.stop(), secure.stop(), expired.stop(), daemon.stop()]);
  rmSync(dir, { recursive: true, force: true });
});

async function push(host: string, name: string, env: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  const job = join(bench.dir, name);
  mkdirSync(job, { recursive: true });
  const config = `package job\nlogin: #up: [{do: "docker-login", target: "${host}", username: "me", secret: "password"}]
app: #up: [{do: "write-file", dest: "/f", content: "${name}"}, {do: "push-container", ref: "${host}/${name}"}]\n`;
  writeFileSync(join(job, "job.cue"), config);
  const more = { BUILDKIT_HOST: daemon.address, PASSWORD: login.password, ...env };
  return bench.dagger(["up", "--progress", "plain", "--secret", "password=env:PASSWORD", `./${name}`], more);
}

function assertFailed({ code, stderr }: Outcome, says: RegExp): void {
  assert.equal(code, 1, stderr);
  assert.match(stderr, /error\[push-failed\]: Cannot push the image/);
  assert.match(stderr, says);
  assert.match(stderr, /job\.cue:3:\d+/);
}

test("a registry over TLS takes a push with the right password, and tells a wrong one at the op's line", async () => {
  const wrong = await push(secure.host, "wrong", { PASSWORD: "falsch-1" });
  assertFailed(wrong, /401|unauthorized|authorization/i);
  assert.doesNotMatch(wrong.stderr, /falsch-1/);
  const right = await push(secure.host, "right");
  assert.equal(right.code, 0, right.stderr);
});

test("a registry whose certificate has expired is told", async () => {
  assertFailed(await push(expired.host, "expired"), /certificate has expired/);
});

test("a registry that falls silent ends the push in time; the next run works", async () => {
  const env = { BUILDKIT_HOST: bench.daemon.address, DAGGER_NETWORK_TIMEOUT: "2s" };
  plain.freeze();
  const silent = await push(plain.host, "silent", env);
  plain.thaw();
  assertFailed(silent, /its registry gives no answer within 1 s/);
  const again = await push(plain.host, "silent", env);
  assert.equal(again.code, 0, again.stderr);
});

/** A job with an image of megabytes that no cache has. */
function writeLarge(name: string): string {
  const job = join(bench.dir, name);
  mkdirSync(job, { recursive: true });
  const script = `head -c 8000000 /dev/urandom > /f; echo ${name}`;
  const config = `package job
app: #up: [{do: "fetch-container", ref: "docker.io/library/busybox:latest"}, {do: "exec", args: ["sh", "-c", "${script}"]},
	{do: "push-container", ref: "${narrow.host}/${name}:v1"}]\n`;
  writeFileSync(join(job, "job.cue"), config);
  return `./${name}`;
}

/** Nothing runs on the daemon any more. */
async function assertQuiet(): Promise<void> {
  const client = await connect(bench.daemon.address);
  try {
    // Cancelling is over for the client when the daemon says so; its record follows.
    for (let left = 100; left > 0; left--) {
      const running = (await client.history({ activeOnly: true })).filter(({ state }) => state === "running");
      if (running.length === 0) return;
      await sleep(100);
    }
    assert.fail("a build is still running");
  } finally {
    client.close();
  }
}

test("Ctrl-C in the middle of a push ends it on the daemon, too; the next run works", async () => {
  const dir = writeLarge("interrupted");
  const halfway = narrow.stopAfter(1_000_000);
  const child = spawn(join(repository, "bin/dagger"), ["up", "--progress", "plain", dir], {
    cwd: bench.dir,
    env: {
      PATH: process.env["PATH"] ?? "",
      HOME: bench.dir,
      DAGGER_DATA_DIR: join(bench.dir, "data"),
      BUILDKIT_HOST: bench.daemon.address,
      // So that the daemon tells of the build while it runs.
      DAGGER_DAEMON_HISTORY: "on",
    },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  await Promise.race([halfway, ended]);
  child.kill("SIGINT");
  assert.equal(await ended, 130, stderr);
  await assertQuiet();
  narrow.open();
  const again = await bench.dagger(["up", "--progress", "plain", dir]);
  assert.equal(again.code, 0, again.stderr);
});

test("a registry that stalls in the middle of a push ends it in time; the next run works", async () => {
  const dir = writeLarge("stalled");
  void narrow.stopAfter(1_000_000);
  const stalled = await bench.dagger(["up", "--progress", "plain", dir], { DAGGER_NETWORK_TIMEOUT: "4s" });
  assertFailed(stalled, /its registry gives no answer within 2 s/);
  await assertQuiet();
  narrow.open();
  const again = await bench.dagger(["up", "--progress", "plain", dir]);
  assert.equal(again.code, 0, again.stderr);
});

/** The registry behind a server that answers all questions, and takes no byte of what is sent. */
async function startFull(): Promise<{ readonly host: string; open(): void; stop(): Promise<void> }> {
  let full = true;
  const server = createServer((request, response) => {
    if (full && (request.method === "PATCH" || request.method === "PUT")) return;
    const upstream = httpRequest(
      { host: "127.0.0.1", port: plain.host.split(":")[1], path: request.url, method: request.method, headers: request.headers },
      (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      },
    );
    upstream.on("error", () => response.destroy());
    request.pipe(upstream);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  const open = (): void => {
    full = false;
    server.closeAllConnections();
  };
  return { host: `127.0.0.1:${String((server.address() as AddressInfo).port)}`, open, stop };
}

test("a registry that answers, but takes nothing, ends the push when its time is over; the next run works", async () => {
  const full = await startFull();
  try {
    const config = `package job
app: #up: [{do: "write-file", dest: "/f", content: "full"}, {do: "push-container", ref: "${full.host}/full", timeout: "2s500ms"}]\n`;
    const job = join(bench.dir, "full");
    mkdirSync(job, { recursive: true });
    const run = (): Promise<Outcome> => bench.dagger(["up", "--progress", "plain", "./full"], { DAGGER_NETWORK_TIMEOUT: "1m" });
    writeFileSync(join(job, "job.cue"), config);
    const over = await run();
    assert.equal(over.code, 1, over.stderr);
    assert.match(
      over.stderr,
      /error\[push-failed\]: Cannot push the image 127\S+\/full:latest: it is not done after 3 s, though its registry answers/,
    );
    assert.match(over.stderr, /job\.cue:2:\d+/);
    await assertQuiet();
    full.open();
    const again = await run();
    assert.equal(again.code, 0, again.stderr);
  } finally {
    await full.stop();
  }
});

test("a time limit that cannot be read is told", async () => {
  const outcome = await push(plain.host, "limit", { DAGGER_NETWORK_TIMEOUT: "soon" });
  assert.equal(outcome.code, 2, outcome.stderr);
  assert.match(outcome.stderr, /error\[bad-timeout\]/);
});
