// Whose turn it is.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as later } from "node:timers/promises";
import { Turns } from "./turns.ts";

test("turns come in order, so many at a time, and none while they are held", async () => {
  const turns = new Turns(2);
  const had: number[] = [];
  for (const name of [1, 2, 3, 4]) void turns.take().then(() => had.push(name));
  await later();
  assert.deepEqual(had, [1, 2]);
  turns.hold();
  turns.hold();
  turns.give();
  turns.give();
  turns.release();
  await later();
  assert.deepEqual(had, [1, 2]);
  turns.release();
  await later();
  assert.deepEqual(had, [1, 2, 3, 4]);
});
