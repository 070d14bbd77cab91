// Copies of a SQLite store, made now and then while it is whole.
import { existsSync, statSync, utimesSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import type { DatabaseSyncInstance } from "@photostructure/sqlite";

const day = 24 * 60 * 60 * 1000;

/** Newest first. Two, because damage may be found only after the next copy was made. */
export const backupsOf = (file: string): [string, string] => [`${file}.backup`, `${file}.backup-before`];

/** Whether the last copy is older than a day. */
export function isDue(file: string, now: number): boolean {
  const made = statSync(backupsOf(file)[0], { throwIfNoEntry: false })?.mtimeMs;
  // A copy from the future is one from before the clock went back.
  return made === undefined || made > now || now - made >= day;
}

/**
 * Copies the database beside itself if the last copy is older than a day, or `always`. SQLite reads every row for it, so a damaged database
 * never replaces a good copy.
 */
export async function backUp(database: DatabaseSyncInstance, file: string, now: number, always: boolean): Promise<void> {
  if (!always && !isDue(file, now)) return;
  const [last, before] = backupsOf(file);
  const fresh = `${file}.backup-new`;
  await rm(fresh, { force: true });
  try {
    database.prepare("vacuum into ?").run(fresh);
    await syncFile(fresh);
    utimesSync(fresh, now / 1000, now / 1000);
    if (existsSync(last)) await rename(last, before);
    await rename(fresh, last);
  } catch (error) {
    await rm(fresh, { force: true });
    throw error;
  }
}

/** What is in it survives a loss of power from now on. */
export async function syncFile(path: string): Promise<void> {
  const handle = await open(path, "r+");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
