// Reading what a run told: states, times, logs and passes by step; what is broken is told with its line.
import assert from "node:assert/strict";
import { test } from "node:test";
import { longestLog, parseRecord } from "./record.ts";

const step = (digest: string) => ({ digest, name: `exec ${digest}`, component: "app" });
const lines = (...all: object[]): string => all.map((line) => `${JSON.stringify(line)}\n`).join("");

test("a run is read by step, with its passes and its end", () => {
  const run = parseRecord(
    lines(
      { type: "plan", time: 10, steps: [step("a")] },
      { type: "step", time: 12, step: step("a"), state: "started", started: 11.5 },
      { type: "step", time: 14, step: step("a"), state: "done", started: 13, completed: 13.5 },
      { type: "pass", time: 15, pass: 2, because: ["word"] },
      { type: "step", time: 16, step: step("b"), state: "cached" },
      { type: "unknown", time: 17 },
      { type: "end", time: 20, outcome: "done" },
    ),
    "run",
  );
  assert.deepEqual([run.began, run.ended, run.outcome, run.passes], [10, 20, "done", [["word"]]]);
  const [a, b] = run.steps;
  assert.deepEqual([a?.state, a?.started, a?.completed, a?.pass], ["done", 11.5, 13.5, 1]);
  assert.deepEqual([b?.state, b?.pass], ["cached", 2]);
});

test("logs lose the codes of terminals and lines drawn over, and all but their end", () => {
  const log = (text: string): object => ({ type: "log", time: 1, step: step("a"), stream: 1, text });
  const [short] = parseRecord(lines(log("\u001b[31mred\u001b[0m\r\n"), log("10%\r99%\rdone\n")), "run").steps;
  assert.equal(short?.log, "red\ndone\n");
  const [long] = parseRecord(lines(...Array.from({ length: 5 }, () => log("x".repeat(50_000)))), "run").steps;
  assert.equal(long?.log.length, longestLog);
  assert.equal(long?.cut, 250_000 - longestLog);
});

test("the record of a killed run ends in the middle of a line; one that is broken before is refused", () => {
  const killed = `${lines({ type: "step", time: 1, step: step("a"), state: "started" })}{"type":"st`;
  assert.equal(parseRecord(killed, "run").steps[0]?.state, "started");
  assert.equal(parseRecord(killed, "run").outcome, undefined);
  assert.throws(() => parseRecord(`{"type":"st\n${lines({ type: "end", time: 1, outcome: "done" })}`, "run"), {
    message: "Line 1 of run is no progress of a run",
  });
});
