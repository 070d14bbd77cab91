// The daemon's own record of builds: list, pin, forget.
import {
  BuildHistoryEvent,
  BuildHistoryEventType,
  type BuildHistoryRecord,
  BuildHistoryRequest,
  UpdateBuildHistoryRequest,
  UpdateBuildHistoryResponse,
} from "../../proto/gen/github.com/moby/buildkit/api/services/control/control.ts";
import type { Connection, Method } from "./transport.ts";

const service = "/moby.buildkit.v1.Control";
const listen: Method<BuildHistoryRequest, BuildHistoryEvent> = {
  path: `${service}/ListenBuildHistory`,
  request: BuildHistoryRequest,
  response: BuildHistoryEvent,
};
const update: Method<UpdateBuildHistoryRequest, UpdateBuildHistoryResponse> = {
  path: `${service}/UpdateBuildHistory`,
  request: UpdateBuildHistoryRequest,
  response: UpdateBuildHistoryResponse,
};

/** One build that the daemon remembers. Times are milliseconds since 1970, by the daemon's clock. */
export interface BuildRecord {
  readonly ref: string;
  readonly state: "running" | "completed" | "error" | "canceled";
  readonly created: number;
  readonly completed?: number;
  readonly error: string;
  readonly steps: { readonly total: number; readonly completed: number; readonly cached: number };
  readonly warnings: number;
  readonly pinned: boolean;
  readonly exporters: readonly { readonly type: string; readonly attrs: Readonly<Record<string, string>> }[];
  readonly response: Readonly<Record<string, string>>;
}

export interface HistoryQuery {
  /** Only this build. */
  readonly ref?: string;
  readonly activeOnly?: boolean;
  /** As buildctl takes them, e.g. `status==error`; a record must match one of them. */
  readonly filters?: readonly string[];
  readonly limit?: number;
}

/** What the daemon remembers now, running builds first. */
export async function listHistory(connection: Connection, query: HistoryQuery, signal?: AbortSignal): Promise<BuildRecord[]> {
  const { ref = "", activeOnly = false, filters = [], limit = 0 } = query;
  const request = { Ref: ref, ActiveOnly: activeOnly, EarlyExit: true, Filter: [...filters], Limit: limit };
  const records = new Map<string, BuildRecord>();
  const onEvent = ({ type, record }: BuildHistoryEvent): void => {
    if (record === undefined) return;
    if (type === BuildHistoryEventType.DELETED) records.delete(record.Ref);
    else records.set(record.Ref, toRecord(record));
  };
  await connection.serverStream(listen, request, onEvent, { signal });
  return [...records.values()];
}

/** `pin` keeps a record from being cleaned up by itself, `unpin` ends that, `delete` forgets it with its logs. Throws RpcError notFound. */
export async function changeHistory(
  connection: Connection,
  ref: string,
  change: "pin" | "unpin" | "delete",
  signal?: AbortSignal,
): Promise<void> {
  await connection.unary(update, { Ref: ref, Pinned: change === "pin", Delete: change === "delete", Finalize: false }, { signal });
}

function toRecord(record: BuildHistoryRecord): BuildRecord {
  const { error } = record;
  const completed = time(record.CompletedAt);
  return {
    ref: record.Ref,
    state: completed === undefined ? "running" : error === undefined ? "completed" : error.code === 1 ? "canceled" : "error",
    created: time(record.CreatedAt) ?? 0,
    ...(completed === undefined ? {} : { completed }),
    error: error?.message ?? "",
    steps: { total: record.numTotalSteps, completed: record.numCompletedSteps, cached: record.numCachedSteps },
    warnings: record.numWarnings,
    pinned: record.pinned,
    exporters: record.Exporters.map(({ Type, Attrs }) => ({ type: Type, attrs: Attrs })),
    response: record.ExporterResponse,
  };
}

function time(stamp: { readonly seconds: bigint; readonly nanos: number } | undefined): number | undefined {
  return stamp === undefined ? undefined : Number(stamp.seconds) * 1000 + Math.floor(stamp.nanos / 1e6);
}
