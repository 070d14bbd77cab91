// Whole jobs over a program's stdin and stdout: they carry any amount both ways, end with the program, and end it.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../../compiler/diagnostic.ts";
import { connect } from "../../runtime/solve/index.ts";
import { builtBinary } from "../support/buildkitd.ts";
import { type Bench, startBench } from "./dagger.ts";

let bench: Bench;
let env: Readonly<Record<string, string>>;

before(async () => {
  bench = await startBench();
  // Stands for docker, which would run the same buildctl in a container; its process keeps its number through exec.
  mkdirSync(join(bench.dir, "tools"));
  writeFileSync(
    join(bench.dir, "tools/docker"),
    `#!/bin/sh
echo $$ > ${bench.dir}/pid
case $3 in
  hangs) exec sleep 4321 ;;
  *) exec ${builtBinary("buildctl")} --addr ${bench.daemon.address} dial-stdio ;;
esac
`,
    { mode: 0o755 },
  );
  env = { PATH: `${join(bench.dir, "tools")}:${process.env["PATH"] ?? ""}`, BUILDKIT_HOST: "docker-container://builder" };
});
after(async () => {
  await bench.end();
});

const digest = (file: string): string => createHash("sha256").update(readFileSync(file)).digest("hex");
const toolPid = (): number => Number(readFileSync(join(bench.dir, "pid"), "utf8"));

function runs(pid: number): boolean {
  try {
    return /^State:\s+[^ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

async function until(what: () => boolean): Promise<void> {
  while (!what()) await sleep(20);
}

function config(name: string, text: string): string {
  const dir = join(bench.dir, name);
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, "up.cue"), `package up\n${text}`);
  return dir;
}

test("files of many megabytes go there and come back unchanged", async () => {
  const dir = config(
    "files",
    `there: #up: [{do: "local", dir: "./in"}]
back: #up: [{do: "load", from: there}, {do: "save-dir", dest: "./out"}]
`,
  );
  mkdirSync(join(dir, "in"));
  writeFileSync(join(dir, "in/large"), randomBytes(96 << 20));
  for (let i = 0; i < 300; i++) writeFileSync(join(dir, `in/small-${i}`), `${i}\n`);
  const { code, stderr } = await bench.dagger(["up", "--progress", "quiet", dir], env);
  assert.equal(code, 0, stderr);
  assert.equal(digest(join(dir, "out/large")), digest(join(dir, "in/large")));
  assert.equal(readFileSync(join(dir, "out/small-299"), "utf8"), "299\n");
  await until(() => !runs(toolPid()));
  rmSync(dir, { recursive: true });
});

test("a program that ends while a job runs is told with how it ended", async () => {
  const dir = config("lost", `s: #up: [{do: "fetch-container", ref: "busybox"}, {do: "exec", args: ["sh", "-c", "sleep 8642; true"]}]\n`);
  const job = bench.dagger(["up", "--progress", "plain", dir], env);
  await until(() => sleeping());
  process.kill(toolPid(), "SIGKILL");
  const { code, stderr } = await job;
  assert.equal(code, 3, stderr);
  assert.match(
    stderr,
    /error\[connection-lost\]: Lost the connection to the BuildKit daemon at docker-container:\/\/builder: docker was ended by SIGKILL/,
  );
  await until(() => !sleeping());
});

/** Whether the command of the job runs, in whatever container. */
function sleeping(): boolean {
  return commandLines().includes("sleep 8642");
}

function commandLines(): string[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
      } catch {
        return "";
      }
    });
}

test("connecting through a program that hangs can be interrupted, and ends the program", async () => {
  const path = process.env["PATH"];
  process.env["PATH"] = env["PATH"];
  try {
    rmSync(join(bench.dir, "pid"));
    const stop = new AbortController();
    const opening = connect("docker-container://hangs", { signal: stop.signal });
    await until(() => {
      try {
        return toolPid() > 0;
      } catch {
        return false;
      }
    });
    stop.abort();
    await assert.rejects(opening, (error) => error instanceof UserError && error.exit === 130);
    await until(() => !runs(toolPid()));
  } finally {
    process.env["PATH"] = path;
  }
});
