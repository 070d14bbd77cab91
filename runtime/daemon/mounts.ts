// Takes down what a dead buildkitd left behind below its root: mounts, and the processes of containers that outlived it.
import { execFile } from "node:child_process";
import { readdir, readFile, readlink } from "node:fs/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Mount points below `dir`, deepest first. */
export async function mountsBelow(dir: string): Promise<readonly string[]> {
  const table = await readFile("/proc/self/mountinfo", "utf8");
  const points = table.split("\n").map((line) => unescapeMount(line.split(" ")[4] ?? ""));
  return points.filter((point) => point.startsWith(`${dir}/`)).sort((a, b) => b.length - a.length);
}

// The kernel writes space, tab, newline and backslash as three octal digits; all other bytes as they are.
function unescapeMount(point: string): string {
  return point.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/** Unmounts everything below `dir`; lazily, so that a process which still holds a file does not keep the rest from going. */
export async function unmountBelow(dir: string): Promise<void> {
  for (const point of await mountsBelow(dir)) {
    await run("umount", ["--lazy", "--", point]).catch(() => undefined);
  }
}

/**
 * Kills the processes whose root directory lies below `dir`: containers that the kernel did not end together with their
 * daemon. Only a root (chroot) there counts, so nothing that merely works in that directory is touched.
 */
export async function killContainersBelow(dir: string): Promise<number> {
  let killed = 0;
  for (const entry of await readdir("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const root = await readlink(`/proc/${entry}/root`).catch(() => "/");
    if (!root.startsWith(`${dir}/`)) continue;
    try {
      process.kill(Number(entry), "SIGKILL");
      killed++;
    } catch {
      // It ended by itself.
    }
  }
  return killed;
}
