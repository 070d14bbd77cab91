// Whole graphs: order of ops, equal vertices, source maps, depth, what cannot be encoded.
import assert from "node:assert/strict";
import { test } from "node:test";
import { UserError } from "../diagnostic.ts";
import type { ExecVertex, FileVertex, Output, Ref, Vertex, VertexMeta } from "../graph/vertex.ts";
import { decodeDefinition, execOutputIndex, marshal } from "./index.ts";

const OPTIONS = { platform: { os: "linux", architecture: "amd64" }, localUniqueId: "job" } as const;

function meta(name: string, line = 1): VertexMeta {
  return { name, component: "app", at: [{ file: "up.cue", line, column: 7 }] };
}

function image(name = "a", more: Partial<VertexMeta> = {}): Output {
  const identifier = `docker-image://docker.io/library/${name}:latest`;
  return { vertex: { kind: "source", meta: { ...meta(name), ...more }, identifier, attrs: {} }, index: 0 };
}

function mkdir(base: Ref, path: string): FileVertex {
  return { kind: "file", meta: meta(`mkdir ${path}`), base, actions: [{ kind: "mkdir", path, mode: 0o755, makeParents: false }] };
}

function exec(root: Ref, more: Partial<ExecVertex> = {}): ExecVertex {
  const lists = { env: [], extraHosts: [], validExitCodes: [], ulimits: [], devices: [], secretEnv: [], mounts: [] };
  const { platform } = OPTIONS;
  return {
    kind: "exec",
    meta: meta("make"),
    args: ["make"],
    cwd: "/",
    user: "",
    network: "sandbox",
    insecure: false,
    root,
    platform,
    ...lists,
    ...more,
  };
}

function out(vertex: Vertex): Output {
  return { vertex, index: 0 };
}

function problemOf(terminal: Output): UserError {
  try {
    marshal(terminal, OPTIONS);
  } catch (error) {
    assert.ok(error instanceof UserError);
    return error;
  }
  return assert.fail("marshalled");
}

test("scratch is the empty Definition", () => {
  const { ops, nodes, encoded } = marshal(null, OPTIONS);
  assert.deepEqual({ ops, nodes, encoded: encoded.length }, { ops: [], nodes: [], encoded: 0 });
  assert.deepEqual(decodeDefinition(encoded), { ops: [], source: undefined });
});

test("ops come after their inputs, and the terminal op names the output asked for", () => {
  const base = image();
  const made = exec(base, { mounts: [{ kind: "bind", dest: "/out", from: null, selector: "", readonly: false, output: true }] });
  const { nodes, encoded } = marshal({ vertex: made, index: execOutputIndex(made, "/out") }, OPTIONS);
  assert.deepEqual(
    nodes.map(({ vertex }) => vertex?.kind),
    ["source", "exec", undefined],
  );
  const { ops } = decodeDefinition(encoded);
  assert.deepEqual(ops.at(-1)?.op.inputs, [{ digest: nodes[1]?.digest, index: 1n }]);
  assert.deepEqual(
    ops.map(({ digest }) => digest),
    nodes.map(({ digest }) => digest),
  );
});

test("names, components and lines do not change digests", () => {
  const digest = (more: Partial<VertexMeta>) => marshal(image("a", more), OPTIONS).nodes[0]?.digest;
  assert.equal(digest({ name: "b", component: "c", at: [], ignoreCache: true }), digest({}));
});

test("vertices with equal bytes become one op that carries the lines of both and the name of the last", () => {
  const [first, second] = [image("a", meta("one", 1)), image("a", meta("two", 2))];
  const { nodes, ops, encoded } = marshal(out({ kind: "merge", meta: meta("m"), inputs: [first, second] }), OPTIONS);
  assert.equal(ops.length, 3);
  assert.deepEqual(nodes[0]?.vertices, [first.vertex, second.vertex]);
  assert.equal(nodes[0]?.vertex, second.vertex);
  const decoded = decodeDefinition(encoded);
  assert.equal(decoded.ops[0]?.metadata?.description["llb.customname"], "two");
  const lines = decoded.source?.locations[nodes[0].digest]?.locations.map(({ ranges }) => ranges[0]?.start?.line);
  assert.deepEqual(lines, [1, 2]);
});

test("the source map names files and lines, and never holds text", () => {
  const { source } = decodeDefinition(marshal(out(mkdir(image(), "/a")), OPTIONS).encoded);
  assert.deepEqual(source?.infos, [{ filename: "up.cue", data: Buffer.alloc(0), definition: undefined, language: "CUE" }]);
  const place = { line: 1, character: 7 };
  for (const { locations } of Object.values(source.locations)) assert.deepEqual(locations[0]?.ranges, [{ start: place, end: place }]);
});

test("a diamond of 64 levels has one op per vertex", () => {
  let top: Output = image();
  for (let i = 0; i < 64; i++) top = out({ kind: "merge", meta: meta("m"), inputs: [top, out(mkdir(top, `/${i}`))] });
  assert.equal(marshal(top, OPTIONS).ops.length, 1 + 2 * 64 + 1);
});

test("a chain of 100,000 vertices does not overflow the stack", () => {
  let top: Output = image();
  for (let i = 0; i < 100_000; i++) top = out(mkdir(top, "/a"));
  assert.equal(marshal(top, OPTIONS).ops.length, 100_002);
});

test("a file op with 5,000 inputs lists each once", () => {
  const leaf = (i: number) => image(`i${i % 2500}`);
  const copy = { kind: "copy", src: "/", dest: "/", mode: 0o644, include: [], exclude: [], requiredPaths: [] } as const;
  const flags = { followSymlinks: false, dirCopyContents: true, attemptUnpack: false, createDestPath: true, allowWildcard: true } as const;
  const rest = { allowEmptyWildcard: true, alwaysReplaceExistingDestPaths: false } as const;
  const actions = Array.from({ length: 5000 }, (_, i) => ({ ...copy, ...flags, ...rest, from: leaf(i) }));
  const { encoded } = marshal(out({ kind: "file", meta: meta("collect"), base: null, actions }), OPTIONS);
  assert.equal(decodeDefinition(encoded).ops.at(-2)?.op.inputs.length, 2500);
});

test("inputs that no action reads come after the others, and results of actions are counted after them all", () => {
  const [base, other] = [image("base"), image("other")];
  const { actions } = mkdir(null, "/a");
  const vertex: FileVertex = { kind: "file", meta: meta("collect"), base, actions: [...actions, ...actions], also: [other, base] };
  const { nodes, encoded } = marshal(out(vertex), OPTIONS);
  const op = decodeDefinition(encoded).ops.at(-2)?.op;
  assert.deepEqual(
    op?.inputs.map(({ digest }) => digest),
    [nodes[0]?.digest, nodes[1]?.digest],
  );
  assert.deepEqual(op?.op?.$case === "file" && op.op.value.actions.map(({ input, output }) => [input, output]), [
    [0n, -1n],
    [2n, 0n],
  ]);
});

test("a local directory gets the id of the job unless it has its own or a session", () => {
  const unique = (attrs: Record<string, string>) => {
    const { encoded } = marshal(out({ kind: "source", meta: meta("l"), identifier: "local://x", attrs }), OPTIONS);
    const op = decodeDefinition(encoded).ops[0]?.op.op;
    return op?.$case === "source" ? op.value.attrs["local.unique"] : undefined;
  };
  assert.equal(unique({}), "job");
  assert.equal(unique({ "local.unique": "own" }), "own");
  assert.equal(unique({ "local.session": "s" }), undefined);
});

test("the same graph gives the same bytes", () => {
  const graph = () =>
    out(
      exec(out(mkdir(image(), "/a")), {
        env: [
          ["B", "1"],
          ["A", "2"],
        ],
      }),
    );
  assert.deepEqual(marshal(graph(), OPTIONS).encoded, marshal(graph(), OPTIONS).encoded);
});

test("a vertex that no op can say is an error with its line", () => {
  const { exit, diagnostics } = problemOf(out(exec(image(), { args: [] })));
  assert.equal(exit, 2);
  assert.deepEqual(diagnostics, [
    { code: "llb-invalid", message: 'Cannot encode exec "make": an exec needs arguments', path: "app", at: meta("").at },
  ]);
});

test("each kind of vertex says what it lacks", () => {
  const invalid: [Vertex, RegExp][] = [
    [exec(image(), { cwd: "" }), /needs a working directory$/],
    [
      exec(image(), { mounts: [{ kind: "cache", dest: "/c", id: "", sharing: "shared", from: null, selector: "" }] }),
      /cache mount needs an id$/,
    ],
    [{ kind: "file", meta: meta("f"), base: null, actions: [] }, /needs an action$/],
    [{ kind: "merge", meta: meta("m"), inputs: [image()] }, /needs two inputs or more, got 1$/],
    [{ kind: "source", meta: meta("s"), identifier: "", attrs: {} }, /needs an identifier$/],
  ];
  for (const [vertex, message] of invalid) assert.match(problemOf(out(vertex)).message, message);
});

test("a number that does not fit its field is an error with its line and cause", () => {
  const numbers: Partial<ExecVertex>[] = [
    { validExitCodes: [2 ** 31] },
    { ulimits: [{ name: "nofile", soft: 0.5, hard: 1 }] },
    { mounts: [{ kind: "secret", dest: "/s", id: "s", uid: -1, gid: 0, mode: 0, optional: false }] },
    { mounts: [{ kind: "tmpfs", dest: "/t", size: 1e300 }] },
  ];
  for (const more of numbers) {
    const error = problemOf(out(exec(image(), more)));
    assert.equal(error.diagnostics[0]?.code, "llb-invalid");
    assert.deepEqual(error.diagnostics[0]?.at, meta("").at);
    assert.ok(error.cause instanceof Error);
  }
});

test("what follows a vertex that ignores the cache ignores it too, when asked, also through vertices with equal bytes", () => {
  const fresh = out(exec(image(), { meta: { ...meta("date"), ignoreCache: true } }));
  const same = out(exec(image(), { meta: meta("date") }));
  const merged = out({
    kind: "merge",
    meta: meta("merge"),
    inputs: [out(mkdir(same, "/a")), out(mkdir(fresh, "/b")), out(mkdir(image("b"), "/c"))],
  });
  const ignoring = (options: object): string[] => {
    return decodeDefinition(marshal(merged, { ...OPTIONS, ...options }).encoded)
      .ops.filter(({ metadata }) => metadata?.ignore_cache === true)
      .map(({ metadata }) => metadata?.description["llb.customname"] ?? "")
      .sort();
  };
  assert.deepEqual(ignoring({}), ["date"]);
  assert.deepEqual(ignoring({ ignoreCacheDownstream: true }), ["date", "merge", "mkdir /a", "mkdir /b"]);
});
