// Runs one process and measures it: wall time, CPU time and peak memory, without tools that a machine may lack.
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** Seconds, seconds (user and system) and MiB. */
export interface Sample {
  readonly wall: number;
  readonly cpu: number;
  readonly memory: number;
}

export interface Run {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly stdin?: Uint8Array;
}

/** Bash measures time and CPU of the program (children that were waited for included); /proc tells its peak memory. Rejects when it fails. */
export async function measure({ program, args, env, cwd, stdin }: Run): Promise<Sample> {
  const script = 'TIMEFORMAT="%R %U %S"; { time "$@" >/dev/null 2>&3; } 3>&1';
  const child = spawn("bash", ["-c", script, "bench", program, ...args], {
    env: { ...env, LC_ALL: "C" },
    stdio: ["pipe", "pipe", "pipe"],
    ...(cwd !== undefined && { cwd }),
  });
  let times = "";
  let output = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (times += text));
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  child.stdin.on("error", () => undefined);
  child.stdin.end(stdin);
  const ended = new Promise<number | null>((resolve, reject) => child.once("error", reject).once("close", resolve));
  let done = false;
  void ended.finally(() => (done = true)).catch(() => undefined);
  let memory = 0;
  while (!done) {
    if (child.pid !== undefined) memory = Math.max(memory, peakOfChildren(child.pid));
    await Promise.race([ended, sleep(4)]);
  }
  if ((await ended) !== 0) throw new Error(`${program} ${args.join(" ")} failed:\n${output}${times}`);
  const [wall = 0, user = 0, system = 0] = (times.trim().split("\n").at(-1) ?? "").split(" ").map(Number);
  return { wall, cpu: user + system, memory };
}

/** The highest resident memory (MiB) that the children of `pid` had so far: the kernel keeps it, so polling loses only the last moments. */
function peakOfChildren(pid: number): number {
  try {
    const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").trim().split(" "),
    );
    const peaks = children
      .filter((child) => child !== "")
      .map((child) => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child}/status`, "utf8"))?.[1] ?? 0));
    return Math.max(0, ...peaks) / 1024;
  } catch {
    return 0; // it ended while we looked
  }
}

/** The middle of the samples, each quantity by itself. */
export function median(samples: readonly Sample[]): Sample {
  const middle = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
  return { wall: middle(samples.map((s) => s.wall)), cpu: middle(samples.map((s) => s.cpu)), memory: middle(samples.map((s) => s.memory)) };
}
