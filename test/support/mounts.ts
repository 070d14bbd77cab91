// What container engines leave mounted when they end.
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";

/** Unmounts all that is mounted below a directory, so that it can be removed. */
export async function unmountBelow(dir: string): Promise<void> {
  const table = await readFile("/proc/self/mountinfo", "utf8");
  const points = table.split("\n").map((line) => line.split(" ")[4] ?? "");
  for (const point of points.filter((one) => one.startsWith(`${dir}/`)).reverse())
    await promisify(execFile)("umount", ["--lazy", point]).catch(() => undefined);
}
