// A Podman with images and containers of its own, in a temporary directory. It has no daemon.
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

export interface TestPodman {
  /** Variables that make `podman` use it. */
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** Needs root and the package podman. */
export function startPodman(): TestPodman {
  const dir = mkdtempSync(join(tmpdir(), "dagger-podman-"));
  const [storage, config] = [join(dir, "storage.conf"), join(dir, "containers.conf")];
  writeFileSync(storage, `[storage]\ndriver = "vfs"\ngraphroot = "${dir}/graph"\nrunroot = "${dir}/run"\n`);
  // There need be neither systemd nor its journal, nor the right to raise limits.
  const engine = `[engine]\nruntime = "runc"\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\ntmp_dir = "${dir}/tmp"\nstatic_dir = "${dir}/static"\nvolume_path = "${dir}/volumes"\n`;
  writeFileSync(config, `[containers]\nlog_driver = "k8s-file"\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n${engine}`);
  const env = { CONTAINERS_STORAGE_CONF: storage, CONTAINERS_CONF: config, XDG_RUNTIME_DIR: join(dir, "xdg") };
  mkdirSync(env.XDG_RUNTIME_DIR, { mode: 0o700 });
  return {
    env,
    stop: async () => {
      const all = { env: { PATH: process.env["PATH"] ?? "", HOME: dir, ...env } };
      await promisify(execFile)("podman", ["rm", "--all", "--force", "--time", "0"], all).catch(() => undefined);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
