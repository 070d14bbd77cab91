// Clears away what a dead buildkitd left behind: containers that outlived it, mounts below its root, its control groups, temporary files.
import { createHash } from "node:crypto";
import { readdir, readFile, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isRunning } from "./process.ts";
import { runProgram } from "./run-program.ts";

/** Name of the control group that holds all containers of the daemon with this root, and nothing else. Goes into buildkitd.toml. */
export function cgroupParent(root: string): string {
  return `dagger-${createHash("sha256").update(root).digest("hex").slice(0, 16)}`;
}

/** Clears away everything that is left of the daemon with this root and temporary directory. Only call it when that daemon is dead. */
export async function clearLeftovers(root: string, temporary?: string): Promise<void> {
  await killContainers(root);
  await unmountBelow(root);
  await removeCgroups(root);
  if (temporary !== undefined) await clearTemporary(temporary);
}

/** A daemon that was killed leaves filesystems and secrets mounted there; every daemon leaves empty directories, one for each file that it mounted. */
export async function clearTemporary(dir: string): Promise<void> {
  await unmountBelow(dir);
  // What cannot be unmounted is not ours to delete.
  if ((await mountsBelow(dir)).length > 0) return;
  await rm(dir, { recursive: true, force: true }).catch(() => undefined);
}

/**
 * Kills the containers that the kernel did not end together with their daemon. They are known by their control group, so
 * no other process can be meant.
 */
async function killContainers(root: string): Promise<void> {
  const mark = `/${cgroupParent(root)}/`;
  // A process may have made another one while we looked: look again until nobody is left (or, stuck in the kernel, will not go).
  for (let round = 0; round < 50; round++) {
    const pids = await processesIn(mark);
    if (pids.length === 0) return;
    for (const pid of pids) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It ended by itself.
      }
    }
    await sleep(20);
  }
}

async function processesIn(mark: string): Promise<number[]> {
  const found: number[] = [];
  for (const entry of await readdir("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const groups = await readFile(`/proc/${entry}/cgroup`, "utf8").catch(() => "");
    // A dead process stays in its group until its parent has looked at it.
    if (groups.includes(mark) && (await isRunning(Number(entry)))) found.push(Number(entry));
  }
  return found;
}

/** Unmounts everything below `dir`; lazily, so that a process which still holds a file does not keep the rest from going. */
async function unmountBelow(dir: string): Promise<void> {
  for (const point of await mountsBelow(dir)) await runProgram("umount", ["--lazy", "--", point]).catch(() => undefined);
}

/** The deepest first. */
async function mountsBelow(dir: string): Promise<string[]> {
  const table = await readFile("/proc/self/mountinfo", "utf8");
  const points = table.split("\n").map((line) => unescapeMount(line.split(" ")[4] ?? ""));
  return points.filter((point) => point.startsWith(`${dir}/`)).sort((a, b) => b.length - a.length);
}

// The kernel writes space, tab, newline and backslash as three octal digits; all other bytes as they are.
function unescapeMount(point: string): string {
  return point.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

async function removeCgroups(root: string): Promise<void> {
  const name = cgroupParent(root);
  // Version 2 has one tree; version 1 has one per controller.
  const trees = ["/sys/fs/cgroup", ...(await readdir("/sys/fs/cgroup").catch(() => [])).map((entry) => join("/sys/fs/cgroup", entry))];
  for (const tree of trees) {
    await removeEmptyGroups(join(tree, name));
  }
}

async function removeEmptyGroups(dir: string): Promise<void> {
  const entries = await readdir(dir, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isDirectory()) await removeEmptyGroups(join(dir, entry.name));
  await rmdir(dir).catch(() => undefined);
}
