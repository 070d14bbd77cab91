// When a run begins after changes: at a pause, at the limit, in a flood.
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { Debounce, waitFor } from "./debounce.ts";

const pace = { quiet: 50, limit: 500 };

test("after a change it waits until it is quiet, and never beyond the limit", () => {
  assert.equal(waitFor(pace, 1, 0), 50);
  assert.equal(waitFor(pace, 9, 470), 30);
  assert.equal(waitFor(pace, 9, 500), 0);
  assert.equal(waitFor(pace, 9, 9000), 0);
});

test("a flood is waited for beyond the limit, until it pauses, but not for ever", () => {
  assert.equal(waitFor(pace, 50_000, 700), 500);
  assert.equal(waitFor(pace, 50_000, 29_900), 100);
  assert.equal(waitFor(pace, 50_000, 60_000), 0);
});

test("many changes that come together fire once", async () => {
  const target = new EventTarget();
  let fired = 0;
  const debounce = new Debounce({ quiet: 5, limit: 50 }, () => {
    fired++;
    target.dispatchEvent(new Event("fired"));
  });
  for (let i = 0; i < 50_000; i++) debounce.note();
  await once(target, "fired");
  debounce.note();
  await once(target, "fired");
  assert.equal(fired, 2);
  debounce.note();
  debounce.clear();
});
