// Tells when schedules come, as long as somebody waits for them.
import { nextTime, type Scheduled } from "./schedule.ts";

/** Timers of Node are short, and clocks are set: it is looked at the time at least so often. */
const look = 60_000;

interface Due {
  readonly scheduled: Scheduled;
  readonly time: number;
}

export class Clock {
  readonly #onDue: (due: readonly Scheduled[]) => void;
  #waiting: readonly Due[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(onDue: (due: readonly Scheduled[]) => void) {
    this.#onDue = onDue;
  }

  /** What comes next, and when (milliseconds since 1970); undefined where nothing is scheduled. */
  get next(): { readonly path: string; readonly time: number } | undefined {
    const [first] = [...this.#waiting].sort((a, b) => a.time - b.time);
    return first && { path: first.scheduled.path, time: first.time };
  }

  /** Waits for these and no others. One that it waits for already keeps its time. */
  set(scheduled: readonly Scheduled[]): void {
    const now = new Date();
    this.#waiting = scheduled.flatMap((one) => {
      const known = this.#waiting.find((before) => isSame(before.scheduled, one));
      const time = known?.time ?? nextTime(one, now);
      return time === undefined ? [] : [{ scheduled: one, time }];
    });
    this.#wait();
  }

  close(): void {
    this.#waiting = [];
    clearTimeout(this.#timer);
  }

  #wait(): void {
    clearTimeout(this.#timer);
    const { next } = this;
    if (next !== undefined) this.#timer = setTimeout(() => this.#look(), Math.min(look, Math.max(0, next.time - Date.now())));
  }

  /** Times that were missed while the machine slept come once. */
  #look(): void {
    const now = new Date();
    const due = this.#waiting.filter(({ time }) => time <= now.getTime());
    this.#waiting = this.#waiting.flatMap((one) => {
      const time = due.includes(one) ? nextTime(one.scheduled, now) : one.time;
      return time === undefined ? [] : [{ ...one, time }];
    });
    this.#wait();
    if (due.length > 0) this.#onDue(due.map(({ scheduled }) => scheduled));
  }
}

function isSame(a: Scheduled, b: Scheduled): boolean {
  return a.path === b.path && a.schedule === b.schedule && a.timezone === b.timezone;
}
