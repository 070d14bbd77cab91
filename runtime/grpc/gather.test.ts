// Messages that come in quick succession are handed over together, in order, and none is lost at the end.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Gather } from "./gather.ts";

test("the first is handed over at once, those soon after it together, in order", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const taken: (readonly number[])[] = [];
  const gather = new Gather<number>(50, (items) => taken.push(items));
  gather.push(1);
  assert.deepEqual(taken, [[1]]);
  gather.push(2);
  t.mock.timers.tick(49);
  gather.push(3);
  assert.deepEqual(taken, [[1]]);
  t.mock.timers.tick(1);
  assert.deepEqual(taken, [[1], [2, 3]]);
  gather.push(4);
  t.mock.timers.tick(50);
  assert.deepEqual(taken, [[1], [2, 3], [4]]);
});

test("after a silence the next is handed over at once", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const taken: (readonly number[])[] = [];
  const gather = new Gather<number>(50, (items) => taken.push(items));
  for (const item of [1, 2]) {
    gather.push(item);
    t.mock.timers.tick(50);
  }
  assert.deepEqual(taken, [[1], [2]]);
});

test("what waits is handed over when it is flushed, once", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const taken: (readonly number[])[] = [];
  const gather = new Gather<number>(50, (items) => taken.push(items));
  for (const item of [1, 2, 3]) gather.push(item);
  gather.flush();
  assert.deepEqual(taken, [[1], [2, 3]]);
  gather.flush();
  t.mock.timers.tick(200);
  assert.deepEqual(taken, [[1], [2, 3]]);
  gather.push(4);
  assert.deepEqual(taken, [[1], [2, 3], [4]]);
});
