// The door of the store: what is remembered between runs. Its parts are loaded when a store is opened: most commands need none.
import type { Restored } from "./drivers/backup.ts";
import type { Store, StoreOptions } from "./store.ts";

export type { Restored } from "./drivers/backup.ts";
export type * from "./records.ts";
export type * from "./store.ts";

/**
 * Opens a store, or makes it. Runs of processes that are gone become `interrupted`. Rejects with a `UserError`: `store-unreachable`,
 * `store-read-only`, `store-full`, `store-corrupt`, `store-newer`, `store-address`.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  return (await import("./open.ts")).open(options);
}

/**
 * Puts the newest backup that is whole in the place of a SQLite store that is not. The damaged file is kept beside it. Rejects with
 * `store-whole`, `store-in-use` and `store-no-backup`.
 */
export async function restoreStore(file: string): Promise<Restored> {
  return (await import("./drivers/backup.ts")).restoreStore(file);
}
