// From saving a file to the start of the first step that it concerns, in a graph of 500 nodes: `dagger watch`, and `dagger up` started at once.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { createInterface, type Interface } from "node:readline";
import { type Bound, ratio, type Section, table } from "./report.ts";
import { dagger, type World } from "./world.ts";

/** Milliseconds. */
const REACTION = 300;
const NODES = 500;

export async function benchWatch({ dir, env }: World, rounds: number): Promise<Section> {
  const [watched, plain] = [watchedConfig(join(dir, "watch"), NODES), watchedConfig(join(dir, "watch-up"), NODES)];
  const child = spawn(dagger, ["watch", watched, "--progress", "json", "--poll", "0"], { env, stdio: ["ignore", "pipe", "pipe"] });
  const results = createInterface({ input: child.stdout });
  const progress = createInterface({ input: child.stderr });
  const ours: number[] = [];
  const theirs: number[] = [];
  try {
    await ended(results);
    await up(plain, env);
    for (let round = 0; round <= rounds; round++) {
      const [done, started] = [ended(results), firstStep(progress)];
      const begin = performance.now();
      writeFileSync(join(watched, "src/main.txt"), `main of watch ${round}`);
      const reaction = (await started) - begin;
      await done;
      // Another text: what was run before comes from the cache.
      writeFileSync(join(plain, "src/main.txt"), `main of up ${round}`);
      const other = await up(plain, env);
      // The first one of each warms it up.
      if (round === 0) continue;
      ours.push(reaction);
      theirs.push(other);
    }
  } finally {
    const exit = once(child, "exit");
    child.kill("SIGINT");
    await exit;
  }
  const [a, b] = [middle(ours), middle(theirs)];
  const rows = [[`${NODES} nodes`, a.toFixed(0), Math.max(...ours).toFixed(0), b.toFixed(0), ratio(a, b)]];
  const bounds: Bound[] = [{ what: `from saving a file to its first step, ${NODES} nodes, ms`, figure: a, most: REACTION, strict: true }];
  const text = `One file is saved, and the time taken until the progress of the run tells that the first command that uses it has started; in turns with
\`dagger up\`, which is started when the file is saved; ${rounds} rounds. 50 ms of it are what the watcher waits for more changes.\n\n${table(["", "watch: median ms", "most ms", "up: median ms", "ratio"], rows)}`;
  return { title: "Watching", text, bounds };
}

/** Of one run of `up`: from its start to its first command. */
async function up(config: string, env: World["env"]): Promise<number> {
  const begin = performance.now();
  const child = spawn(dagger, ["up", config, "--progress", "json"], { env, stdio: ["ignore", "ignore", "pipe"] });
  const exit = once(child, "exit");
  const started = await firstStep(createInterface({ input: child.stderr }));
  await exit;
  return started - begin;
}

/** When the command was told to have started. */
function firstStep(progress: Interface): Promise<number> {
  return new Promise((resolve) => {
    const hear = (line: string): void => {
      if (!line.includes('"started"') || !line.includes("exec cat")) return;
      progress.off("line", hear);
      resolve(performance.now());
    };
    progress.on("line", hear);
  });
}

/** A run gives its values on stdout when it is done. */
function ended(results: Interface): Promise<unknown> {
  return new Promise((resolve) => {
    const hear = (line: string): void => {
      if (!line.includes("main")) return;
      results.off("line", hear);
      resolve(undefined);
    };
    results.on("line", hear);
  });
}

function middle(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

/** Components of five ops that use one another in tens, and one that uses a directory. */
function watchedConfig(dir: string, nodes: number): string {
  mkdirSync(join(dir, "src"), { recursive: true });
  writeFileSync(join(dir, "src/main.txt"), `main of ${dir}`);
  const one = (index: number): string => {
    const from = index % 10 === 0 ? '{do: "scratch"}' : `{do: "load", from: c${index - 1}}`;
    const files = Array.from({ length: 5 }, (_, i) => `{do: "write-file", dest: "/${index}-${i}", content: "${index}.${i}"}`);
    return `c${index}: #up: [${from}, ${files.join(", ")}]`;
  };
  const image = '{do: "fetch-container", ref: "docker.io/library/busybox:latest"}';
  const main = `main: {string, #up: [${image}, {do: "exec", args: ["cat", "/src/main.txt"], mount: "/src": {from: [{do: "local", dir: "src"}]}}, {do: "copy", from: [{do: "local", dir: "src"}], dest: "/"}, {do: "export", source: "/main.txt"}]}`;
  writeFileSync(join(dir, "up.cue"), `package up\n\n${[...Array.from({ length: nodes / 5 }, (_, i) => one(i)), main].join("\n")}\n`);
  return dir;
}
