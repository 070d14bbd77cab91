// When things are asked for: each in its own time, more seldom after failures, and none because of another.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Poller, waitAfter } from "./poller.ts";

test("what fails is asked more and more seldom, but not for ever", () => {
  assert.deepEqual(
    [0, 1, 2, 3].map((failures) => waitAfter(60_000, failures)),
    [60_000, 120_000, 240_000, 480_000],
  );
  assert.equal(waitAfter(60_000, 1000), 30 * 60_000);
  assert.equal(waitAfter(24 * 3_600_000, 3), 24 * 3_600_000);
});

test("one that never answers keeps none of the others from being asked; what comes while it is asked is asked for after it", async (t) => {
  const asked: string[] = [];
  let release: () => void = () => undefined;
  const hung = new Promise<void>((resolve) => {
    release = resolve;
  });
  let reached: () => void = () => undefined;
  const often = new Promise<void>((resolve) => {
    reached = resolve;
  });
  const poller = new Poller({
    atOnce: 2,
    ask: async (name) => {
      asked.push(name);
      if (name === "hung") await hung;
      if (asked.filter((one) => one === "quick").length === 5) reached();
      return name !== "broken";
    },
  });
  t.after(async () => {
    release();
    await poller.close();
  });
  poller.set(
    new Map([
      ["hung", 1],
      ["quick", 1],
      ["broken", 1],
      ["never", 0],
    ]),
    "later",
  );
  await often;
  assert.equal(asked.filter((name) => name === "hung").length, 1);
  assert.ok(asked.includes("broken"));
  assert.equal(asked.includes("never"), false);
  poller.soon("hung");
  poller.set(new Map([["hung", 1]]), "later");
  release();
  while (asked.filter((name) => name === "hung").length < 2) await new Promise((resolve) => setTimeout(resolve, 1));
});

test("what is asked for now is asked once, unless it is to be asked again", async (t) => {
  const asked: string[] = [];
  let done: () => void = () => undefined;
  const both = new Promise<void>((resolve) => {
    done = resolve;
  });
  const poller = new Poller({
    atOnce: 8,
    ask: async (name) => {
      if (asked.push(name) === 3) done();
      return true;
    },
  });
  t.after(() => poller.close());
  poller.set(new Map(["a", "b"].map((name) => [name, 0])), "now");
  while (asked.length < 2) await new Promise((resolve) => setTimeout(resolve, 1));
  poller.soon("b");
  await both;
  assert.deepEqual(asked, ["a", "b", "b"]);
});
