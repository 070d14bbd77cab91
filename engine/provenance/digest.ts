// Digests of the contents of files: of a few by this thread, of many or large ones by a thread of its own, which stands in nobody's way.

import { createHash, hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, readFile } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { threadBeside } from "../../runtime/beside.ts";

/** A file below `root`, as it was when it was sent: what it says of itself then, as `stampOf` has it. */
export type Stamped = readonly [path: string, stamp: string];

export interface DigestTask {
  readonly root: string;
  readonly files: readonly Stamped[];
}

/** Undefined for a file that is not, or not any more, what its stamp says. */
export type Digests = readonly (string | undefined)[];

/** Read as a whole up to this size (bytes). */
const small = 1 << 20;
/** From so many files or bytes on, a thread is worth its start. */
const manyFiles = 200;
const manyBytes = 8 << 20;

/** In the order of the files. */
export async function digestsOf(task: DigestTask): Promise<Digests> {
  const bytes = task.files.reduce((sum, [, stamp]) => sum + sizeOf(stamp), 0);
  return task.files.length < manyFiles && bytes < manyBytes ? digestsHere(task) : digestsInThread(task);
}

export async function digestsHere({ root, files }: DigestTask): Promise<Digests> {
  const digests: (string | undefined)[] = [];
  for (const [path, stamp] of files) digests.push(await digestOf(`${root}/${path}`, stamp));
  return digests;
}

async function digestsInThread(task: DigestTask): Promise<Digests> {
  const worker = threadBeside(import.meta.url, "digest-worker", { workerData: task });
  try {
    return await new Promise<Digests>((resolve, reject) => {
      worker.once("message", resolve);
      worker.once("error", reject);
      worker.once("exit", () => reject(new Error("The thread that reads files ended early")));
    });
  } finally {
    await worker.terminate();
  }
}

async function digestOf(path: string, stamp: string): Promise<string | undefined> {
  try {
    const digest = sizeOf(stamp) <= small ? hash("sha256", await readFile(path)) : await digestOfLarge(path);
    return stampOf(await lstat(path, { bigint: true })) === stamp ? digest : undefined;
  } catch {
    return undefined;
  }
}

async function digestOfLarge(path: string): Promise<string> {
  const sum = createHash("sha256");
  await pipeline(createReadStream(path, { highWaterMark: small }), sum);
  return sum.digest("hex");
}

function stampOf(stat: { readonly [name in "size" | "mtimeNs" | "ctimeNs" | "ino"]: bigint }): string {
  return `${stat.size} ${stat.mtimeNs} ${stat.ctimeNs} ${stat.ino}`;
}

function sizeOf(stamp: string): number {
  return Number(stamp.split(" ")[0]);
}
