// Writes buildkitd.toml for the embedded daemon: private sockets, our own control group, and limits on the disk it may fill.
import { mkdir, statfs, writeFile } from "node:fs/promises";
import { cgroupParent } from "./leftovers.ts";
import type { Location } from "./location.ts";
import { isRootless, procIsWhole } from "./rootless.ts";

const gigabyte = 1_000_000_000;

/** The garbage collector's limits in bytes, for a disk of this size. */
export interface CacheLimits {
  /** Never collected below this. */
  readonly reserved: number;
  /** Collected above this. */
  readonly max: number;
  /** Collected when the disk has less than this free. */
  readonly minFree: number;
}

/** A tenth of the disk, at most 20 GB, is the cache's own; it may grow to three times that while the disk has room. */
export function cacheLimits(diskBytes: number): CacheLimits {
  const reserved = Math.min(Math.floor(diskBytes / 10), 20 * gigabyte);
  return { reserved, max: 3 * reserved, minFree: Math.min(Math.floor(diskBytes / 20), 10 * gigabyte) };
}

/** Writes the configuration, and makes the directories that it names. */
export async function writeConfig(location: Location): Promise<void> {
  await mkdir(location.root, { recursive: true, mode: 0o700 });
  const disk = await statfs(location.root);
  const limits = cacheLimits(disk.blocks * disk.bsize);
  const worker = isRootless() ? rootlessWorker(await procIsWhole()) : rootWorker(location);
  await writeFile(location.config, daemonConfig(location, limits, worker), { mode: 0o600 });
}

function rootWorker(location: Location): string {
  return `defaultCgroupParent = ${JSON.stringify(cgroupParent(location.root))}`;
}

/** Control groups are root's; whatever the daemon starts ends with its namespace. */
function rootlessWorker(ownProc: boolean): string {
  return `rootless = true\n  noProcessSandbox = ${String(!ownProc)}`;
}

/** buildkitd.toml as text; `worker` are further lines about the OCI worker. */
function daemonConfig(location: Location, limits: CacheLimits, worker: string): string {
  // A JSON string is a TOML basic string.
  const text = JSON.stringify;
  return `# Written by dagger each time it starts this daemon; changes are lost.
root = ${text(location.root)}
insecure-entitlements = ["network.host", "security.insecure"]

[grpc]
  address = [${text(`unix://${location.socket}`)}]

# The default lies in /run/buildkit, where another daemon has its own.
[otel]
  socketPath = ${text(location.traceSocket)}

[worker.oci]
  enabled = true
  ${worker}
  gc = true
  reservedSpace = "${String(limits.reserved)}"
  maxUsedSpace = "${String(limits.max)}"
  minFreeSpace = "${String(limits.minFree)}"

[worker.containerd]
  enabled = false
`;
}
