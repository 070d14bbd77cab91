// A containerd of a test's own with nerdctl before it, in a temporary directory. Needs what `make nerdctl` builds.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { unmountBelow } from "./mounts.ts";
import type { TestNetwork } from "./network.ts";

export interface TestContainerd {
  /** Variables that make `nerdctl` use it; one of them is the PATH that it is on. */
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

const binaries = fileURLToPath(new URL("../../dist/bin", import.meta.url));

/** Where distributions put the plugins that make networks of containers. */
const plugins = ["/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni"];

/** Needs root, and the packages containerd (docker.io has it) and containernetworking-plugins (podman has it). */
export async function startContainerd(network: TestNetwork): Promise<TestContainerd> {
  if (!existsSync(join(binaries, "nerdctl"))) throw new Error(`${binaries}/nerdctl is missing: run make nerdctl`);
  const dir = mkdtempSync(join(tmpdir(), "dagger-containerd-"));
  const address = join(dir, "containerd.sock");
  const [config, client] = [join(dir, "containerd.toml"), join(dir, "nerdctl.toml")];
  const off =
    '["io.containerd.grpc.v1.cri", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"]';
  writeFileSync(
    config,
    `version = 2\nroot = "${dir}/root"\nstate = "${dir}/state"\ndisabled_plugins = ${off}\n[grpc]\n  address = "${address}"\n`,
  );
  const places = {
    address,
    data_root: join(dir, "nerdctl"),
    cni_path: plugins.find((one) => existsSync(one)) ?? "",
    cni_netconfpath: join(dir, "cni"),
  };
  writeFileSync(
    client,
    Object.entries({ ...places, cgroup_manager: "cgroupfs" })
      .map(([name, value]) => `${name} = ${JSON.stringify(value)}\n`)
      .join(""),
  );
  mkdirSync(places.cni_netconfpath);
  const log = openSync(join(dir, "log"), "a");
  const [program = "", ...before] = [...network.enter, "containerd"];
  const child = spawn(program, [...before, "--config", config], { stdio: ["ignore", log, log] });
  closeSync(log);
  const ended = once(child, "exit");
  const env = { PATH: `${binaries}:${process.env["PATH"] ?? ""}`, NERDCTL_TOML: client };
  const stop = async (): Promise<void> => {
    child.kill("SIGTERM");
    await ended;
    await unmountBelow(dir);
    await rm(dir, { recursive: true, force: true });
  };
  for (;;) {
    const up = await promisify(execFile)("nerdctl", ["info"], { env: { ...env, HOME: dir } }).then(
      () => true,
      () => false,
    );
    if (up) return { env, stop };
    if (child.exitCode !== null) {
      const text = readFileSync(join(dir, "log"), "utf8");
      await stop();
      throw new Error(`containerd ended:\n${text}`);
    }
    await sleep(50);
  }
}
