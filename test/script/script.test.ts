// Runs every script of this folder against one real buildkitd, each in a directory and home of its own. UPDATE=1 rewrites what `cmp` expects.
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { startBuildkitd, type TestDaemon } from "../support/buildkitd.ts";
import { busyboxLayout } from "../support/images.ts";
import { runScript } from "./run.ts";
import { repository } from "./world.ts";

const dataDir = mkdtempSync(join(tmpdir(), "script-data-"));
const folder = fileURLToPath(new URL(".", import.meta.url));
let daemon: TestDaemon | undefined;

before(async () => {
  const image = await busyboxLayout();
  await promisify(execFile)(join(repository, "bin/dagger"), ["image", "import", "docker.io/library/busybox:latest", image.dir], {
    env: { ...process.env, DAGGER_DATA_DIR: dataDir },
  });
  daemon = await startBuildkitd();
});
after(async () => {
  await daemon?.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

describe("scripts", { concurrency: 2 }, () => {
  // SCRIPT=name runs only the scripts whose name contains it.
  const wanted = process.env["SCRIPT"] ?? "";
  for (const name of readdirSync(folder).filter((file) => file.endsWith(".txtar") && file.includes(wanted)))
    test(name, () => runScript(join(folder, name), { buildkitHost: daemon?.address ?? "", dataDir }, process.env["UPDATE"] === "1"));
});
