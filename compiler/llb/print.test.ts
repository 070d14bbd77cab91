// How a Definition prints, as text and as data.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ExecVertex, Output, Vertex } from "../graph/vertex.ts";
import { describeDefinition, localAttrs, marshal, printDefinition } from "./index.ts";

const OPTIONS = { platform: { os: "linux", architecture: "amd64" }, localUniqueId: "job" } as const;

function out(vertex: Vertex): Output {
  return { vertex, index: 0 };
}

function graph(): Output {
  const meta = (name: string, line: number) => ({ name, component: "app", at: [{ file: "up.cue", line, column: 3 }] });
  const image = out({
    kind: "source",
    meta: meta("app: fetch-container debian", 3),
    identifier: "docker-image://docker.io/library/debian:12",
    attrs: {},
  });
  const src = out({
    kind: "source",
    meta: meta("app: local ./src", 4),
    identifier: "local://src",
    attrs: localAttrs({ exclude: ["*.md"] }),
  });
  const exec: ExecVertex = {
    kind: "exec",
    meta: { ...meta("app: exec make", 5), ignoreCache: true, exportCache: false },
    args: ["make", "-C", "/src", "a target whose name is long", "and another one, so that it does not fit on one line"],
    env: [["CC", "cc"]],
    cwd: "/src",
    user: "",
    extraHosts: [],
    network: "none",
    insecure: false,
    validExitCodes: [],
    ulimits: [],
    devices: [],
    secretEnv: [],
    root: image,
    mounts: [
      { kind: "bind", dest: "/src", from: src, selector: "", readonly: false, output: true },
      { kind: "cache", dest: "/cache", id: "cc", sharing: "locked", from: null, selector: "" },
    ],
    platform: OPTIONS.platform,
  };
  return out({
    kind: "file",
    meta: { name: "", component: "", at: [] },
    base: { vertex: exec, index: 1 },
    actions: [
      { kind: "mkfile", path: "/a", mode: 0o600, data: Buffer.from("one\ntwo\n"), chown: { user: { id: 0 } } },
      { kind: "mkfile", path: "/b", mode: 0o644, data: Buffer.from([255]), timestamp: 0n },
    ],
  });
}

const PRINTED = String.raw`#1 source f03372276b48
  name: "app: fetch-container debian"
  component: "app"
  at: up.cue:3:3
  platform: linux/amd64
  caps: source.image
  identifier: "docker-image://docker.io/library/debian:12"

#2 source 12a9bec66c0c
  name: "app: local ./src"
  component: "app"
  at: up.cue:4:3
  caps: source.local, source.local.excludepatterns, source.local.unique
  identifier: "local://src"
  attrs: {local.excludepatterns: "[\"*.md\"]", local.unique: "job"}

#3 exec 921d16cfd078
  name: "app: exec make"
  component: "app"
  at: up.cue:5:3
  inputs: #1, #2
  platform: linux/amd64
  caps: exec.meta.base, exec.meta.network, exec.mount.bind, exec.mount.cache, exec.mount.cache.sharing
  ignore_cache: true
  export_cache: false
  meta:
    args:
      - "make"
      - "-C"
      - "/src"
      - "a target whose name is long"
      - "and another one, so that it does not fit on one line"
    env: ["CC=cc"]
    cwd: "/src"
    removeMountStubsRecursive: true
  mounts:
    - {input: 0, dest: "/", output: 0}
    - {input: -1, dest: "/cache", output: -1, mountType: "CACHE", cacheOpt: {ID: "cc", sharing: "LOCKED"}}
    - {input: 1, dest: "/src", output: 1}
  network: "NONE"

#4 file f64dd0ea1720
  inputs: #3:1
  caps: file.base
  actions:
    - {input: 0, output: -1, mkfile: {path: "/a", mode: "0600", data: "one\ntwo\n", owner: {user: {byID: 0}}}}
    - {input: 1, output: 0, mkfile: {path: "/b", mode: "0644", data: {base64: "/w=="}, timestamp: 0}}

#5 result a5b7dd820235
  inputs: #4
  caps: constraints, meta.description, meta.exportcache, meta.ignorecache, platform
`;

test("a Definition prints as blocks of numbered ops", () => {
  assert.equal(printDefinition(marshal(graph(), OPTIONS)), PRINTED);
});

test("scratch prints as nothing", () => {
  assert.equal(printDefinition(marshal(null, OPTIONS)), "");
});

test("texts from outside cannot break lines or command a terminal", () => {
  const nasty = 'a"\n\u001b[2J\u009b2J\u2028\u202e';
  const at = [{ file: `${nasty}.cue`, line: 1, column: 1 }];
  const vertex: Vertex = { kind: "source", meta: { name: nasty, component: nasty, at }, identifier: `local://${nasty}`, attrs: {} };
  const printed = printDefinition(marshal(out(vertex), OPTIONS));
  assert.doesNotMatch(printed, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]/);
  for (const line of printed.split("\n")) assert.match(line, /^($|#| {2}[a-z]+: )/);
});

test("of a long text the beginning is printed, and a digest that tells it from others", () => {
  const print = (text: string) => {
    const data = Buffer.from(text);
    const meta = { name: "", component: "", at: [] };
    return printDefinition(
      marshal(out({ kind: "file", meta, base: null, actions: [{ kind: "mkfile", path: "/a", mode: 0, data }] }), OPTIONS),
    );
  };
  const printed = print("x".repeat(100_000));
  assert.ok(printed.length < 1500);
  assert.match(printed, /… \(100000 characters, sha256 [0-9a-f]{12}\)/);
});

test("as data, nothing is shortened and everything is JSON", () => {
  const described = describeDefinition(marshal(graph(), OPTIONS));
  assert.deepEqual(JSON.parse(JSON.stringify(described)), described);
  assert.deepEqual(
    described.map(({ number, kind, inputs }) => ({ number, kind, inputs })),
    [
      { number: 1, kind: "source", inputs: [] },
      { number: 2, kind: "source", inputs: [] },
      { number: 3, kind: "exec", inputs: ["#1", "#2"] },
      { number: 4, kind: "file", inputs: ["#3:1"] },
      { number: 5, kind: "result", inputs: ["#4"] },
    ],
  );
  assert.match(described[0]?.digest ?? "", /^sha256:[0-9a-f]{64}$/);
});

test("bytes that are no Definition are refused", () => {
  assert.throws(() => describeDefinition({ encoded: Buffer.from("not a Definition") }));
});
