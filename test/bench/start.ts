// Measures how long dagger needs before it can work: bare Node, buildctl, dagger with an evaluation kept and without, the native cue.
// Runs of all programs take turns, so that a busy machine is busy for each of them. `node --import tsx test/bench/start.ts [ROUNDS]`.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { builtBinary, startBuildkitd } from "../support/buildkitd.ts";
import { busyboxLayout } from "../support/images.ts";
import { buildctlArgs } from "./buildctl.ts";
import { chain, tasks } from "./configs.ts";
import { measure } from "./measure.ts";

const repository = fileURLToPath(new URL("../..", import.meta.url));
const dagger = join(repository, "bin/dagger");
const top = mkdtempSync(join(tmpdir(), "bench-start-"));
// Without NODE_EXTRA_CA_CERTS, which costs Node some 45 ms a start.
const env: Record<string, string> = { PATH: process.env["PATH"] ?? "", HOME: top };
const cold: Record<string, string> = { ...env, DAGGER_CUE_CACHE: "off" };

interface Contender {
  readonly what: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Record<string, string>;
  readonly input?: Uint8Array;
}

/** The cue command of the version that we build upon. */
function nativeCue(): string {
  const path = join(repository, "dist/bin/cue");
  if (!existsSync(path))
    execFileSync("go", ["build", "-o", path, "cuelang.org/go/cmd/cue"], { cwd: join(repository, "tools"), stdio: "inherit" });
  return path;
}

/** Milliseconds. */
function time({ program, args, env, input }: Contender): number {
  const begin = process.hrtime.bigint();
  const { status, stderr } = spawnSync(program, args, { env, ...(input && { input }), maxBuffer: 1 << 28 });
  const end = process.hrtime.bigint();
  if (status !== 0) throw new Error(`${program} ${args.join(" ")}: ${stderr.toString()}`);
  return Number(end - begin) / 1e6;
}

async function compare(title: string, rounds: number, contenders: readonly Contender[]): Promise<void> {
  for (const contender of contenders) time(contender);
  const times = contenders.map((): number[] => []);
  for (let round = 0; round < rounds; round++) contenders.forEach((contender, i) => times[i]?.push(time(contender)));
  console.log(`\n${title}, ${rounds} rounds${" ".repeat(Math.max(1, 40 - title.length))}min     median  peak MiB`);
  for (const [i, contender] of contenders.entries()) {
    const sorted = (times[i] ?? []).sort((a, b) => a - b);
    const { memory } = await measure({ ...contender, ...(contender.input && { stdin: contender.input }) });
    const figures = [sorted[0] ?? 0, sorted[sorted.length >> 1] ?? 0, memory].map((ms) => ms.toFixed(0).padStart(8));
    console.log(`  ${contender.what.padEnd(44)}${figures.join("")}`);
  }
}

async function main(rounds: number): Promise<void> {
  const layout = await busyboxLayout();
  execFileSync(dagger, ["image", "import", "docker.io/library/busybox:latest", layout.dir], { env });
  const daemon = await startBuildkitd();
  for (const each of [env, cold]) each["BUILDKIT_HOST"] = daemon.address;
  try {
    const small = chain(join(top, "small"), 3);
    const definition = execFileSync(dagger, ["llb", small, "--format", "raw"], { env });
    const dataDir = join(top, ".local/share/dagger");
    const out = join(top, "out");
    const flags = buildctlArgs(definition, { dir: small, dataDir, out });
    const bare = { what: "node, empty script", program: process.execPath, args: ["-e", "0"], env };
    await compare("a cached job of 3 ops", rounds, [
      bare,
      { what: "buildctl, same LLB", program: builtBinary("buildctl"), args: ["--addr", daemon.address, ...flags], env, input: definition },
      { what: "dagger up, evaluated before", program: dagger, args: ["up", small, "--progress", "quiet"], env },
      { what: "dagger up, evaluated anew", program: dagger, args: ["up", small, "--progress", "quiet"], env: cold },
    ]);
    const large = tasks(join(top, "large"), 2000);
    await compare("evaluating 2,000 ops", Math.max(3, rounds >> 2), [
      { what: "cue eval, all of it", program: nativeCue(), args: ["eval", "-A", join(large, "bench.cue")], env },
      { what: "dagger ops, evaluated before", program: dagger, args: ["ops", large], env },
      { what: "dagger ops, evaluated anew", program: dagger, args: ["ops", large], env: cold },
    ]);
  } finally {
    await daemon.stop();
    rmSync(top, { recursive: true, force: true });
  }
}

await main(Number(process.argv[2] ?? 20));
