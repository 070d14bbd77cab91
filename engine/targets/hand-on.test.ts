// The script that hands outputs on, run by a real shell.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import { handOn } from "./hand-on.ts";

const root = mkdtempSync(join(tmpdir(), "hand-on-"));
const out = join(root, "out");
after(() => rmSync(root, { recursive: true, force: true }));
beforeEach(() => {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out);
});

/** In a directory in place of the root of a container. */
function run(...outputs: readonly { from: string; to: string }[]): { status: number | null; stderr: string } {
  const [shell = "", flags = "", script = ""] = handOn("bronze", outputs);
  const { status, stderr } = spawnSync(shell, [flags, script.replaceAll("/out", out).replaceAll("/given", join(root, "given"))], {
    encoding: "utf8",
  });
  return { status, stderr };
}

test("a file lies in a directory with its name, of a directory it is the contents; what lay there is gone", () => {
  writeFileSync(join(out, "table"), "1");
  mkdirSync(join(out, "pages/deep"), { recursive: true });
  writeFileSync(join(out, "pages/.hidden"), "2");
  const wish = [
    { from: "/out/table", to: "/given/a" },
    { from: "/out/pages", to: "/given/it's b" },
  ];
  mkdirSync(join(root, "given/a"), { recursive: true });
  writeFileSync(join(root, "given/a/old"), "");
  assert.deepEqual(run(...wish), { status: 0, stderr: "" });
  assert.equal(readFileSync(join(root, "given/a/table"), "utf8"), "1");
  assert.deepEqual(readdirSync(join(root, "given/a")), ["table"]);
  assert.deepEqual(readdirSync(join(root, "given/it's b")), [".hidden", "deep"]);
  assert.deepEqual(readdirSync(out), []);
});

test("what is not there fails, and says whose it is", () => {
  const { status, stderr } = run({ from: "/out/table", to: "/given/c" });
  assert.equal(status, 1);
  assert.match(stderr, /^bronze left nothing at .*\/out\/table\n$/);
  assert.equal(existsSync(join(root, "given/c/table")), false);
});
