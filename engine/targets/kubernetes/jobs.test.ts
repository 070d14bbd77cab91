// Which tasks become one Job.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TargetNode } from "../target.ts";
import { planJobs } from "./jobs.ts";

interface Wish {
  readonly name: string;
  readonly needs?: readonly TargetNode[];
  readonly trigger?: TargetNode["trigger"];
  readonly kind?: TargetNode["kind"];
}

function node({ name, needs = [], trigger = { kind: "auto" }, kind = "task" }: Wish): TargetNode {
  const process = {
    args: [name],
    env: [],
    hosts: [],
    network: "sandbox",
    insecure: false,
    readonly: false,
    ulimits: [],
    limits: {},
    retries: 0,
  } as const;
  const image = { dirs: [], files: [] };
  return {
    kind,
    path: name,
    at: [],
    name,
    ref: "busybox",
    trigger,
    image,
    process,
    mounts: [],
    needs,
    outputs: [],
    replicas: 1,
    ports: [],
  };
}

function names(nodes: readonly TargetNode[]): string[] {
  return planJobs(nodes).map(({ tasks, last }) => `${last.name}: ${tasks.map((task) => task.name).join(" ")}`);
}

test("tasks that need each other are one Job, others are Jobs of their own", () => {
  const a = node({ name: "a" });
  const b = node({ name: "b", needs: [a] });
  const alone = node({ name: "alone" });
  const c = node({ name: "c", needs: [a] });
  assert.deepEqual(names([a, b, alone, c]), ["c: a b c", "alone: alone"]);
});

test("a task that needs two joins them", () => {
  const a = node({ name: "a" });
  const b = node({ name: "b" });
  assert.deepEqual(names([a, b, node({ name: "c", needs: [a, b] })]), ["c: a b c"]);
});

test("tasks that need the same daemon are apart, and daemons are no part of a Job", () => {
  const db = node({ name: "db", kind: "daemon" });
  assert.deepEqual(names([db, node({ name: "a", needs: [db] }), node({ name: "b", needs: [db] })]), ["a: a", "b: b"]);
});

test("a task that waits for a trigger is a Job with all that it needs; one that others need runs with them", () => {
  const a = node({ name: "a" });
  const manual = node({ name: "manual", needs: [a], trigger: { kind: "manual" } });
  const needed = node({ name: "needed", trigger: { kind: "manual" } });
  const user = node({ name: "user", needs: [needed] });
  assert.deepEqual(names([a, manual, needed, user]), ["a: a", "user: needed user", "manual: a manual"]);
});

test("a long chain is one Job", () => {
  const chain: TargetNode[] = [];
  for (let n = 0; n < 20_000; n++) chain.push(node({ name: `n${n}`, needs: chain.slice(-1) }));
  assert.deepEqual(
    planJobs(chain).map(({ tasks }) => tasks.length),
    [20_000],
  );
});
