// Starts a private, real Docker daemon for a test, and leaves nothing of it behind. It has a network only in one of the test's own: otherwise it
// would change the machine's.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { busyboxRoot } from "./images.ts";
import { unmountBelow } from "./mounts.ts";
import type { TestNetwork } from "./network.ts";

const run = promisify(execFile);

export interface TestDocker {
  /** As DOCKER_HOST has it. */
  readonly host: string;
  readonly socket: string;
  /** e.g. `20.10.24`. */
  readonly version: string;
  stop(): Promise<void>;
}

/** Starts dockerd with an image `busybox:latest`, with a bridge where it has a network for it. Needs root and the package docker.io. */
export async function startDockerd(network?: TestNetwork): Promise<TestDocker> {
  const dir = await mkdtemp(join(tmpdir(), "dagger-docker-"));
  const socket = join(dir, "docker.sock");
  await writeFile(join(dir, "daemon.json"), "{}");
  const places = ["--data-root", join(dir, "data"), "--exec-root", join(dir, "exec"), "--pidfile", join(dir, "pid")];
  const alone = network === undefined ? ["--bridge=none", "--iptables=false", "--ip6tables=false"] : [];
  const [program = "", ...before] = [...(network?.enter ?? []), "/usr/sbin/dockerd"];
  const log = openSync(join(dir, "log"), "a");
  const args = ["-H", `unix://${socket}`, "--config-file", join(dir, "daemon.json"), ...places, ...alone];
  const child = spawn(program, [...before, ...args], { stdio: ["ignore", log, log] });
  closeSync(log);
  const ended = once(child, "exit");
  const stop = async (): Promise<void> => {
    child.kill("SIGTERM");
    await ended;
    await unmountBelow(dir);
    await rm(dir, { recursive: true, force: true });
  };
  try {
    for (;;) {
      const version = await ask(socket, "/version").catch(() => undefined);
      if (version !== undefined) {
        await importBusybox(dir, socket);
        const { Version } = JSON.parse(version) as { Version: string };
        return { host: `unix://${socket}`, socket, version: Version.replace(/[+].*/, ""), stop };
      }
      if (child.exitCode !== null) throw new Error("dockerd ended");
      await sleep(50);
    }
  } catch (error) {
    const text = await readFile(join(dir, "log"), "utf8");
    await stop();
    throw new Error(`dockerd did not come up:\n${text}`, { cause: error });
  }
}

async function importBusybox(dir: string, socket: string): Promise<void> {
  const root = join(dir, "busybox");
  await run("mkdir", [root]);
  await busyboxRoot(root);
  const tar = spawn("tar", ["-C", root, "-cf", "-", "."], { stdio: ["ignore", "pipe", "inherit"] });
  await ask(socket, "/images/create?fromSrc=-&repo=busybox&tag=latest", tar.stdout);
}

/** GET, or POST of a tar. */
function ask(socket: string, path: string, body?: Readable): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { "content-type": "application/x-tar" };
    const request = http.request({ socketPath: socket, path, method: body === undefined ? "GET" : "POST", headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString("utf8");
        if (response.statusCode === 200) resolve(text);
        else reject(new Error(`${path}: ${String(response.statusCode)} ${text}`));
      });
    });
    request.on("error", reject);
    (body ?? Readable.from([])).pipe(request);
  });
}
