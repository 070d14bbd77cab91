// Hides secrets in what a run tells: its events pass here before anybody sees them.
import type { UpEvent } from "../events.ts";
import { minHidden } from "./forms.ts";
import type { ReadSecret } from "./provider.ts";
import type { Scrubber } from "./scrubber.ts";
import type { ScrubStream } from "./stream.ts";

type Log = Extract<UpEvent, { type: "log" }>;
type Status = Extract<UpEvent, { type: "solve" }>["status"];
type VertexLog = Status["logs"][number];
type Tell = (event: UpEvent) => void;

/** `tell` takes the events of a run; `end` tells what was kept back of its logs, when nothing more comes. */
export interface ScrubbedEvents {
  readonly tell: Tell;
  end(): void;
}

/** Events reach `onEvent` without secrets. Logs are streams: a secret may come in pieces; what a step kept back comes when it ends. */
export function scrubEvents(scrubber: Scrubber, onEvent: Tell): ScrubbedEvents {
  const logs = new Streams<Log>(scrubber, (log) => `${log.step.digest} ${log.stream}`);
  const raw = new Streams<VertexLog>(scrubber, (log) => `${log.vertex} ${log.stream}`);
  return {
    tell: (event) => {
      if (!scrubber.knowsAny) onEvent(event);
      else if (event.type === "log") for (const log of logs.push(event)) onEvent(log);
      else if (event.type === "solve") onEvent({ type: "solve", status: scrubStatus(scrubber, raw, event.status) });
      else {
        if (event.type === "step" && event.state !== "started") for (const rest of logs.end(event.step.digest)) onEvent(rest);
        onEvent(scrubber.data(event));
      }
    },
    end: () => {
      for (const rest of logs.end("")) onEvent(rest);
      const left = raw.end("");
      if (left.length > 0) onEvent({ type: "solve", status: { vertexes: [], statuses: [], logs: left, warnings: [] } });
    },
  };
}

function scrubStatus(scrubber: Scrubber, raw: Streams<VertexLog>, status: Status): Status {
  const logs = status.logs.flatMap((log) => raw.push(log));
  const ended = status.vertexes.filter(({ completed }) => completed !== undefined);
  for (const { digest } of ended) logs.push(...raw.end(digest));
  return { ...scrubber.data({ ...status, logs: [] }), logs };
}

/** The logs of all steps, each a stream. */
class Streams<T extends { readonly data: Uint8Array }> {
  readonly #open = new Map<string, { readonly stream: ScrubStream; last: T }>();
  readonly #scrubber: Scrubber;
  readonly #keyOf: (log: T) => string;

  constructor(scrubber: Scrubber, keyOf: (log: T) => string) {
    this.#scrubber = scrubber;
    this.#keyOf = keyOf;
  }

  push(log: T): T[] {
    const key = this.#keyOf(log);
    const open = this.#open.get(key) ?? { stream: this.#scrubber.stream(), last: log };
    open.last = log;
    this.#open.set(key, open);
    return piece(this.#scrubber, log, open.stream.push(log.data));
  }

  /** What was kept back of the streams whose key starts so. */
  end(start: string): T[] {
    const rest: T[] = [];
    for (const [key, { stream, last }] of this.#open) {
      if (!key.startsWith(start)) continue;
      this.#open.delete(key);
      rest.push(...piece(this.#scrubber, last, stream.end()));
    }
    return rest;
  }
}

function piece<T extends { readonly data: Uint8Array }>(scrubber: Scrubber, log: T, data: Uint8Array): T[] {
  return data.length === 0 ? [] : [{ ...scrubber.data({ ...log, data: nothing }), data }];
}

const nothing = new Uint8Array(0);

/** Reads secrets so that every value is hidden from then on; warns, once, of one that is too short for it. */
export function learning(scrubber: Scrubber, read: ReadSecret, onEvent: Tell): ReadSecret {
  const told = new Set<string>();
  return async (id) => {
    const value = await read(id);
    if (value === undefined || value.length === 0 || scrubber.learn(value) || told.has(id)) return value;
    told.add(id);
    const message = `Secret ${JSON.stringify(id)} has fewer than ${minHidden} bytes: it is not hidden in what is printed`;
    onEvent({ type: "warning", message, detail: [], at: [] });
    return value;
  };
}
