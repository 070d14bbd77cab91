// Events are read in order, from the first on, however late the reader is; a reader who leaves keeps nothing.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { UpEvent } from "../events.ts";
import { EventQueue } from "./events.ts";

const pass = (number: number): UpEvent => ({ type: "pass", pass: number, because: [] });

async function read(queue: EventQueue): Promise<number[]> {
  const seen: number[] = [];
  for await (const event of queue) if (event.type === "pass") seen.push(event.pass);
  return seen;
}

test("a reader gets what came before it, and what comes while it waits", async () => {
  const queue = new EventQueue();
  queue.push(pass(1));
  queue.push(pass(2));
  const reading = read(queue);
  await Promise.resolve();
  queue.push(pass(3));
  queue.end();
  assert.deepEqual(await reading, [1, 2, 3]);
});

test("what is kept can be read after the end", async () => {
  const queue = new EventQueue();
  queue.push(pass(1));
  queue.end();
  queue.push(pass(2));
  assert.deepEqual(await read(queue), [1]);
});

test("a reader who leaves its loop ends the keeping", async () => {
  const queue = new EventQueue();
  queue.push(pass(1));
  queue.push(pass(2));
  for await (const event of queue) {
    assert.deepEqual(event, pass(1));
    break;
  }
  queue.push(pass(3));
  assert.deepEqual(await read(queue), []);
});
