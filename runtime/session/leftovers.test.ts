// Half-received results of killed processes are removed; those of living ones, and what others made, stay.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { stagingPrefix, sweepLeftovers } from "./leftovers.ts";

const dir = fs.mkdtempSync(path.join(os.tmpdir(), "dagger-leftovers-"));
after(() => fs.rmSync(dir, { recursive: true, force: true }));

test("what a killed process left is removed, file or directory; a running one's is not", async () => {
  const module = fileURLToPath(new URL("leftovers.ts", import.meta.url));
  const script = `import { stagingPrefix } from ${JSON.stringify(module)};
    import fs from "node:fs";
    fs.mkdirSync(${JSON.stringify(`${dir}/`)} + stagingPrefix() + "dir/data", { recursive: true });
    fs.writeFileSync(${JSON.stringify(`${dir}/`)} + stagingPrefix() + "file", "half");
    process.stdout.write("ready"); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  const own = path.join(dir, `${stagingPrefix()}own`);
  fs.writeFileSync(own, "");
  fs.writeFileSync(path.join(dir, "other"), "");
  await sweepLeftovers(dir);
  assert.equal(fs.readdirSync(dir).length, 4);
  child.kill("SIGKILL");
  await once(child, "exit");
  await sweepLeftovers(dir);
  assert.deepEqual(fs.readdirSync(dir).sort(), [path.basename(own), "other"]);
  fs.rmSync(own);
});

test("what another machine or container left is removed only when it is old", async () => {
  const foreign = path.join(dir, ".dagger-save-00000000-1-1-abcdef");
  fs.writeFileSync(foreign, "");
  await sweepLeftovers(dir);
  assert.equal(fs.existsSync(foreign), true);
  await sweepLeftovers(dir, Date.now() + 8 * 24 * 3600 * 1000);
  assert.equal(fs.existsSync(foreign), false);
  await sweepLeftovers(path.join(dir, "missing"));
});
