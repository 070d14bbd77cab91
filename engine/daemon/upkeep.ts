// Upkeep of the daemon that runs use: its workers, what its cache takes, and making room.
import { findDaemon } from "../../runtime/daemon/index.ts";
import type { CacheRecord, Client, ConnectOptions, PruneOptions, Worker } from "../../runtime/solve/index.ts";
import { connect } from "../../runtime/solve/index.ts";
import type { Surroundings } from "../request.ts";

export interface DaemonRequest extends Surroundings {
  /** As --buildkit gives it; without it the daemon that a run would use, which is started if it has to be. */
  readonly buildkit?: string;
  readonly tls?: ConnectOptions["tls"];
  readonly signal: AbortSignal;
}

/** Throws UserError (3) as every connection does. */
export async function listWorkers(request: DaemonRequest): Promise<readonly Worker[]> {
  return withClient(request, (client) => client.listWorkers(request.signal));
}

/** What the daemon's cache holds, largest first. `filters` as buildctl takes them, e.g. `type==exec.cachemount`. */
export async function diskUsage(request: DaemonRequest & { readonly filters?: readonly string[] }): Promise<readonly CacheRecord[]> {
  const records = await withClient(request, (client) => client.diskUsage(request.filters ?? [], request.signal));
  return [...records].sort((a, b) => b.bytes - a.bytes || (a.id < b.id ? -1 : 1));
}

/** Removes cache that nobody uses; gives what was removed. `onRecord` hears of each at once. */
export async function prune(
  request: DaemonRequest & PruneOptions & { readonly onRecord?: (record: CacheRecord) => void },
): Promise<readonly CacheRecord[]> {
  const removed: CacheRecord[] = [];
  const onRecord = (record: CacheRecord): void => {
    removed.push(record);
    request.onRecord?.(record);
  };
  await withClient(request, (client) => client.prune(request, onRecord, request.signal));
  return removed;
}

async function withClient<T>({ buildkit, tls, signal, env, cwd }: DaemonRequest, work: (client: Client) => Promise<T>): Promise<T> {
  const daemon = await findDaemon({ env, cwd, signal, explicit: buildkit });
  const client = await connect(daemon.address, { env, cwd, signal, tls });
  try {
    return await work(client);
  } finally {
    client.close();
  }
}
