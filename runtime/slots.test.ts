// Slots: the bound, the order, and that failures give their place back.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Slots } from "./slots.ts";

test("no more run at once than there are slots, in the order of the calls", async () => {
  const slots = new Slots(2);
  const [started, ends]: [number[], (() => void)[]] = [[], []];
  const all = [0, 1, 2, 3].map((i) =>
    slots.run(() => {
      started.push(i);
      return new Promise<void>((resolve) => ends.push(resolve));
    }),
  );
  await Promise.resolve();
  assert.deepEqual(started, [0, 1]);
  ends[1]?.();
  await all[1];
  await new Promise(setImmediate);
  assert.deepEqual(started, [0, 1, 2]);
  ends[0]?.();
  ends[2]?.();
  await all[2];
  await new Promise(setImmediate);
  ends[3]?.();
  await Promise.all(all);
});

test("what fails gives its slot back", async () => {
  const slots = new Slots(1);
  await assert.rejects(
    slots.run(() => Promise.reject(new Error("no"))),
    /no/,
  );
  assert.equal(await slots.run(() => Promise.resolve(1)), 1);
});
