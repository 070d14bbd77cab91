// The daemon's remark about what it left out, in our words, wherever a piece of a log ends with it.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { StatusUpdate } from "../../runtime/solve/index.ts";
import type { UpEvent } from "../events.ts";
import { withoutMark } from "./clipped.ts";
import { StepTracker } from "./steps.ts";

const step = { digest: "sha256:1", name: "exec make", component: "app", at: [{ file: "up.cue", line: 3, column: 1 }] };

function logged(...pieces: readonly string[]): UpEvent[] {
  const events: UpEvent[] = [];
  const follow = new StepTracker((event) => void events.push(event)).follower(step);
  for (const piece of pieces) {
    const log = { vertex: step.digest, stream: 1 as const, data: Buffer.from(piece), time: 1 };
    const vertex = { digest: step.digest, inputs: [], name: "exec make", cached: false, started: 1, error: "" };
    const status: StatusUpdate = { vertexes: [vertex], statuses: [], logs: [log], warnings: [] };
    follow(status);
  }
  return events;
}

test("the daemon's remark becomes ours, and one warning per step says how to get the whole log", () => {
  const events = logged("a\n[output clipped, log limit 200KiB/s reached]\n", "b", "c\n[output clipped, log limit 2MiB reached]\n", "d");
  const text = events.flatMap((event) => (event.type === "log" ? [Buffer.from(event.data).toString()] : [])).join("");
  assert.equal(
    text,
    "a\n[output left out: the daemon passes on 200 KiB/s of a log]\nbc\n[output left out: the daemon passes on 2 MiB of a log]\nd",
  );
  const warnings = events.filter(({ type }) => type === "warning");
  assert.equal(warnings.length, 1);
  assert.match(
    JSON.stringify(warnings[0]),
    /exec make` of app are missing: the daemon passes on 200 KiB\/s.*BUILDKIT_STEP_LOG_MAX_SIZE=-1.*"up\.cue"/,
  );
});

test("a log that only speaks of it stays as it is", () => {
  for (const text of ["[output clipped, log limit 2MiB reached]\n", "x\n[output clipped, log limit 2MiB reached]\nmore\n", "]\n", ""]) {
    const data = Buffer.from(text);
    assert.equal(withoutMark(data).data, data);
  }
});
