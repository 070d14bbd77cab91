// A worker that stops itself (SIGSTOP) as soon as the daemon has done a job, before anything of it is given or recorded. Says on stdout what becomes of its jobs.
import { writeSync } from "node:fs";
import { loadWork } from "../../engine/index.ts";

const { work } = await loadWork();
let stopped = false;
await work({
  env: process.env,
  cwd: process.cwd(),
  store: { location: { url: process.env["DAGGER_STORE"] ?? "" } },
  tags: process.argv.slice(2),
  jobs: 1,
  untilEmpty: false,
  signal: new AbortController().signal,
  onEvent: (event) => {
    if (event.type === "returned" || event.type === "ended") writeSync(1, `${event.type} ${JSON.stringify(event.error)}\n`);
    if (event.type !== "event" || event.event.type !== "phase" || event.event.phase !== "save" || stopped) return;
    stopped = true;
    writeSync(1, "stops\n");
    process.kill(process.pid, "SIGSTOP");
  },
});
