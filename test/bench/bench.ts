// Measures dagger beside buildctl on the same LLB and one daemon, and writes docs/benchmarks.md. `make bench` runs it.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { builtBinary, startBuildkitd } from "../support/buildkitd.ts";
import { busyboxLayout } from "../support/images.ts";
import { buildctlArgs } from "./buildctl.ts";
import { chain, components, download, smallFiles, upload } from "./configs.ts";
import { measure, median, type Sample } from "./measure.ts";
import { type Comparison, type Compilation, page } from "./report.ts";

const repository = fileURLToPath(new URL("../..", import.meta.url));
const dagger = join(repository, "bin/dagger");
const top = mkdtempSync(join(tmpdir(), "bench-"));
const env: Record<string, string> = { PATH: process.env["PATH"] ?? "", HOME: top, DAGGER_DATA_DIR: join(top, "data") };
/** BENCH=chain measures only what has that word in its name, and prints instead of writing the page. */
const wanted = process.env["BENCH"] ?? "";

interface Case {
  readonly what: string;
  readonly runs: number;
  /** The config of the run `index` of one program; a new directory for what must be new to the daemon. */
  prepare(index: number, who: "dagger" | "buildctl"): string;
  /** Runs once beforehand, unmeasured, so that everything is cached or known. */
  readonly warm: boolean;
}

function llb(dir: string): Buffer {
  return execFileSync(dagger, ["llb", dir, "--format", "raw"], { env, maxBuffer: 1 << 28 });
}

function run(who: "dagger" | "buildctl", dir: string): Promise<Sample> {
  if (who === "dagger") return measure({ program: dagger, args: ["up", dir, "--progress", "quiet"], env });
  const definition = llb(dir);
  const out = join(dir, "out-buildctl");
  const args = buildctlArgs(definition, { dir, dataDir: env["DAGGER_DATA_DIR"] ?? "", out });
  return measure({ program: builtBinary("buildctl"), args: ["--addr", env["BUILDKIT_HOST"] ?? "", ...args], env, stdin: definition });
}

async function compare({ what, runs, prepare, warm }: Case): Promise<Comparison> {
  const samples: Record<"dagger" | "buildctl", Sample[]> = { dagger: [], buildctl: [] };
  if (warm) for (const who of ["dagger", "buildctl"] as const) await run(who, prepare(-1, who));
  for (let index = 0; index < runs; index++)
    for (const who of ["dagger", "buildctl"] as const) samples[who].push(await run(who, prepare(index, who)));
  const comparison = { what, runs, dagger: median(samples.dagger), buildctl: median(samples.buildctl) };
  console.error(`${what}: dagger ${comparison.dagger.wall.toFixed(3)} s, buildctl ${comparison.buildctl.wall.toFixed(3)} s`);
  return comparison;
}

/** A directory with new contents for every run and program, or one that all share. */
function sources(name: string, fresh: boolean, fill: (src: string, seed: string) => void): Case["prepare"] {
  const made = new Set<string>();
  return (index, who) => {
    const dir = join(top, fresh ? `${name}-${who}-${index}` : name);
    if (made.has(dir)) return dir;
    made.add(dir);
    mkdirSync(join(dir, "src"), { recursive: true });
    fill(join(dir, "src"), `${who}${index}`);
    return upload(dir);
  };
}

const bigFile = (src: string): void => void execFileSync("bash", ["-c", 'head -c 1073741824 /dev/urandom > "$0"', join(src, "big")]);
const manyFiles = (src: string, seed: string): void => smallFiles(src, 10_000, seed);

const cases: readonly Case[] = [
  ...[1, 10, 100, 1000].map((length) => ({
    what: `cached chain of ${length}`,
    runs: length < 1000 ? 9 : 5,
    warm: true,
    prepare: () => chain(join(top, `chain-${length}`), length),
  })),
  { what: "upload 10,000 files of 1 KB, first", runs: 3, warm: false, prepare: sources("many-first", true, manyFiles) },
  { what: "upload 10,000 files of 1 KB, unchanged", runs: 5, warm: true, prepare: sources("many", false, manyFiles) },
  { what: "upload one 1 GiB file, first", runs: 3, warm: false, prepare: sources("big-first", true, bigFile) },
  { what: "upload one 1 GiB file, unchanged", runs: 5, warm: true, prepare: sources("big", false, bigFile) },
  {
    what: "export 10,000 files",
    runs: 3,
    warm: true,
    prepare: (_, who) => {
      const dir = download(join(top, "download"), 10_000);
      rmSync(join(dir, who === "dagger" ? "out" : "out-buildctl"), { recursive: true, force: true });
      return dir;
    },
  },
];

async function compilation(ops: number): Promise<Compilation> {
  const dir = components(join(top, `compile-${ops}`), ops);
  const args = ["llb", dir, "--format", "raw"];
  const five = async (more: Record<string, string>): Promise<Sample> => {
    const samples: Sample[] = [];
    for (let index = 0; index < 5; index++) samples.push(await measure({ program: dagger, args, env: { ...env, ...more } }));
    return median(samples);
  };
  const anew = await five({ DAGGER_CUE_CACHE: "off" });
  const kept = await five({});
  console.error(`compile ${ops} ops: ${anew.wall.toFixed(3)} s anew, ${kept.wall.toFixed(3)} s when evaluated before`);
  return { ops, anew, kept };
}

async function main(): Promise<void> {
  const layout = await busyboxLayout();
  execFileSync(dagger, ["image", "import", "docker.io/library/busybox:latest", layout.dir], { env });
  const daemon = await startBuildkitd();
  env["BUILDKIT_HOST"] = daemon.address;
  try {
    const comparisons: Comparison[] = [];
    for (const one of cases) if (one.what.includes(wanted)) comparisons.push(await compare(one));
    const compilations: Compilation[] = [];
    for (const ops of [250, 500, 1000, 2000]) if ("compile".includes(wanted)) compilations.push(await compilation(ops));
    const text = page(comparisons, compilations);
    if (wanted === "") writeFileSync(join(repository, "docs/benchmarks.md"), text);
    else console.log(text);
  } finally {
    await daemon.stop();
    rmSync(top, { recursive: true, force: true });
  }
}

await main();
