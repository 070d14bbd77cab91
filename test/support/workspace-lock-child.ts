// A process of the tests: counts up in a file under the workspace's lock, or dies while it holds it.
import { readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { at } from "../../engine/workspace/find.ts";
import { changing } from "../../engine/workspace/lock.ts";

const [root = "", file = "", times = ""] = process.argv.slice(2);
if (times === "die") await changing(at(root), async () => process.kill(process.pid, "SIGKILL"));
for (let done = 0; done < Number(times); done++) {
  await changing(at(root), async () => {
    const count = Number(readFileSync(file, "utf8"));
    await sleep(1);
    writeFileSync(file, String(count + 1));
  });
}
