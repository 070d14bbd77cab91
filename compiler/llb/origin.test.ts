// The host that a source comes from, as users are told it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Op } from "../../proto/gen/github.com/moby/buildkit/solver/pb/ops.ts";
import type { Vertex } from "../graph/vertex.ts";
import { originOf } from "./origin.ts";

const meta = { name: "", component: "", at: [] };
const source = (identifier: string): Vertex => ({ kind: "source", identifier, attrs: {}, meta });

test("images, repositories and files of the network have a host; what comes from the client has none", () => {
  const hosts = {
    "docker-image://docker.io/library/busybox:latest": ["image", "docker.io"],
    "docker-image://127.0.0.1:5000/a/b@sha256:00": ["image", "127.0.0.1:5000"],
    "git://github.com/a/b.git#main:dir": ["git", "github.com"],
    "git://git@example.org:22/a": ["git", "example.org:22"],
    "https://me:pass@example.org/file?x=@y": ["http", "example.org"],
    "http://[::1]:80": ["http", "[::1]:80"],
    "local://src": undefined,
    "oci-layout://store/x@sha256:00": undefined,
  };
  for (const [identifier, expected] of Object.entries(hosts)) {
    const origin = originOf(source(identifier));
    assert.deepEqual(origin === undefined ? undefined : [origin.kind, origin.host], expected, identifier);
  }
});

test("a source that a frontend made has its host, too; a vertex that is no source has none", () => {
  const bytes = Op.encode(Op.fromPartial({ op: { $case: "source", value: { identifier: "git://host/x" } } })).finish();
  assert.deepEqual(originOf({ kind: "raw", bytes, op: "source", inputs: [], caps: [], meta }), { kind: "git", host: "host" });
  assert.equal(originOf({ kind: "raw", bytes: new Uint8Array(), op: "exec", inputs: [], caps: [], meta }), undefined);
});
