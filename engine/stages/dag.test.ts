// betterform_dag.mk as people write it, and what is wrong with others.
import assert from "node:assert/strict";
import { test } from "node:test";
import { UserError } from "../../compiler/index.ts";
import { readDag } from "./dag.ts";

function stages(text: string): Record<string, readonly string[]> {
  return Object.fromEntries(readDag(text, "betterform_dag.mk").map(({ name, after }) => [name, after]));
}

function problems(text: string): string[] {
  try {
    readDag(text, "betterform_dag.mk");
  } catch (error) {
    assert.ok(error instanceof UserError);
    return error.diagnostics.map(({ at: [place], message }) => `${place?.file}:${place?.line}:${place?.column} ${message}`);
  }
  return [];
}

test("stages come with what they are after, in the order of the file", () => {
  const text = ["$(call define_stage, storage, )", "$(call define_stage, a, storage)", "$(call define_stage, final, a storage)"].join("\n");
  assert.deepEqual(readDag(text, "dag.mk"), [
    { name: "storage", after: [], at: { file: "dag.mk", line: 1, column: 1 } },
    { name: "a", after: ["storage"], at: { file: "dag.mk", line: 2, column: 1 } },
    { name: "final", after: ["a", "storage"], at: { file: "dag.mk", line: 3, column: 1 } },
  ]);
});

test("space does not matter, lines go on after a backslash, comments end them", () => {
  const text = [
    "  # $(call define_stage, not, one)",
    "\t$(call   define_stage ,storage,)   # the first",
    "$(call define_stage,a,   \\",
    "    storage   \\",
    "  )",
    "${call define_stage, b, storage a a}\r",
    "$(eval $(call define_stage, c, b))",
    "",
  ].join("\n");
  assert.deepEqual(stages(text), { storage: [], a: ["storage"], b: ["storage", "a"], c: ["b"] });
});

test("dag_deps says of several stages what they are after, and names stages by that", () => {
  assert.deepEqual(stages("$(call dag_deps, a b, storage)\n$(call dag_deps, b, a)\n"), {
    a: ["storage"],
    b: ["storage", "a"],
    storage: [],
  });
});

test("variables hold lists of names", () => {
  const text =
    "base := x y\nbase += z\nbase ?= never\n$(call define_stage, x)\n$(call define_stage, y)\n$(call define_stage, z)\n$(call define_stage, all, $(base))\n";
  assert.deepEqual(stages(text), { x: [], y: [], z: [], all: ["x", "y", "z"] });
});

test("everything that is wrong is told, each at its line", () => {
  const text = [
    "$(call define_stage, a, b)",
    "$(call define_stage, a, )",
    "include other.mk",
    "$(call define_stages, c, )",
    "$(call define_stage, c d, )",
    "$(call define_stage, e, a, c)",
    "$(call define_stage, f, $(unset))",
  ].join("\n");
  assert.deepEqual(problems(text), [
    "betterform_dag.mk:2:1 Stage a is defined a second time; first in line 1",
    'betterform_dag.mk:3:1 Cannot read "include other.mk"',
    "betterform_dag.mk:4:1 There is no macro define_stages for stages",
    "betterform_dag.mk:5:1 define_stage takes one name and the stages before",
    "betterform_dag.mk:6:1 define_stage takes one name and the stages before",
    "betterform_dag.mk:7:1 The variable unset has no value here",
    "betterform_dag.mk:1:1 Stage b is not defined",
  ]);
});
