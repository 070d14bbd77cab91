// What a run tells, as the history keeps it: logs as they came, everything else as small data that names steps by their digest.
import type { UpEvent } from "../events.ts";
import type { Json, NewEvent, NewLog } from "../store/index.ts";

type Log = Extract<UpEvent, { type: "log" }>;

/** Undefined for what is not kept: the daemon's own words, which the other events repeat, and transfers before they are complete. */
export function eventOf(event: Exclude<UpEvent, Log>, time: number): NewEvent | undefined {
  switch (event.type) {
    case "solve":
      return undefined;
    case "status": {
      const { step, id, name, total, completed } = event;
      return completed ? { time, type: "status", data: { step: step.digest, id, name, total } } : undefined;
    }
    case "step": {
      const { type, step, ...rest } = event;
      return { time, type, data: { step: step.digest, name: step.name, component: step.component, ...rest } };
    }
    default: {
      const { type, ...data } = event;
      // Events are data through and through.
      return { time, type, data: data as unknown as Json };
    }
  }
}

export function logOf({ step, stream, data, time }: Log): NewLog {
  return { time, component: step.component, step: step.digest, stream, data };
}
