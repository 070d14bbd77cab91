// What services in containers get of the machine, with a real Docker, Podman and nerdctl that have a network: ports and volumes.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { startContainerd } from "../support/containerd.ts";
import { startDockerd } from "../support/dockerd.ts";
import { startNetwork, type TestNetwork } from "../support/network.ts";
import { startPodman } from "../support/podman.ts";
import { type Bench, type Outcome, runDagger, startBench } from "./dagger.ts";

let bench: Bench;
let network: TestNetwork;
before(async () => {
  bench = await startBench();
  network = await startNetwork();
});
after(async () => {
  await network?.stop();
  await bench?.end();
});

/** Says how often it was started, and what lies in a directory of the machine. `rival` wants its port. */
const config = (dir: string): string => `package web

import ("cuellb.dev/op", "cuellb.dev/task")

text: *"one" | string
_busybox: [op.#FetchContainer & {ref: "busybox:latest"}]
site: task.#Daemon & {
	name:  "site"
	image: _busybox
	command: ["sh", "-c", """
		trap 'exit 0' TERM
		echo start >>/kept/starts
		mkdir /www
		echo "$TEXT $(cat /given/page) $(wc -l </kept/starts)" >/www/index.html
		httpd -f -p 80 -h /www & wait
		"""]
	container: {
		ports: ["127.0.0.1:8080:80"]
		volumes: {"/kept": "kept-by-site", "/given": "${dir}/given"}
	}
	env: TEXT: text
	ready: http: "http://127.0.0.1:8080/index.html"
}
rival: task.#Daemon & {
	name:    "rival"
	image:   _busybox
	restart: "never"
	command: ["httpd", "-f", "-p", "80"]
	container: ports: ["127.0.0.1:8080:80"]
	ready: {tcp: "127.0.0.1:8081", timeout: "1m"}
}
`;

const engines: Readonly<Record<string, () => Promise<{ readonly env: Readonly<Record<string, string>>; stop(): Promise<void> }>>> = {
  docker: async () => {
    const docker = await startDockerd(network);
    return { env: { DOCKER_HOST: docker.host }, stop: docker.stop };
  },
  podman: async () => startPodman(),
  nerdctl: () => startContainerd(network),
};

for (const [name, start] of Object.entries(engines)) {
  test(`a service in a container of ${name} is reached at its ports, and its volumes outlive it`, async () => {
    const engine = await start();
    const dir = join(bench.dir, name);
    const system = { PATH: process.env["PATH"] ?? "", HOME: bench.dir, ...engine.env };
    const env = {
      ...system,
      DAGGER_DATA_DIR: join(bench.dir, "data"),
      BUILDKIT_HOST: bench.daemon.address,
      DAGGER_CONTAINER_ENGINE: name,
    };
    const run = (...args: string[]): Promise<Outcome> => runDagger(args, dir, env, network.enter);
    const succeeds = async (...args: string[]): Promise<Outcome> => {
      const outcome = await run(...args);
      assert.equal(outcome.code, 0, outcome.stderr);
      return outcome;
    };
    const up = (...more: string[]): Promise<Outcome> => succeeds("up", "-t", "site", "--allow-host", "--progress", "plain", ...more);
    const ask = async (...args: string[]): Promise<string> => {
      const [enter = "", ...rest] = [...network.enter, name, ...args];
      return (await promisify(execFile)(enter, rest, { env: system })).stdout.trim();
    };
    const page = (): Promise<string> => network.get("http://127.0.0.1:8080/index.html");
    const site = (): Promise<string> => ask("ps", "--quiet", "--filter", "label=dagger.service=site");
    try {
      mkdirSync(join(dir, "given"), { recursive: true });
      writeFileSync(join(dir, "up.cue"), config(dir));
      writeFileSync(join(dir, "given/page"), "given");
      await succeeds("init");
      await up();
      // Engines make the one that all containers have when they need it first.
      const networks = await ask("network", "ls", "--quiet");
      assert.equal(await page(), "one given 1\n");
      assert.match((await succeeds("ps")).stdout, new RegExp(`^site +ready .* ${name} +127\\.0\\.0\\.1:8080:80 `, "m"));
      // Whoever wants the same port is told so by the engine; nerdctl lets both have it.
      if (name !== "nerdctl") {
        const rival = await run("up", "-t", "rival", "--allow-host", "--progress", "plain");
        assert.equal(rival.code, 1, rival.stderr);
        assert.match(rival.stderr, /error\[service-not-ready\]: The service rival is not ready/);
        assert.match(rival.stderr, /address already in use|port is already allocated/);
      }
      // It ends by itself, and is started again, at the same port.
      await ask("kill", await site());
      await until(async () => (await page()) === "one given 2\n");
      // Where nothing collects processes that have lost their parents, Podman takes 20 s for the end of each container.
      const brief = name === "podman";
      // What takes its place has its port and its volumes.
      if (!brief) await up("-i", "text=two");
      if (!brief) assert.equal(await page(), "two given 3\n");
      await succeeds("stop", "site");
      await assert.rejects(page());
      assert.equal(await ask("ps", "--all", "--quiet"), "");
      assert.equal(await ask("network", "ls", "--quiet"), networks);
      assert.equal(await ask("volume", "ls", "--quiet"), "kept-by-site");
      if (brief) return;
      await up();
      assert.equal(await page(), "one given 4\n");
    } finally {
      const stopped = await run("stop", "--all");
      await engine.stop();
      assert.equal(stopped.code, 0, stopped.stderr);
    }
  });
}

/** Whatever it rejects with on the way. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 120_000;
  while (!(await holds().catch(() => false))) {
    if (Date.now() > end) throw new Error("it does not come to hold");
    await sleep(100);
  }
}
