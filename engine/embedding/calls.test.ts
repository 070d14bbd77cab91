// Calls end with their signal, with their engine, and leave nothing at a signal that lives on.
import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import { UserError } from "../../compiler/index.ts";
import { Calls } from "./calls.ts";

/** Work that goes on until it is ended. */
const endless = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(new UserError(130, [])), { once: true }));

test("closing ends all calls, waits for them, and refuses later ones", async () => {
  const calls = new Calls();
  const ended: string[] = [];
  for (const name of ["a", "b"]) calls.run(undefined, endless).catch(() => ended.push(name));
  await calls.close();
  assert.deepEqual(ended, ["a", "b"]);
  await assert.rejects(
    calls.run(undefined, async () => 1),
    (error) => error instanceof UserError && error.exit === 2 && error.diagnostics[0]?.code === "engine-closed",
  );
});

test("a call ends with its own signal, others go on", async () => {
  const calls = new Calls();
  const controller = new AbortController();
  const first = calls.run(controller.signal, endless);
  const second = calls.run(undefined, async () => "second");
  controller.abort();
  await assert.rejects(first, UserError);
  assert.equal(await second, "second");
  await assert.rejects(
    calls.run(controller.signal, async () => "never"),
    (error) => error instanceof UserError && error.exit === 130,
  );
});

test("a signal that outlives many calls has no listeners of theirs", async () => {
  const calls = new Calls();
  const { signal } = new AbortController();
  for (let i = 0; i < 5; i++) await calls.run(signal, async () => i);
  assert.equal(getEventListeners(signal, "abort").length, 0);
});
