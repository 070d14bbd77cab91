// A pod for `kubectl exec`: its containers are processes of this machine, the streams are those of the code that container runtimes use.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { builtBinary } from "./buildkitd.ts";
import { toolsRoot } from "./images.ts";

export interface TestPod {
  /** Variables with which a real `kubectl` is found, and finds the pod `builder`: the context `builds` leads into its namespace, `elsewhere` into another. */
  readonly env: Readonly<Record<"PATH" | "KUBECONFIG", string>>;
  /** Command lines of what runs in its containers now. */
  running(): Promise<string[]>;
  stop(): Promise<void>;
}

const program = fileURLToPath(new URL("../../dist/bin/pod-server", import.meta.url));

/** `address` is where buildctl finds the daemon in the container `buildkitd`; `other` has no buildctl. Needs what `make deploy-tools` builds. */
export async function startPod(address: string): Promise<TestPod> {
  if (!existsSync(program)) throw new Error(`${program} is missing: run make deploy-tools`);
  const dir = mkdtempSync(join(tmpdir(), "dagger-pod-"));
  mkdirSync(join(dir, "bin"));
  symlinkSync(join(await toolsRoot(), "usr/bin/kubectl"), join(dir, "bin/kubectl"));
  const path = process.env["PATH"] ?? "";
  const env = { PATH: `${dirname(builtBinary("buildctl"))}:${path}`, BUILDKIT_HOST: address };
  const server = spawn(program, { env, stdio: ["pipe", "pipe", "ignore"] });
  const ended = once(server, "exit");
  const [port] = (await once(createInterface(server.stdout), "line")) as [string];
  const config = join(dir, "config");
  const contexts = [
    { name: "builds", context: { cluster: "test", namespace: "builds" } },
    { name: "elsewhere", context: { cluster: "test", namespace: "elsewhere" } },
  ];
  const clusters = [{ name: "test", cluster: { server: `http://127.0.0.1:${port}` } }];
  writeFileSync(config, JSON.stringify({ apiVersion: "v1", kind: "Config", clusters, contexts, "current-context": "builds" }));
  return {
    env: { PATH: `${join(dir, "bin")}:${path}`, KUBECONFIG: config },
    running: async () => {
      const listed = await promisify(execFile)("ps", ["-o", "args=", "--ppid", String(server.pid)]).catch(() => ({ stdout: "" }));
      return listed.stdout.split("\n").filter((line) => line !== "");
    },
    stop: async () => {
      server.stdin.end();
      await ended;
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
