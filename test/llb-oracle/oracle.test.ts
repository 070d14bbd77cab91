// compiler/llb against BuildKit's own library: for the same graph both must give the same ops, byte for byte.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Owner } from "../../compiler/graph/vertex.ts";
import { normalizePlatform, normalizeReference, parseGitUrl, parseOwner } from "../../compiler/llb/index.ts";
import { CASES } from "./cases.ts";
import { compare, compareDefinition } from "./compare.ts";
import { toLine } from "./graph.ts";
import { ask, buildOracle, type OracleOwner } from "./oracle.ts";
import { runProgram, toProgramLine } from "./program.ts";
import { randomCase } from "./random.ts";
import { randomProgram } from "./random-program.ts";

const RANDOM_GRAPHS = Number(process.env["LLB_ORACLE_GRAPHS"] ?? 200);
const RANDOM_PROGRAMS = Number(process.env["LLB_ORACLE_PROGRAMS"] ?? 2000);
const SEED = Number(process.env["LLB_ORACLE_SEED"] ?? 1);

let dir: string;
let program: string;

before(async () => {
  dir = await mkdtemp(join(tmpdir(), "llb-oracle-"));
  program = await buildOracle(dir);
});
after(() => rm(dir, { recursive: true, force: true }));

test("every hand-written graph marshals as by client/llb", async (t) => {
  const answers = await ask(program, CASES.map(toLine));
  for (const [i, graph] of CASES.entries()) await t.test(graph.title, () => compare(graph, answers[i]!));
});

test(`random graphs marshal as by client/llb (LLB_ORACLE_GRAPHS=${RANDOM_GRAPHS} LLB_ORACLE_SEED=${SEED})`, async () => {
  const graphs = Array.from({ length: RANDOM_GRAPHS }, (_, i) => randomCase(SEED + i));
  const answers = await ask(program, graphs.map(toLine));
  for (const [i, graph] of graphs.entries()) compare(graph, answers[i]!);
});

test(`random programs of states marshal as by client/llb (LLB_ORACLE_PROGRAMS=${RANDOM_PROGRAMS} LLB_ORACLE_SEED=${SEED})`, async () => {
  const programs = Array.from({ length: RANDOM_PROGRAMS }, (_, i) => randomProgram(SEED + i));
  const answers = await ask(program, programs.map(toProgramLine));
  for (const [i, made] of programs.entries()) compareDefinition(`program of seed ${SEED + i}`, await runProgram(made), answers[i]!);
});

const HEX = "0123456789abcdef".repeat(4);
const REFERENCES = [
  ...[
    "debian",
    "debian:12",
    "me/tool",
    "docker.io/debian",
    "index.docker.io/me/tool:1",
    "localhost/a",
    "localhost:5000/a:b",
    "a.b/c",
    "a.b:1/c",
  ],
  ...[
    "Upper/a",
    "[::1]:5000/a:b",
    "a__b/c--d.e",
    `a@sha256:${HEX}`,
    `a.b/c:d@sha256:${HEX}`,
    `a@sha512:${HEX}${HEX}`,
    "a:B_.-",
    "docker.io/a/b",
  ],
  ...[
    "",
    " ",
    "a b",
    "Debian",
    "a/B",
    "a:",
    ":a",
    "a@",
    "@",
    "a@b",
    "a@sha256:12",
    `a@sha256:${HEX.toUpperCase()}`,
    `a@md5:${HEX}`,
    HEX,
    "/a",
    "a/",
  ],
  ...[
    "a//b",
    "a:b:c",
    "a:-b",
    "a:b/c",
    "a_-b",
    "a..b",
    "http://a/b",
    "-a.b/c",
    "a.b-/c",
    "a:1/b",
    `a:${"t".repeat(128)}`,
    `a:${"t".repeat(129)}`,
  ],
  ...[
    "a".repeat(247),
    "a".repeat(248),
    `x.y/${"a".repeat(255)}`,
    `x.y/${"a".repeat(256)}`,
    "a\n",
    "ä",
    "a/ä",
    `a@sha256:${HEX}:${HEX}`,
    "a@sha256",
    "[::g]/a",
  ],
];

test("image references are completed, and refused, as by docker", async () => {
  const answers = await ask(
    program,
    REFERENCES.map((reference) => `${JSON.stringify({ reference })}\n`),
  );
  for (const [i, text] of REFERENCES.entries()) {
    const result = normalizeReference(text);
    const { error, reference } = answers[i]!;
    assert.equal(result.ok ? result.reference : undefined, error === undefined ? reference : undefined, `${text}: ${error}`);
  }
});

const GIT_URLS = [
  ...[
    "https://example.com/a/b.git",
    "http://example.com:8080/a",
    "ssh://git@example.com:22/a",
    "git://example.com/a",
    "HTTPS://Example.com/A",
  ],
  ...[
    "git@example.com:a/b.git",
    "git@example.com:/abs",
    "me-2@host:~/a?x=1#main:sub",
    "example.com/a/b",
    "example.com:8080/a",
    "localhost/a",
  ],
  ...["https://example.com", "https://example.com/", "https://example.com//a//../b", "https://example.com/a?x=1#v1:dir", "https://a.b/c?"],
  ...[
    "https://user@a.b/c",
    "https://us%40er:p%2Fw!@a.b/c",
    "https://me:@a.b/c",
    "https://a@b@c.d/e",
    "https://@a.b/c",
    "https://a.b/c#%20",
  ],
  ...["https://a.b/ü/c d", "https://a.b/%C3%BC/c%20d", "https://a.b/!'()*", "https://a.b/a%2Fb", "https://a.b/[x]", "https://a.b/a;b=c,d"],
  ...["https://[::1]:80/a", "https://[::1]/a", "https://a.b:/c", "https://127.0.0.1:5000/r.git", "a", "a_b.c/d", 'https://a.b/"x'],
  ...["", "https://", "https:///a", "ftp://a/b", "file:///a", "https://a.b:x/c", "https://a b/c", "https://a.b/%zz", "https://us er@a.b/c"],
  ...[
    "https://a:b:c/d",
    "https://[::1/a",
    "https://a.b/\n",

    "/a/b",
    "./a",
    "C:\\a",
    "git@example.com",
    "https://a.b/c#%z",
  ],
];

test("git URLs are read, and refused, as by client/llb", async () => {
  const answers = await ask(
    program,
    GIT_URLS.map((gitUrl) => `${JSON.stringify({ gitUrl })}\n`),
  );
  for (const [i, text] of GIT_URLS.entries()) {
    const reading = parseGitUrl(text);
    const { error, gitUrl } = answers[i]!;
    const { scheme, host, path, remote } = reading.ok ? reading.url : {};
    // client/llb takes a URL without a host, which no git can fetch.
    const theirs = error === undefined && gitUrl?.host !== "" ? gitUrl : undefined;
    assert.deepEqual(reading.ok ? { scheme, host, path, remote } : undefined, theirs, `${text}: ${error}`);
  }
});

const OWNERS = [
  ...[
    "root",
    "root:root",
    "0",
    "1000:1000",
    "me:us",
    "me:",
    ":us",
    "",
    ":",
    "1000:us:x",
    "+5:-5",
    "-1",
    "007",
    "0x10",
    "1e3",
    " 1",
    "1_000",
  ],
  ...["2147483647", "2147483648", "-2147483648", "-2147483649", "4294967295", "Root", "-", "+", "٣", "me@host"],
];

test("owners are read as by client/llb", async () => {
  const answers = await ask(
    program,
    OWNERS.map((owner) => `${JSON.stringify({ owner })}\n`),
  );
  for (const [i, text] of OWNERS.entries()) {
    const { user, group } = parseOwner(text);
    assert.deepEqual({ user: toOracle(user), group: toOracle(group) }, answers[i]!.chown, text);
  }
});

function toOracle(owner: Owner | undefined): OracleOwner | null {
  if (owner === undefined) return null;
  return "id" in owner ? { id: owner.id, name: "" } : { id: 0, name: owner.name };
}

test("platforms are normalised as by containerd", async () => {
  const architectures = "amd64 x86_64 X86-64 i386 386 arm64 aarch64 arm armhf armel riscv64 s390x toaster".split(" ");
  const variants = ["", "v1", "v2", "v5", "5", "6", "7", "v7", "8", "v8", "V8", "v8.0", "v8.1", "9", "9.0", "v9.0", "v9", "x"];
  const platforms = architectures.flatMap((architecture) => variants.map((variant) => ({ os: "Linux", architecture, variant })));
  platforms.push({ os: "macOS", architecture: "arm64", variant: "" }, { os: "windows", architecture: "amd64", variant: "" });
  const answers = await ask(
    program,
    platforms.map((normalize) => `${JSON.stringify({ normalize })}\n`),
  );
  for (const [i, platform] of platforms.entries()) {
    assert.deepEqual({ variant: "", ...normalizePlatform(platform) }, answers[i]!.platform, JSON.stringify(platform));
  }
});
