// A Definition taken into another graph keeps its bytes: digests, order and metadata.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Definition } from "../../proto/gen/github.com/moby/buildkit/solver/pb/ops.ts";
import type { FileVertex, Output, SourceVertex, VertexMeta } from "../graph/vertex.ts";
import { copyContents } from "../ops/files.ts";
import { marshal } from "./marshal.ts";
import { spliceDefinition } from "./splice.ts";

const options = { platform: { os: "linux", architecture: "amd64" }, localUniqueId: "test" };

function meta(name: string, line = 1): VertexMeta {
  return { name, component: "app", at: [{ file: "Dockerfile", line, column: 1 }] };
}

function file(base: Output | null, path: string, from: VertexMeta): Output {
  const vertex: FileVertex = { kind: "file", base, actions: [{ kind: "mkdir", path, mode: 0o755, makeParents: true }], meta: from };
  return { vertex, index: 0 };
}

test("a spliced Definition encodes to the same ops, with names, capabilities and lines kept", () => {
  const first = file(null, "/a", meta("first", 3));
  const original = marshal(file(first, "/b", { ...meta("second", 4), ignoreCache: true }), options);
  const spliced = spliceDefinition(original.encoded, {
    meta: { name: "docker-build", component: "app", at: [{ file: "up.cue", line: 7, column: 2 }] },
    fileName: (name) => `ctx/${name}`,
  });
  const again = marshal(spliced, options);
  assert.deepEqual(again.ops, original.ops);
  assert.deepEqual(
    again.nodes.map(({ digest }) => digest),
    original.nodes.map(({ digest }) => digest),
  );
  const { metadata } = Definition.decode(again.encoded);
  assert.deepEqual(metadata, Definition.decode(original.encoded).metadata);
  assert.deepEqual(again.nodes[0]?.vertex?.meta.at, [
    { file: "up.cue", line: 7, column: 2 },
    { file: "ctx/Dockerfile", line: 3, column: 1 },
  ]);
});

test("ops that the graph has already are not taken twice", () => {
  const own = file(null, "/a", meta("own"));
  const below = marshal(own, options);
  const theirs = marshal(file(own, "/b", meta("theirs")), options);
  const known = new Map(below.nodes.flatMap(({ digest, vertex }) => (vertex === undefined ? [] : [[digest, vertex] as const])));
  const spliced = spliceDefinition(theirs.encoded, { meta: meta("docker-build"), known });
  assert.ok(spliced?.vertex.kind === "raw");
  assert.equal(spliced.vertex.inputs[0]?.vertex, own.vertex);
});

test("a source can be replaced: all that is made of it follows, and the rest stays as it was", () => {
  const git: SourceVertex = {
    kind: "source",
    identifier: "git://host/a.git#main",
    attrs: { "git.fullurl": "https://host/a.git" },
    meta: meta("git"),
  };
  const http: SourceVertex = { kind: "source", identifier: "https://host/f", attrs: {}, meta: meta("http", 2) };
  const copy = (base: Output, from: SourceVertex): Output => ({
    vertex: { kind: "file", base, actions: [copyContents({ vertex: from, index: 0 }, "/", "/")], meta: meta("copy") },
    index: 0,
  });
  const untouched = file(null, "/a", meta("untouched"));
  const own = (identifier: string, attrs: Record<string, string>): Output =>
    copy(copy(untouched, { ...git, identifier }), { ...http, attrs });
  const places: unknown[] = [];
  const spliced = spliceDefinition(marshal(own(git.identifier, {}), options).encoded, {
    meta: { name: "docker-build", component: "app", at: [] },
    fileName: (name) => name,
    replace: ({ identifier, attrs }, at) => {
      places.push([identifier, at]);
      if (identifier.startsWith("git://")) return { identifier: "git://host/a.git#0123", attrs };
      return { identifier, attrs: { ...attrs, "http.checksum": "sha256:1" } };
    },
  });
  const again = marshal(spliced, options);
  const expected = marshal(own("git://host/a.git#0123", { "http.checksum": "sha256:1" }), options);
  assert.deepEqual(again.ops, expected.ops);
  assert.deepEqual(Definition.decode(again.encoded).metadata, Definition.decode(expected.encoded).metadata);
  assert.deepEqual(places, [
    ["git://host/a.git#main", [{ file: "Dockerfile", line: 1, column: 1 }]],
    ["https://host/f", [{ file: "Dockerfile", line: 2, column: 1 }]],
  ]);
});

test("an empty Definition is scratch, and what is none is refused", () => {
  assert.equal(spliceDefinition(new Uint8Array(), { meta: meta("x") }), null);
  const { ops } = marshal(file(file(null, "/a", meta("a")), "/b", meta("b")), options);
  const cut = (def: readonly Uint8Array[]): Uint8Array =>
    Definition.encode(Definition.fromPartial({ def: def.map((bytes) => Buffer.from(bytes)) })).finish();
  assert.throws(() => spliceDefinition(cut(ops.slice(1)), { meta: meta("x") }), /names an op that it does not have/);
  assert.throws(() => spliceDefinition(cut(ops.slice(0, 1)), { meta: meta("x") }), /has no result/);
});

test("a raw vertex whose inputs are not those of its bytes is refused", () => {
  const two = spliceDefinition(marshal(file(file(null, "/a", meta("a")), "/b", meta("b")), options).encoded, { meta: meta("x") });
  const raw = two?.vertex;
  assert.ok(raw?.kind === "raw");
  const other = file(null, "/other", meta("other"));
  assert.throws(() => marshal({ vertex: { ...raw, inputs: [other] }, index: 0 }, options), /is not in the graph/);
  assert.throws(() => marshal({ vertex: { ...raw, inputs: [] }, index: 0 }, options), /has 1 inputs, but 0 are given/);
});
