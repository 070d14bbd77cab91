// Two runs that save to one place at once: what one has put there since the other looked is merged with, as what was there before.
import assert from "node:assert/strict";
import fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { merge } from "./merge.ts";

test("a directory, or a file, that came since it was looked for is merged with, or replaced", async (t) => {
  const dir = fs.mkdtempSync(join(tmpdir(), "merge-"));
  t.after(() => fs.rmSync(dir, { recursive: true, force: true }));
  const write = (path: string, text: string): void => {
    fs.mkdirSync(join(dir, path, ".."), { recursive: true });
    fs.writeFileSync(join(dir, path), text);
  };
  for (const [path, text] of Object.entries({ "from/sub/ours": "1", "from/was": "file", "to/sub/theirs": "2", "to/was/dir": "3" }))
    write(path, text);
  const unseen = new Set([join(dir, "to/sub"), join(dir, "to/was")]);
  const lstat = fs.lstatSync;
  t.mock.method(fs, "lstatSync", (path: string, options?: fs.StatSyncOptions) => (unseen.delete(path) ? undefined : lstat(path, options)));
  await merge({ from: join(dir, "from"), to: join(dir, "to"), attributes: undefined }, { attributesOf: () => undefined, exact: false });
  assert.equal(unseen.size, 0);
  assert.deepEqual(fs.readdirSync(join(dir, "to/sub")).sort(), ["ours", "theirs"]);
  assert.equal(fs.readFileSync(join(dir, "to/was"), "utf8"), "file");
});
