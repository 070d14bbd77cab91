// Schedules: when a component runs next, as cron has it, in a time zone of its own.
import { Cron } from "croner";
import { type Diagnostic, inputError, type Waiting } from "../../compiler/index.ts";

/** A component that a schedule runs. */
export interface Scheduled {
  /** CUE path of the field with the schedule. */
  readonly path: string;
  readonly schedule: string;
  readonly timezone: string;
}

/** Those of the components that wait which have a schedule. Throws UserError (2) `bad-schedule` for what is none. */
export function schedulesOf(waiting: readonly Waiting[]): readonly Scheduled[] {
  const found = waiting.flatMap(({ path, trigger }) => (trigger.kind === "schedule" ? [{ path, ...trigger }] : []));
  const wrong = found.flatMap((one): Diagnostic[] => {
    const message = problemOf(one);
    const hint = 'Write minute, hour, day, month and weekday, such as "*/5 * * * *", and a time zone such as "Europe/Zurich"';
    return message === undefined ? [] : [{ code: "bad-schedule", message, path: one.path, at: one.at, hint }];
  });
  if (wrong.length > 0) throw inputError(...wrong);
  return found.map(({ path, schedule, timezone }) => ({ path, schedule, timezone }));
}

function problemOf(one: Scheduled): string | undefined {
  const { path, schedule, timezone } = one;
  try {
    new Intl.DateTimeFormat("en", { timeZone: timezone });
  } catch {
    return `The schedule of ${path} has the time zone ${JSON.stringify(timezone)}, which is not known`;
  }
  try {
    if (nextTime(one, new Date()) !== undefined) return undefined;
    return `The schedule of ${path}, ${JSON.stringify(schedule)}, never comes`;
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/^CronPattern: /, "") : String(error);
    return `The schedule of ${path}, ${JSON.stringify(schedule)}, cannot be read: ${why}`;
  }
}

/** The first time after another one, as milliseconds since 1970; undefined when it never comes. Where clocks go forward over it, after that. */
export function nextTime({ schedule, timezone }: Scheduled, after: Date): number | undefined {
  return new Cron(schedule, { timezone, paused: true }).nextRun(after)?.getTime();
}
