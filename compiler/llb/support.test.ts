// Definitions against daemons that lack something: what is found, and what is not held against them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { bind, copy, diff, exec, file, image, merge, mkdir, OPTIONS, out, source } from "../../test/llb-oracle/shorthand.ts";
import { type Position, UserError } from "../diagnostic.ts";
import type { FileAction, Output, Vertex } from "../graph/vertex.ts";
import { marshal } from "./index.ts";
import { allCapabilities, checkDaemon } from "./support.ts";

const all = new Set(allCapabilities());

/** What a daemon that has all but `lacking` says to a graph: messages, or nothing. */
function check(terminal: Output, ...lacking: readonly string[]): string[] {
  const caps = new Set([...all].filter((cap) => !lacking.includes(cap)));
  try {
    checkDaemon(marshal(terminal, OPTIONS), { name: "BuildKit v0.9.3", caps });
    return [];
  } catch (error) {
    assert.ok(error instanceof UserError);
    assert.equal(error.exit, 3);
    for (const one of error.diagnostics) assert.equal(one.code, "daemon-lacks");
    return error.diagnostics.map((one) => one.message);
  }
}

function named<V extends Vertex>(vertex: V, name: string, component = "", at: readonly Position[] = []): Output {
  return out({ ...vertex, meta: { ...vertex.meta, name, component, at } });
}

const remove: FileAction = { kind: "rm", path: "/tmp/*", allowNotFound: true, allowWildcard: true };

test("a daemon that has everything has nothing held against it", () => {
  assert.deepEqual(check(out(merge(image(), image("docker.io/library/alpine:3")))), []);
});

test("a lack that the graph does not touch is no problem", () => {
  assert.deepEqual(check(out(exec(image())), "mergeop", "diffop", "file.symlink.create", "source.ocilayout"), []);
});

test("an op that the daemon lacks is told with its name, line and CUE path, and with the daemon's version", () => {
  const at = [{ file: "up.cue", line: 3, column: 5 }];
  const merged = named(merge(image(), image("docker.io/library/alpine:3")), "merge a + b", "app.all", at);
  const caps = new Set([...all].filter((cap) => cap !== "mergeop"));
  assert.throws(
    () => checkDaemon(marshal(out(exec(merged)), OPTIONS), { name: "BuildKit v0.9.3", caps }),
    (error) => {
      assert.ok(error instanceof UserError);
      assert.deepEqual(error.diagnostics, [
        {
          code: "daemon-lacks",
          message: "`merge a + b` needs merging filesystems (mergeop), which BuildKit v0.9.3 does not have",
          path: "app.all",
          at,
          hint: "Use a newer daemon with --buildkit or BUILDKIT_HOST; `dagger engine start` starts one and prints its address",
        },
      ]);
      return true;
    },
  );
});

test("everything that is lacking is told at once, and equal ops at each of their places", () => {
  const twice = [named(diff(image(), out(exec(image()))), "diff one"), named(diff(image(), out(exec(image()))), "diff two")] as const;
  const found = check(named(merge(...twice), "merge them"), "mergeop", "diffop");
  const words = found.map((message) => message.replace(/ needs.*/, ""));
  assert.deepEqual(words.sort(), ["`diff one`", "`diff two`", "`merge them`"]);
});

test("fields of file ops count, though client/llb records none of them", () => {
  const from = image();
  const cases: readonly [FileAction, string][] = [
    [remove, "file.rm.wildcard"],
    [copy(from, { include: ["*.go"] }), "file.copy.includeexcludepatterns"],
    [copy(from, { exclude: ["*.go"] }), "file.copy.includeexcludepatterns"],
    [copy(from, { requiredPaths: ["go.mod"] }), "file.copy.requiredpaths"],
    [copy(from, { alwaysReplaceExistingDestPaths: true }), "file.copy.alwaysreplaceexistingdestpaths"],
    [{ kind: "symlink", oldpath: "a", newpath: "/b" }, "file.symlink.create"],
  ];
  for (const [action, cap] of cases) {
    const [message, ...others] = check(out(file(null, mkdir("/d"), action)), cap);
    assert.deepEqual(others, []);
    assert.ok(message?.includes(`(${cap})`), `${cap}: ${String(message)}`);
  }
  const plain: readonly FileAction[] = [copy(from), { ...remove, allowWildcard: false }];
  for (const action of plain) assert.deepEqual(check(out(file(null, action)), ...cases.map(([, cap]) => cap)), []);
});

test("a subdirectory of a git repository and the control group of an exec count", () => {
  assert.equal(check(source("git://example.com/a.git#main:docs"), "source.git.subdir").length, 1);
  assert.deepEqual(check(source("git://example.com/a.git#main"), "source.git.subdir"), []);
  assert.equal(check(out(exec(image(), { cgroupParent: "/limits" })), "exec.meta.cgroup.parent").length, 1);
});

test("mounts and sources count by what they ask for", () => {
  assert.equal(check(out(exec(image(), { mounts: [bind("/src", image("docker.io/library/alpine:3"))] })), "exec.mount.bind").length, 1);
  assert.equal(check(source("oci-layout://store/a@sha256:00", {}), "source.ocilayout").length, 1);
});

test("what the job as a whole needs is told without a place", () => {
  const [message] = check(out(exec(image())), "constraints");
  assert.equal(message, "`the job` needs constraints, which BuildKit v0.9.3 does not have");
});
