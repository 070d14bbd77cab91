// A random number that tells this user's workspaces from everybody else's on a shared daemon.
import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { dataDir } from "../directories.ts";

/** Made at first use and kept under the user's data directory; not secret, but not guessable either. */
export async function readClientId(env: Readonly<Record<string, string | undefined>>): Promise<string> {
  const path = join(dataDir(env), "client-id");
  const known = readText(path);
  if (/^[0-9a-f]{32}\n$/.test(known)) return known.trim();
  const id = randomBytes(16).toString("hex");
  try {
    await mkdir(dirname(path), { recursive: true });
    // `wx`: of two processes that start at once, one wins and the other reads what it wrote.
    await writeFile(path, `${id}\n`, { flag: known === "" ? "wx" : "w" });
    return id;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") {
      const theirs = readText(path);
      if (theirs !== "") return theirs.trim();
    }
    // A read-only home: a number for this run alone only costs the daemon a full upload.
    return id;
  }
}

/** Every run reads it: one small file, for which Node need not load what promises of files take. */
function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** An id for something of this user, e.g. a directory: the same in every run, different for everybody else. */
export function scopedId(clientId: string, what: string): string {
  return createHash("sha256").update(`${clientId}\0${what}`).digest("hex").slice(0, 32);
}
