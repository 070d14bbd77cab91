// docs/llb.md is complete: every field and attribute of the pinned LLB has a row, and every op's field that it names exists.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { findSpec } from "../../compiler/ops/op.ts";

const repository = fileURLToPath(new URL("../..", import.meta.url));
const rows = readFileSync(join(repository, "docs/llb.md"), "utf8")
  .split("\n")
  .map((line) => /^\| `([^`]+)` \| (.+) \|$/.exec(line))
  .filter((match) => match !== null)
  .map(([, name = "", by = ""]) => ({ name, by }));

/** `Message.field` and `Enum.VALUE` of a .proto file; fields of a oneof belong to its message. */
function fieldsOf(proto: string): string[] {
  const open: { kind: string; name: string }[] = [];
  const fields: string[] = [];
  for (const line of proto.replace(/\/\/.*|\/\*[\s\S]*?\*\//g, "").split("\n")) {
    const [, kind, name] = /^\s*(message|enum|oneof)\s+(\w+)\s*\{/.exec(line) ?? [];
    if (kind !== undefined && name !== undefined) open.push({ kind, name });
    const owner = open.findLast((one) => one.kind !== "oneof");
    const field = /^\s*(?:(?:repeated|optional)\s+)?(?:(?:map<[^>]*>|[\w.]+)\s+)?(\w+)\s*=\s*\d+/.exec(line)?.[1];
    if (field !== undefined && owner !== undefined) fields.push(`${owner.name}.${field}`);
    if (line.includes("}")) open.pop();
  }
  return fields;
}

/** Attributes of sources in BuildKit's own list: only those names that the wire has, not the values that some may take. */
function attributes(): string[] {
  const options = { cwd: join(repository, "tools"), encoding: "utf8" } as const;
  const dir = execFileSync("go", ["list", "-m", "-f", "{{.Dir}}", "github.com/moby/buildkit"], options).trim();
  const source = readFileSync(join(dir, "solver/pb/attr.go"), "utf8");
  return [...source.matchAll(/^const Attr\w+ = "([^"]+)"/gm)].map((match) => match[1] ?? "").filter((name) => name.includes("."));
}

test("every field and attribute of the pinned LLB has its row in docs/llb.md, and no others have one", () => {
  const proto = readFileSync(join(repository, "proto/src/github.com/moby/buildkit/solver/pb/ops.proto"), "utf8");
  const wanted = [...fieldsOf(proto), ...attributes()].sort();
  assert.ok(wanted.length > 150, `found only ${wanted.length} fields`);
  assert.deepEqual(rows.map(({ name }) => name).sort(), wanted);
});

test("every row names a field of an op that exists, or says that the compiler or the library does it", () => {
  const wrong = rows.filter(({ by }) => {
    const named = [...by.matchAll(/`([a-z][a-z-]*)(?:\.([A-Za-z]+))?`/g)].filter(([, op = ""]) => findSpec(op) !== undefined);
    const gone = named.filter(([, op = "", field]) => field !== undefined && !Object.hasOwn(findSpec(op)?.fields ?? {}, field));
    return gone.length > 0 || (named.length === 0 && !/^the (compiler|library)|^see /.test(by));
  });
  assert.deepEqual(wrong, []);
});
