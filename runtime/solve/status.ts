// The status stream of a job, as plain data with times of the local clock.
import type { IncomingHttpHeaders } from "node:http2";
import type { StatusResponse } from "../../proto/gen/github.com/moby/buildkit/api/services/control/control.ts";
import type { Timestamp } from "../../proto/gen/google/protobuf/timestamp.ts";

/**
 * One message of the stream. A vertex comes again whenever it changes: the last one of a digest counts, except that a vertex may run in several
 * intervals (key: `started`). Statuses are keyed by vertex and id. All times are milliseconds since 1970 of the local clock.
 */
export interface StatusUpdate {
  readonly vertexes: readonly StatusVertex[];
  readonly statuses: readonly VertexProgress[];
  readonly logs: readonly VertexLog[];
  readonly warnings: readonly VertexWarning[];
}

export interface StatusVertex {
  readonly digest: string;
  readonly inputs: readonly string[];
  /** As the first client that loaded the vertex called it: other clients' names can show up here. */
  readonly name: string;
  readonly cached: boolean;
  readonly started?: number;
  readonly completed?: number;
  /** Empty while all is well; ends with `context canceled` when the vertex was canceled. */
  readonly error: string;
  readonly group?: { readonly id: string; readonly name: string; readonly weak: boolean };
}

/** Sub-progress of a vertex, e.g. a layer. `total` is 0 when unknown. */
export interface VertexProgress {
  readonly id: string;
  readonly vertex: string;
  readonly name: string;
  readonly current: number;
  readonly total: number;
  readonly time: number;
  readonly started?: number;
  readonly completed?: number;
}

export interface VertexLog {
  readonly vertex: string;
  /** 1 stdout, 2 stderr. */
  readonly stream: 1 | 2;
  readonly data: Uint8Array;
  readonly time: number;
}

export interface VertexWarning {
  readonly vertex: string;
  readonly level: number;
  readonly short: string;
  readonly detail: readonly string[];
  readonly url: string;
  /** The file that it is about, and places in it; from frontends. */
  readonly file?: { readonly filename: string; readonly language: string; readonly data: Uint8Array };
  readonly ranges: readonly WarningRange[];
}

/** Lines start at 1, characters at 0. */
export interface WarningRange {
  readonly start: { readonly line: number; readonly character: number };
  readonly end: { readonly line: number; readonly character: number };
}

const origin = { line: 0, character: 0 };

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** Shifts the daemon's clock to ours, by the time it tells when the stream starts. */
export class StatusReader {
  #shift = 0;

  onHeaders(headers: IncomingHttpHeaders, now: number): void {
    const text = headers["buildkit-current-timestamp"];
    const server = typeof text === "string" ? Date.parse(text) : Number.NaN;
    if (Number.isFinite(server)) this.#shift = now - server;
  }

  /** Of hundreds of messages a second each field is set by itself: copies of objects take V8 many times as long. */
  read(response: StatusResponse): StatusUpdate {
    return {
      vertexes: response.vertexes.map((v) => {
        const { digest, inputs, name, cached, error } = v;
        const vertex: Writable<StatusVertex> = { digest, inputs, name, cached, error };
        this.#setTimes(vertex, v);
        if (v.progressGroup !== undefined) vertex.group = v.progressGroup;
        return vertex;
      }),
      statuses: response.statuses.map((s) => {
        const { ID: id, vertex, name } = s;
        const time = this.#time(s.timestamp) ?? 0;
        const status: Writable<VertexProgress> = { id, vertex, name, current: Number(s.current), total: Number(s.total), time };
        this.#setTimes(status, s);
        return status;
      }),
      logs: response.logs.map((l) => ({
        vertex: l.vertex,
        stream: l.stream === 2n ? 2 : 1,
        data: l.msg,
        time: this.#time(l.timestamp) ?? 0,
      })),
      warnings: response.warnings.map((w) => ({
        vertex: w.vertex,
        level: Number(w.level),
        short: w.short.toString("utf8"),
        detail: w.detail.map((d) => d.toString("utf8")),
        url: w.url,
        ...(w.info === undefined ? {} : { file: { filename: w.info.filename, language: w.info.language, data: w.info.data } }),
        ranges: w.ranges.map(({ start = origin, end = origin }) => ({ start, end })),
      })),
    };
  }

  #setTimes(
    target: { started?: number; completed?: number },
    of: { started: Timestamp | undefined; completed: Timestamp | undefined },
  ): void {
    const started = this.#time(of.started);
    if (started !== undefined) target.started = started;
    const completed = this.#time(of.completed);
    if (completed !== undefined) target.completed = completed;
  }

  #time(stamp: Timestamp | undefined): number | undefined {
    return stamp === undefined ? undefined : Number(stamp.seconds) * 1000 + stamp.nanos / 1e6 + this.#shift;
  }
}
