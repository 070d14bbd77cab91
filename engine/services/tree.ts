// What is in a directory, as one digest: paths, kinds, permissions, contents.
import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";

export async function digestTree(root: string): Promise<string> {
  const sum = createHash("sha256");
  await add(root, "", sum);
  return sum.digest("hex");
}

async function add(root: string, path: string, sum: Hash): Promise<void> {
  const file = join(root, path);
  const stat = await lstat(file);
  const kind = stat.isDirectory() ? "d" : stat.isSymbolicLink() ? "l" : stat.isFile() ? "f" : "s";
  sum.update(`${kind}${(stat.mode & 0o7777).toString(8)} ${stat.isFile() ? stat.size : 0} ${path}\0`);
  if (kind === "l") sum.update(`${await readlink(file)}\0`);
  if (kind === "f") await pipeline(createReadStream(file), sum, { end: false });
  if (kind !== "d") return;
  for (const name of (await readdir(file)).sort()) await add(root, join(path, name), sum);
}
