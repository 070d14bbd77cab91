// Order of mounts, and the numbers of their outputs.
import assert from "node:assert/strict";
import { test } from "node:test";
import { UserError } from "../diagnostic.ts";
import type { ExecVertex, Mount } from "../graph/vertex.ts";
import { execOutputCount, execOutputIndex } from "./index.ts";

function bind(dest: string, readonly = false, output = true): Mount {
  return { kind: "bind", dest, from: null, selector: "", readonly, output };
}

function exec(rootReadonly: boolean, ...mounts: Mount[]): ExecVertex {
  const lists = { env: [], extraHosts: [], validExitCodes: [], ulimits: [], devices: [], secretEnv: [] };
  const platform = { os: "linux", architecture: "amd64" };
  const meta = { name: "make", component: "app", at: [] };
  return {
    kind: "exec",
    meta,
    args: ["make"],
    cwd: "/",
    user: "",
    network: "sandbox",
    insecure: false,
    root: null,
    platform,
    ...lists,
    rootReadonly,
    mounts,
  };
}

test("outputs are numbered by destination, and only writable binds have one", () => {
  const tmpfs: Mount = { kind: "tmpfs", dest: "/b", size: 0 };
  const vertex = exec(false, bind("/z"), tmpfs, bind("/c", true), bind("/d", false, false), bind("/a"));
  assert.deepEqual(
    ["/", "/a", "/z"].map((dest) => execOutputIndex(vertex, dest)),
    [0, 1, 2],
  );
  assert.equal(execOutputCount(vertex), 3);
});

test("a destination that sorts before the root comes before it", () => {
  assert.equal(execOutputIndex(exec(false, bind("-")), "/"), 1);
});

test("a read-only root leaves the numbers to the mounts", () => {
  const vertex = exec(true, bind("/a"));
  assert.equal(execOutputIndex(vertex, "/a"), 0);
  assert.throws(() => execOutputIndex(vertex, "/"), UserError);
});

test("asking for an output that is not there names the exec and the place", () => {
  assert.throws(() => execOutputIndex(exec(false, bind("/a", true)), "/a"), {
    message: 'Cannot encode exec "make": no writable mount with an output at "/a"',
  });
});
