// The client of a BuildKit daemon: one connection, and the calls of moby.buildkit.v1.Control.
import {
  DiskUsageRequest,
  DiskUsageResponse,
  InfoRequest,
  InfoResponse,
  ListWorkersRequest,
  ListWorkersResponse,
  PruneRequest,
  UsageRecord,
} from "../../proto/gen/github.com/moby/buildkit/api/services/control/control.ts";
import type { WorkerRecord } from "../../proto/gen/github.com/moby/buildkit/api/types/worker.ts";
import { type Address, type ResolveOptions, resolveAddress } from "../connect/index.ts";
import type { Environment } from "../directories.ts";
import { RpcError } from "../grpc/status.ts";
import { Build } from "./build.ts";
import { type DaemonCapabilities, readCapabilities } from "./capabilities.ts";
import { solveError } from "./errors.ts";
import { type BuildRecord, changeHistory, type HistoryQuery, listHistory } from "./history.ts";
import type { BuildOptions } from "./request.ts";
import { Connection, type Method } from "./transport.ts";

const service = "/moby.buildkit.v1.Control";
const methods = {
  info: { path: `${service}/Info`, request: InfoRequest, response: InfoResponse } satisfies Method<InfoRequest, InfoResponse>,
  workers: { path: `${service}/ListWorkers`, request: ListWorkersRequest, response: ListWorkersResponse } satisfies Method<
    ListWorkersRequest,
    ListWorkersResponse
  >,
  diskUsage: { path: `${service}/DiskUsage`, request: DiskUsageRequest, response: DiskUsageResponse } satisfies Method<
    DiskUsageRequest,
    DiskUsageResponse
  >,
  prune: { path: `${service}/Prune`, request: PruneRequest, response: UsageRecord } satisfies Method<PruneRequest, UsageRecord>,
};

/** Milliseconds that calls which need no work of the daemon may take. */
const callTimeout = 10_000;

export interface DaemonInfo {
  /** e.g. `v0.32.2`; empty for daemons that do not tell. */
  readonly version: string;
  readonly revision: string;
}

export interface Worker {
  readonly id: string;
  /** e.g. `v0.32.2`; empty for daemons that do not tell. */
  readonly version: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly platforms: readonly { readonly os: string; readonly architecture: string; readonly variant: string }[];
}

/** One record of the daemon's cache. */
export interface CacheRecord {
  readonly id: string;
  readonly bytes: number;
  readonly inUse: boolean;
  readonly mutable: boolean;
  readonly shared: boolean;
  /** e.g. `regular`, `source.local`, `exec.cachemount`. */
  readonly kind: string;
  readonly description: string;
  readonly parents: readonly string[];
  /** Milliseconds since 1970. */
  readonly created: number;
  /** Absent when it was never used again. */
  readonly lastUsed?: number;
  readonly uses: number;
}

export interface PruneOptions {
  /** Also what is still referenced by images. */
  readonly all?: boolean;
  readonly filters?: readonly string[];
  /** Keep what was used within this many milliseconds. */
  readonly keepFor?: number;
  /** Keep no more than this many bytes. */
  readonly keepBytes?: number;
}

export class Client {
  readonly address: Address;
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.address = connection.address;
    this.#connection = connection;
  }

  async info(signal?: AbortSignal): Promise<DaemonInfo> {
    const { buildkitVersion } = await told(this.#connection.unary(methods.info, {}, { timeout: callTimeout, signal }));
    return { version: buildkitVersion?.version ?? "", revision: buildkitVersion?.revision ?? "" };
  }

  async listWorkers(signal?: AbortSignal): Promise<Worker[]> {
    const { record } = await told(this.#connection.unary(methods.workers, { filter: [] }, { timeout: callTimeout, signal }));
    return record.map(toWorker);
  }

  async diskUsage(filters: readonly string[] = [], signal?: AbortSignal): Promise<CacheRecord[]> {
    const { record } = await told(this.#connection.unary(methods.diskUsage, { filter: [...filters], ageLimit: 0n }, { signal }));
    return record.map(toCacheRecord);
  }

  /** Removes cache that is not in use; `onRecord` hears of each. */
  async prune(options: PruneOptions, onRecord: (record: CacheRecord) => void, signal?: AbortSignal): Promise<void> {
    const request = PruneRequest.fromPartial({
      all: options.all ?? false,
      filter: [...(options.filters ?? [])],
      keepDuration: BigInt(Math.round((options.keepFor ?? 0) * 1e6)),
      maxUsedSpace: BigInt(options.keepBytes ?? 0),
    });
    await told(this.#connection.serverStream(methods.prune, request, (record) => onRecord(toCacheRecord(record)), { signal }));
  }

  /** What the daemon can do; undefined when it does not tell. `env` says where that is remembered. */
  async capabilities(env: Environment, signal?: AbortSignal): Promise<DaemonCapabilities | undefined> {
    return readCapabilities(this.#connection, env, signal);
  }

  /** Builds that the daemon remembers: those with `record`, and other clients'. */
  async history(query: HistoryQuery = {}, signal?: AbortSignal): Promise<BuildRecord[]> {
    return told(listHistory(this.#connection, query, signal));
  }

  /** Pins, unpins or forgets a build that the daemon remembers. */
  async changeHistory(ref: string, change: "pin" | "unpin" | "delete", signal?: AbortSignal): Promise<void> {
    await told(changeHistory(this.#connection, ref, change, signal));
  }

  /** Opens the session of one job. Nothing runs before the build is used. Throws UserError (exit 2) `bad-cache`. */
  async build(options: BuildOptions): Promise<Build> {
    return Build.open(this.#connection, options);
  }

  /** Closes the connection; what still runs on it is canceled. */
  close(): void {
    this.#connection.close();
  }
}

export interface ConnectOptions {
  readonly signal?: AbortSignal | undefined;
  /** Certificates for `tcp://`, beside what the environment names. */
  readonly tls?: ResolveOptions["tls"];
  /** Where variables about TLS and Docker are looked up, and what programs on the way (ssh, docker, …) get; default process.env. */
  readonly env?: Environment;
  /** Where relative paths of certificates start; default process.cwd(). */
  readonly cwd?: string;
}

/**
 * Connects to a daemon. Throws UserError: exit 2 `bad-address`, `bad-tls`, `no-docker-context`; 3 `no-daemon`; 130 `interrupted`.
 * `address` is as in `BUILDKIT_HOST`: `unix:///run/buildkit/buildkitd.sock`, `tcp://127.0.0.1:1234`, `docker-container://NAME`, …
 */
export async function connect(address: string, options: ConnectOptions = {}): Promise<Client> {
  const { env = process.env, cwd = process.cwd(), tls } = options;
  const resolved = await resolveAddress(address, { env, cwd, tls });
  return new Client(await Connection.open(resolved, options.signal));
}

async function told<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw error instanceof RpcError ? solveError(error) : error;
  }
}

function toWorker(record: WorkerRecord): Worker {
  return {
    id: record.ID,
    version: record.BuildkitVersion?.version ?? "",
    labels: record.Labels,
    platforms: record.platforms.map((p) => ({ os: p.OS, architecture: p.Architecture, variant: p.Variant })),
  };
}

function toCacheRecord(record: UsageRecord): CacheRecord {
  return {
    id: record.ID,
    bytes: Number(record.Size),
    inUse: record.InUse,
    mutable: record.Mutable,
    shared: record.Shared,
    kind: record.RecordType,
    description: record.Description,
    parents: record.Parents,
    created: milliseconds(record.CreatedAt) ?? 0,
    ...(record.LastUsedAt === undefined ? {} : { lastUsed: milliseconds(record.LastUsedAt) ?? 0 }),
    uses: Number(record.UsageCount),
  };
}

function milliseconds(stamp: { readonly seconds: bigint; readonly nanos: number } | undefined): number | undefined {
  return stamp === undefined ? undefined : Number(stamp.seconds) * 1000 + Math.floor(stamp.nanos / 1e6);
}
