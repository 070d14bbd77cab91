// Calls end with their signal, with their engine, and leave nothing at a signal that lives on.
import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import { UserError } from "../../compiler/index.ts";
import { type Access, Calls } from "./calls.ts";

const look: Access = { action: "read", resource: "workspace" };

/** Work that goes on until it is ended. */
const endless = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(new UserError(130, [])), { once: true }));

test("closing ends all calls, waits for them, and refuses later ones", async () => {
  const calls = new Calls();
  const ended: string[] = [];
  for (const name of ["a", "b"]) calls.run(look, {}, endless).catch(() => ended.push(name));
  await calls.close();
  assert.deepEqual(ended, ["a", "b"]);
  await assert.rejects(
    calls.run(look, {}, async () => 1),
    (error) => error instanceof UserError && error.exit === 2 && error.diagnostics[0]?.code === "engine-closed",
  );
});

test("a call ends with its own signal, others go on", async () => {
  const calls = new Calls();
  const controller = new AbortController();
  const first = calls.run(look, { signal: controller.signal }, endless);
  const second = calls.run(look, {}, async () => "second");
  controller.abort();
  await assert.rejects(first, UserError);
  assert.equal(await second, "second");
  await assert.rejects(
    calls.run(look, { signal: controller.signal }, async () => "never"),
    (error) => error instanceof UserError && error.exit === 130,
  );
});

test("a signal that outlives many calls has no listeners of theirs", async () => {
  const calls = new Calls();
  const { signal } = new AbortController();
  for (let i = 0; i < 5; i++) await calls.run(look, { signal }, async () => i);
  assert.equal(getEventListeners(signal, "abort").length, 0);
});

test("what is not allowed is not begun, and says on whose behalf it was", async () => {
  const asked: Access[] = [];
  const calls = new Calls(async (access) => {
    asked.push(access);
    return access.action === "read";
  });
  assert.equal(await calls.run(look, { actor: "ada" }, async () => 1), 1);
  let begun = false;
  const refused = calls.run({ action: "run", resource: "web/staging" }, { actor: "ada" }, async () => {
    begun = true;
  });
  await assert.rejects(refused, (error) => error instanceof UserError && error.diagnostics[0]?.code === "not-authorized");
  assert.equal(begun, false);
  assert.deepEqual(asked, [
    { ...look, actor: "ada" },
    { action: "run", resource: "web/staging", actor: "ada" },
  ]);
});

test("a loop ends with its signal and with the engine, and is allowed first", async () => {
  async function* endless(signal: AbortSignal): AsyncGenerator<number> {
    for (let i = 0; ; i++) {
      if (signal.aborted) throw new UserError(130, []);
      yield i;
    }
  }
  const calls = new Calls();
  const seen: number[] = [];
  const reading = (async () => {
    for await (const one of calls.iterate(look, {}, endless)) {
      seen.push(one);
      if (one === 2) await calls.close();
    }
  })();
  await assert.rejects(reading, (error) => error instanceof UserError && error.exit === 130);
  assert.deepEqual(seen, [0, 1, 2]);
  await assert.rejects(calls.iterate(look, {}, endless).next(), (error) => error instanceof UserError && error.exit === 2);
  const never = new Calls(() => false);
  await assert.rejects(never.iterate(look, {}, endless).next(), (error) => error instanceof UserError && error.exit === 2);
});
