// A push without a limit of its own ends, too: after 120 times the patience, six hours by default.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ImageOutput } from "../../compiler/index.ts";
import { UserError } from "../../compiler/index.ts";
import { whileHeard } from "./registry-watch.ts";

const output: ImageOutput = {
  target: { kind: "push", ref: "registry.example/app:1" },
  attest: {},
  platforms: [],
  after: undefined,
  key: "",
  values: [],
  component: "app",
  path: "app.#up[0]",
  name: "push-container",
  at: [],
};

test("a push that never ends is given up, however often its registry answers", async () => {
  let asked = 0;
  const registryAnswers = async (): Promise<boolean> => {
    asked++;
    return true;
  };
  const push = whileHeard(new Promise<void>(() => undefined), output, { patience: 5, registryAnswers }, new AbortController().signal);
  // Timers of the watch keep no process alive; a push does, by its connection.
  const alive = setInterval(() => undefined, 1000);
  await assert.rejects(push, (error) => error instanceof UserError && /is not done after 1 s, though/.test(error.message));
  clearInterval(alive);
  assert.ok(asked > 0);
});

test("what ends in time is not disturbed, and neither is a saved image", async () => {
  const daemon = { patience: 5, registryAnswers: async () => true };
  assert.equal(await whileHeard(Promise.resolve("done"), { ...output, timeout: 1 }, daemon, new AbortController().signal), "done");
  const saved: ImageOutput = { ...output, timeout: 1, target: { kind: "save", ref: "app:1", dest: "/app.tar", format: "oci" } };
  const slow = new Promise<string>((resolve) => setTimeout(() => resolve("saved"), 50));
  assert.equal(await whileHeard(slow, saved, daemon, new AbortController().signal), "saved");
});
