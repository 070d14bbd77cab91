// Workspaces: made, found, of other formats, broken, and changed by several processes at once.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import { fileURLToPath } from "node:url";
import { UserError } from "../../compiler/index.ts";
import { at, findWorkspace } from "./find.ts";
import { initWorkspace } from "./init.ts";
import { readJsonFile } from "./json-file.ts";
import { changing } from "./lock.ts";
import { openWorkspace } from "./workspace.ts";

const lockChild = fileURLToPath(new URL("../../test/support/workspace-lock-child.ts", import.meta.url));
const made: string[] = [];
let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "workspace-"));
  made.push(root);
});
after(() => {
  for (const dir of made) rmSync(dir, { recursive: true, force: true });
});

const init = (dir = "."): Promise<unknown> => initWorkspace({ env: {}, cwd: root, dir });
const code =
  (expected: string, message?: RegExp) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof UserError, String(error));
    assert.equal(error.diagnostics[0]?.code, expected);
    if (message !== undefined) assert.match(error.message, message);
    return true;
  };

test("a workspace is found from every directory below it, and the nearest counts", async () => {
  await init();
  mkdirSync(join(root, "a/b/c"), { recursive: true });
  assert.equal(findWorkspace(join(root, "a/b/c"))?.root, root);
  await init("a/b");
  assert.equal((await openWorkspace("a/b/c", root)).root, join(root, "a/b"));
  writeFileSync(join(root, "a/b/c/x.cue"), "");
  assert.equal((await openWorkspace("a/b/c/x.cue", root)).root, join(root, "a/b"));
});

test("a directory .dagger without workspace.json is no workspace", async () => {
  mkdirSync(join(root, ".dagger/env/dev"), { recursive: true });
  assert.equal(findWorkspace(root), undefined);
  await assert.rejects(openWorkspace(".", root), code("no-workspace", /Not initialized/));
  await init();
  await assert.rejects(init(), code("workspace-exists", /Already initialized/));
});

test("older files are brought into the format of today step by step; newer ones are refused", async () => {
  await init();
  const marker = join(root, ".dagger/workspace.json");
  const steps: number[] = [];
  const step = (format: number) => async (): Promise<void> => void steps.push(format);
  const known = { format: 3, migrations: { 1: step(1), 2: step(2) } };
  await Promise.all([openWorkspace(".", root, known), openWorkspace(".", root, known)]);
  assert.deepEqual(steps, [1, 2]);
  assert.deepEqual(JSON.parse(readFileSync(marker, "utf8")), { format: 3 });
  await assert.rejects(openWorkspace(".", root), code("newer-workspace", /format 3; this dagger knows formats up to 1/));
  for (const odd of ['{"format": "x"}', "{}", '{"format": 0}', '{"format": 1.5}']) {
    writeFileSync(marker, odd);
    await assert.rejects(openWorkspace(".", root), code("bad-workspace-file", /says no format/));
  }
});

test("a migration that fails leaves the format that was there", async () => {
  await init();
  const failing = { format: 2, migrations: { 1: async () => assert.fail("no") } };
  await assert.rejects(openWorkspace(".", root, failing), /no/);
  assert.equal((await openWorkspace(".", root)).root, root);
});

for (const [text, at, why] of [
  ['{"a": 1,}', "1:9", /name of a field is expected/],
  ['{\n  "a": 1\n  "b": 2\n}', "3:3", /comma is expected/],
  ['{"é": nope}', "1:8", /no value/],
  ['{"a": "x\n"}', "1:7", /closing quote is missing|not allowed/],
  ['{"a": 1', "1:8", /closing } is missing/],
  ["", "1:1", /value is expected/],
  ["[]", "1:1", /holds no object/],
  ['// no\n{"a": 1}', "1:1", /comments are not allowed/],
  ['{\n<<<<<<< HEAD\n"a": 1\n=======\n', "2:1", /Git left a conflict/],
] as const)
  test(`${JSON.stringify(text)} is told at ${at}`, async () => {
    writeFileSync(join(root, "x.json"), text);
    await assert.rejects(readJsonFile(join(root, "x.json"), root), (error: unknown) => {
      code("bad-workspace-file", why)(error);
      const [place] = (error as UserError).diagnostics[0]?.at ?? [];
      assert.equal(`${place?.line}:${place?.column}`, at);
      return true;
    });
  });

test("changes of several processes come one after another, also when their owners are killed", async () => {
  await init();
  const file = join(root, "count");
  writeFileSync(file, "0");
  const child = (): Promise<number | null> => {
    const started = spawn(process.execPath, ["--import", "tsx", lockChild, root, file, "20"], { stdio: "inherit" });
    return new Promise((done) => started.once("close", (ended) => done(ended)));
  };
  const dying = spawn(process.execPath, ["--import", "tsx", lockChild, root, file, "die"], { stdio: "ignore" });
  await new Promise((done) => dying.once("close", done));
  assert.deepEqual(await Promise.all([child(), child(), child()]), [0, 0, 0]);
  assert.equal(readFileSync(file, "utf8"), "60");
});

test("a lock that cannot be made is told", async () => {
  writeFileSync(join(root, "file"), "");
  await assert.rejects(
    changing({ state: join(root, "file", "state") }, async () => 1),
    code("workspace-not-written"),
  );
  assert.equal(await changing(at(root), async () => 2), 2);
});

test("a template is copied as a whole or not at all", async () => {
  await assert.rejects(initWorkspace({ env: {}, cwd: root, dir: ".", template: "helo" }), code("unknown-template"));
  writeFileSync(join(root, "hello.cue"), "mine");
  await assert.rejects(initWorkspace({ env: {}, cwd: root, dir: ".", template: "hello" }), code("template-conflict", /hello\.cue/));
  assert.deepEqual(readdirSync(root), ["hello.cue"]);
  const { files } = await initWorkspace({ env: {}, cwd: root, dir: "new/one", template: "go" });
  assert.deepEqual(files, ["go.cue", "src/go.mod", "src/go.sum", "src/main.go", "src/main_test.go"]);
  assert.equal(readFileSync(join(root, "new/one/.dagger/.gitignore"), "utf8").split("\n").at(-2), "/state/");
});
