// Writes buildkitd.toml for the embedded daemon: private sockets, our own control group, and limits on the disk it may fill.
import { mkdir, statfs, writeFile } from "node:fs/promises";
import { cgroupParent } from "./leftovers.ts";
import type { Location } from "./location.ts";

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
  await writeFile(location.config, daemonConfig(location, cacheLimits(disk.blocks * disk.bsize)), { mode: 0o600 });
}

/** buildkitd.toml as text. */
export function daemonConfig(location: Location, limits: CacheLimits): string {
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
  defaultCgroupParent = ${text(cgroupParent(location.root))}
  gc = true
  reservedSpace = "${String(limits.reserved)}"
  maxUsedSpace = "${String(limits.max)}"
  minFreeSpace = "${String(limits.minFree)}"

[worker.containerd]
  enabled = false
`;
}
