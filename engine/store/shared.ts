// One store for all in this process that use the same place at the same time: two hundred runs need no two hundred connections.
import { openStore } from "./index.ts";
import type { Store, StoreOptions } from "./store.ts";

interface Opened {
  readonly store: Promise<Store>;
  users: number;
}

const opened = new Map<string, Opened>();

/** As `openStore`. What a user of it still holds when it closes the store stays held while others use it: give it back before. */
export async function openShared(options: Pick<StoreOptions, "location" | "tenant" | "now" | "onNotice">): Promise<Store> {
  const { tenant = "", ...others } = options;
  const place = JSON.stringify(options.location);
  const shared: Opened = opened.get(place) ?? { store: openStore(others), users: 0 };
  opened.set(place, shared);
  shared.users++;
  const leave = async (close: () => Promise<void>): Promise<void> => {
    if (--shared.users > 0) return;
    // Whoever comes now opens it anew.
    if (opened.get(place) === shared) opened.delete(place);
    await close();
  };
  let store: Store;
  try {
    store = await shared.store;
  } catch (error) {
    await leave(async () => undefined);
    throw error;
  }
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= leave(() => store.close());
    return closing;
  };
  return { ...store.forTenant(tenant), close };
}
