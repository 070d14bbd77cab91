// Which hooks run for what became of a run, and what they are told.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Hook, UserError } from "../../compiler/index.ts";
import type { UpResult } from "../events.ts";
import { KeptError } from "../passes/keep-going.ts";
import { beginning, eventFor, type Outcome, outcomeOf } from "./event.ts";

const known = { componentsOf: (digest: string) => (digest === "sha256:1" ? ["copy"] : []), lastLines: () => "the end" };
const failed = {
  code: "command-failed",
  message: "It ended",
  path: "build._ran",
  at: [],
  step: { digest: "sha256:1", name: "exec", exitCode: 3 },
};
const failure = outcomeOf(new UserError(1, [failed]), known);
const kept = outcomeOf(new KeptError([failed], {} as UpResult), known);
const cancelled = outcomeOf(new UserError(130, [{ code: "interrupted", message: "Interrupted", at: [] }]), known);
const success = outcomeOf(undefined, known);

function hook(on: Hook["on"], of: readonly string[] = [], needs: readonly string[] = of): Hook {
  return { path: "hook", on, of, needs, at: [] };
}

function moments(outcome: Outcome, of: readonly string[], needs?: readonly string[]): string[] {
  const all = (["start", "error", "success", "exit"] as const).map((on) => eventFor(hook(on, of, needs), outcome));
  return all.flatMap((event) => (event === undefined ? [] : [`${event.on} ${event.status}`]));
}

test("hooks of the whole run follow what became of it", () => {
  assert.deepEqual(moments(beginning, []), ["start running"]);
  assert.deepEqual(moments(success, []), ["success success", "exit success"]);
  assert.deepEqual(moments(failure, []), ["error failure", "exit failure"]);
  assert.deepEqual(moments(cancelled, []), ["exit cancelled"]);
});

test("a hook of a component follows its failure, that of what it needs, and that of an equal step of another", () => {
  const failing = ["error failure", "exit failure"];
  assert.deepEqual(moments(failure, ["build"]), failing);
  assert.deepEqual(moments(failure, ["deploy"], ["deploy", "build"]), failing);
  assert.deepEqual(moments(failure, ["copy"]), failing);
});

test("what others' failure cut off has neither failed nor succeeded, unless nothing was cut off", () => {
  assert.deepEqual(moments(failure, ["other"]), ["exit cancelled"]);
  assert.deepEqual(moments(failure, ["builder"]), ["exit cancelled"]);
  assert.deepEqual(moments(kept, ["other"]), ["success success", "exit success"]);
});

test("a hook is told of its failures: component, words, exit code and last lines", () => {
  const told = { component: "build", code: "command-failed", message: "It ended", exitCode: 3, log: "the end" };
  assert.deepEqual(eventFor(hook("error", ["build"]), failure), { on: "error", status: "failure", of: ["build"], failures: [told] });
  assert.deepEqual(eventFor(hook("exit", ["other"]), failure)?.failures, []);
});
