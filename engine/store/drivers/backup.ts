// Puts a copy of a SQLite store in its place when it is damaged; copy.ts makes them.
import { existsSync, readdirSync, readlinkSync, realpathSync, statSync } from "node:fs";
import { copyFile, rename } from "node:fs/promises";
import { DatabaseSync } from "@photostructure/sqlite";
import { UserError } from "../../../compiler/index.ts";
import { backupsOf, syncFile } from "./copy.ts";

export interface Restored {
  /** When the copy that is now the store was made, milliseconds since 1970. */
  readonly made: number;
  /** Where the damaged file lies now; not there when there was none. */
  readonly aside?: string;
}

/**
 * Puts the newest backup that is whole in the place of a SQLite store that is not. The damaged file is kept beside it. Rejects with
 * `store-whole`, `store-in-use` and `store-no-backup`.
 */
export async function restoreStore(file: string): Promise<Restored> {
  if (isWhole(file)) {
    const hint = "See what is in it: dagger history list";
    throw new UserError(2, [{ code: "store-whole", message: `The store ${file} is whole: nothing needs to be restored`, at: [], hint }]);
  }
  const [user] = usersOf(file);
  if (user !== undefined) {
    const message = `The process ${user} has the store ${file} open, and what it still writes would be lost`;
    throw new UserError(3, [{ code: "store-in-use", message, at: [], hint: `Wait for it, or end it: kill ${user}` }]);
  }
  const backup = backupsOf(file).find(isWhole);
  if (backup === undefined) {
    const message = `There is no backup of the store ${file}`;
    const hint = `Remove ${file} to start with an empty history`;
    throw new UserError(3, [{ code: "store-no-backup", message, at: [], hint }]);
  }
  const made = statSync(backup).mtimeMs;
  const fresh = `${file}.restored`;
  await copyFile(backup, fresh);
  await syncFile(fresh);
  const aside = existsSync(file) ? free(`${file}.damaged`) : undefined;
  if (aside !== undefined) await rename(file, aside);
  // What belongs to the damaged file must not be applied to the copy.
  for (const part of ["-wal", "-shm"]) {
    if (aside !== undefined && existsSync(file + part)) await rename(file + part, aside + part);
  }
  await rename(fresh, file);
  return aside === undefined ? { made } : { made, aside };
}

function free(path: string): string {
  for (let n = 1; ; n++) if (!existsSync(`${path}-${n}`)) return `${path}-${n}`;
}

/** Other processes of this machine that have the file open, as far as it can be known. */
function usersOf(file: string): readonly string[] {
  if (!existsSync(file) || !existsSync("/proc/self/fd")) return [];
  const real = realpathSync(file);
  const others = readdirSync("/proc").filter((name) => /^\d+$/.test(name) && name !== String(process.pid));
  return others.filter((pid) => {
    try {
      return readdirSync(`/proc/${pid}/fd`).some((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`) === real);
    } catch {
      // Gone meanwhile, or somebody else's.
      return false;
    }
  });
}

function isWhole(file: string): boolean {
  if (!existsSync(file)) return false;
  try {
    const database = new DatabaseSync(file, { readOnly: true });
    try {
      return JSON.stringify(database.prepare("pragma integrity_check").all()) === '[{"integrity_check":"ok"}]';
    } finally {
      database.close();
    }
  } catch {
    return false;
  }
}
