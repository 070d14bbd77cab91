// Builds that run side by side share vertices: what they tell is told once, and what the daemon adds is shown where it belongs.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Definition, Vertex } from "../../compiler/index.ts";
import type { StatusUpdate } from "../../runtime/solve/index.ts";
import type { UpEvent } from "../events.ts";
import { StepTracker } from "./steps.ts";

const meta = { name: "write", component: "app", at: [] };
const written: Vertex = { kind: "file", base: null, actions: [], meta };
const definition: Definition = {
  ops: [],
  nodes: [{ digest: "sha256:1", vertex: written, vertices: [written] }],
  encoded: new Uint8Array(),
};

function status(digest: string, name: string): StatusUpdate {
  const vertex = { digest, inputs: [], name, cached: false, started: 1, completed: 2, error: "", group: undefined };
  const log = { vertex: digest, stream: 1, data: Buffer.from("hello"), time: 1 };
  return { vertexes: [vertex], statuses: [], logs: [log], warnings: [] } as unknown as StatusUpdate;
}

test("a vertex that two builds tell of is told once", () => {
  const events: UpEvent[] = [];
  const steps = new StepTracker((event) => void events.push(event));
  steps.plan(definition, definition);
  const [first, second] = [steps.follower(), steps.follower({ name: "push x", component: "app", at: [] })];
  for (const follow of [first, second, first]) follow(status("sha256:1", "write"));
  assert.deepEqual(
    events.map(({ type }) => type),
    ["plan", "solve", "step", "log", "solve", "log"],
  );
  assert.equal(steps.isPlanned("sha256:1"), true);
});

test("what the daemon adds for a build is named after its op", () => {
  const events: UpEvent[] = [];
  const steps = new StepTracker((event) => void events.push(event));
  const at = [{ file: "up.cue", line: 3, column: 1 }];
  steps.follower({ name: "push-container x", component: "app", at })(status("random:9", "exporting to image"));
  const [told, event] = events;
  assert.equal(told?.type, "solve");
  assert.ok(event?.type === "step");
  assert.deepEqual(event.step, { digest: "random:9", name: "push-container x: exporting to image", component: "app", at });
  assert.equal(steps.isPlanned("random:9"), false);
  assert.equal(steps.summary().total, 0);
});

test("an image whose layers come after it was resolved runs again until they are there", () => {
  const states: string[] = [];
  const steps = new StepTracker((event) => void (event.type === "step" && states.push(event.state)));
  steps.plan(definition);
  const follow = steps.follower();
  const vertex = { digest: "sha256:1", inputs: [], name: "image", cached: false, error: "", started: 1 };
  const layer = { id: "sha256:ff", vertex: "sha256:1", name: "", current: 1, total: 9, time: 3 };
  const empty: StatusUpdate = { vertexes: [], statuses: [], logs: [], warnings: [] };
  follow({ ...empty, vertexes: [vertex] });
  follow({ ...empty, vertexes: [{ ...vertex, completed: 2 }] });
  // A later pass asks for it again: nothing to tell.
  follow({ ...empty, vertexes: [{ ...vertex, started: 3 }] });
  assert.deepEqual(states, ["started", "done"]);
  follow({ ...empty, statuses: [layer] });
  follow({ ...empty, statuses: [{ ...layer, current: 5 }] });
  follow({ ...empty, vertexes: [{ ...vertex, started: 3, completed: 4 }], statuses: [{ ...layer, current: 9 }] });
  assert.deepEqual(states, ["started", "done", "started", "done"]);
  assert.equal(steps.layerOf("sha256:ff")?.name, "write");
});
