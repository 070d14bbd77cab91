// Schedules as cron has them, in time zones.
import assert from "node:assert/strict";
import { test } from "node:test";
import { UserError, type Waiting } from "../../compiler/index.ts";
import { nextTime, schedulesOf } from "./schedule.ts";

function waiting(schedule: string, timezone = "UTC"): Waiting {
  return { path: "nightly", trigger: { kind: "schedule", schedule, timezone, at: [] } };
}

test("the next time is one of the time zone, also over the change to summer time", () => {
  const nightly = { path: "nightly", schedule: "30 3 * * *", timezone: "Europe/Zurich" };
  const before = nextTime(nightly, new Date("2026-03-28T12:00:00Z"));
  assert.equal(new Date(before ?? 0).toISOString(), "2026-03-29T01:30:00.000Z");
  assert.equal(new Date(nextTime(nightly, new Date("2026-03-27T12:00:00Z")) ?? 0).toISOString(), "2026-03-28T02:30:00.000Z");
  assert.equal(
    nextTime({ ...nightly, schedule: "*/5 * * * *", timezone: "UTC" }, new Date("2026-01-01T00:04:59Z")),
    Date.UTC(2026, 0, 1, 0, 5),
  );
});

test("manual components have no schedule, and those with one keep it", () => {
  const found = schedulesOf([waiting("0 3 * * 1"), { path: "deploy", trigger: { kind: "manual" } }]);
  assert.deepEqual(found, [{ path: "nightly", schedule: "0 3 * * 1", timezone: "UTC" }]);
});

test("what is no schedule, no time zone, or never comes is told", () => {
  const messageOf = (one: Waiting): string => {
    try {
      schedulesOf([one]);
    } catch (error) {
      assert.ok(error instanceof UserError);
      assert.equal(error.exit, 2);
      return error.message;
    }
    return "";
  };
  assert.match(messageOf(waiting("every day")), /"every day", cannot be read: /);
  assert.match(messageOf(waiting("0 3 * * *", "Mars/Olympus")), /the time zone "Mars\/Olympus", which is not known/);
  assert.match(messageOf(waiting("0 0 30 2 *")), /"0 0 30 2 \*", never comes/);
});
