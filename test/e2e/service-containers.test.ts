// Services in containers, run by a real Docker and a real Podman: started, left alone, replaced, listed with others, ended.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { startDockerd } from "../support/dockerd.ts";
import { startPodman } from "../support/podman.ts";
import { type Bench, type Outcome, runDagger, startBench } from "./dagger.ts";

let bench: Bench;
before(async () => {
  bench = await startBench();
});
after(async () => bench?.end());

interface ContainerEngine {
  readonly program: string;
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

const engines: Readonly<Record<string, () => Promise<ContainerEngine>>> = {
  docker: async () => {
    const docker = await startDockerd();
    return { program: "docker", env: { DOCKER_HOST: docker.host }, stop: docker.stop };
  },
  podman: async () => ({ program: "podman", ...startPodman() }),
};

/** A port that nobody has at the moment. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => void server.close(resolve));
  return port;
}

function config(port: number, more = ""): string {
  return `package web

import ("cuellb.dev/op", "cuellb.dev/task")

text: *"one" | string
image: #up: [
	op.#FetchContainer & {ref: "busybox:latest"},
	op.#Copy & {from: [op.#Local & {dir: "www"}], dest: "/www"},
	op.#Env & {env: FROM_IMAGE: "of the image"},
	op.#Workdir & {path: "/www"},
]
site: task.#Daemon & {
	name:    "site"
	"image": image
	container: network: "host"
	command: ["sh", "-c", "echo \\"$FROM_IMAGE, $TEXT, $TOKEN\\"; trap 'exit 0' TERM; httpd -f -p 127.0.0.1:${port} & wait"]
	env: {TEXT: text, TOKEN: secret: "token"}
	ready: http: "http://127.0.0.1:${port}/index.html"
	${more}
}
beside: task.#Daemon & {name: "beside", command: ["sleep", "1000"]}
asked: {string, #up: [
	op.#Load & {from: site},
	op.#Host & {args: ["sh", "-c", "cat service.json > said"]},
	op.#Export & {source: "/said", format: "string"},
]}
`;
}

for (const [name, start] of Object.entries(engines)) {
  test(`a service runs in a container of ${name}, is replaced when it has changed, and ends with dagger stop`, async () => {
    const engine = await start();
    const dir = join(bench.dir, name);
    const port = await freePort();
    // Where nothing collects processes that have lost their parents, Podman takes 20 s for the end of each container.
    const brief = name === "podman";
    const system = { PATH: process.env["PATH"] ?? "", HOME: bench.dir, ...engine.env };
    const env = {
      ...system,
      DAGGER_DATA_DIR: join(bench.dir, "data"),
      BUILDKIT_HOST: bench.daemon.address,
      DAGGER_CONTAINER_ENGINE: engine.program,
      TOKEN: "s3cr3t-of-the-site",
    };
    const dagger = async (...args: string[]): Promise<Outcome> => {
      const outcome = await runDagger(args, dir, env);
      assert.equal(outcome.code, 0, outcome.stderr);
      return outcome;
    };
    const up = async (...more: string[]): Promise<string> =>
      (await dagger("up", "--allow-host", "--secret", "token=env:TOKEN", "--progress", "plain", ...more)).stderr;
    const ask = async (...args: string[]): Promise<string> =>
      (await promisify(execFile)(engine.program, args, { env: system })).stdout.trim();
    const containers = (): Promise<string> => ask("ps", "--quiet", "--no-trunc", "--filter", "label=dagger.service=site");
    const page = async (): Promise<string> => (await fetch(`http://127.0.0.1:${port}/index.html`)).text();
    try {
      mkdirSync(join(dir, "www"), { recursive: true });
      writeFileSync(join(dir, "up.cue"), config(port, brief ? "" : 'onStart: ["sh", "-c", "echo starts in $PWD"]'));
      writeFileSync(join(dir, "www/index.html"), "first");
      await dagger("init");
      await up();
      assert.equal(await page(), "first");
      const container = await containers();
      assert.match(container, /^[0-9a-f]{64}$/);
      assert.equal(await ask("inspect", "--format", '{{index .Config.Labels "dagger.component"}}', container), "site");
      const listed = (await dagger("ps")).stdout;
      assert.match(listed, new RegExp(`^site +ready .* ${name} `, "m"));
      assert.match(listed, /^beside +ready .* host /m);
      assert.equal((await dagger("logs", "site")).stdout, `${brief ? "" : "starts in /www\n"}of the image, one, ***\n`);
      // It goes on when nothing of it has changed.
      await up();
      assert.equal(await containers(), container);
      if (brief) return;
      // Its image has changed, and then its definition.
      writeFileSync(join(dir, "www/index.html"), "second");
      assert.match(await up(), /the service site has changed: it is replaced/);
      assert.equal(await page(), "second");
      assert.match(await up("-i", "text=two"), /the service site has changed: it is replaced/);
      assert.match((await dagger("logs", "site")).stdout, /of the image, two, /);
      // The secret is on no disk, on no command line and in no label.
      const kept = readFileSync(join(dir, ".dagger/state/services/site/service.json"), "utf8");
      const { process: running } = JSON.parse(kept) as { readonly process: { readonly pid: number } };
      for (const text of [kept, readFileSync(`/proc/${running.pid}/cmdline`, "utf8")]) assert.ok(!text.includes(env.TOKEN));
      // Whoever looks after it is killed with the command that stays with the container: the container is found all the same.
      const { supervisor } = JSON.parse(kept) as { readonly supervisor: { readonly pid: number } };
      process.kill(supervisor.pid, "SIGKILL");
      process.kill(-running.pid, "SIGKILL");
      assert.match((await dagger("ps")).stdout, /^site +lost /m);
      await up("-i", "text=two");
      assert.match(await containers(), /^[0-9a-f]{64}$/);
    } finally {
      const stopped = await runDagger(["stop", "--all"], dir, env);
      const left = await containers();
      await engine.stop();
      assert.equal(stopped.code, 0, stopped.stderr);
      assert.equal(left, "");
    }
  });
}

test("without a container engine the run ends with exit code 3, and says what to do", async () => {
  const dir = join(bench.dir, "none");
  mkdirSync(join(dir, "www"), { recursive: true });
  writeFileSync(join(dir, "up.cue"), config(await freePort()));
  await bench.dagger(["init", dir]);
  const env = { TOKEN: "s3cr3t-of-the-site", DOCKER_HOST: `unix://${dir}/none.sock`, DAGGER_CONTAINER_ENGINE: "no-such-engine" };
  const { code, stderr } = await bench.dagger(["up", dir, "-t", "site", "--allow-host", "--secret", "token=env:TOKEN"], env);
  assert.equal(code, 3, stderr);
  assert.match(stderr, /error\[no-container-engine\]: No container engine answers on this machine: no-such-engine is not there/);
  assert.match(stderr, /DAGGER_CONTAINER_ENGINE/);
});
