// Whole runs of dagger beside buildctl on the same LLB and daemon: cached chains, uploads, exports.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { builtBinary } from "../support/buildkitd.ts";
import { buildctlArgs } from "./buildctl.ts";
import { chain, download, smallFiles, upload, uploadOnto } from "./configs.ts";
import { measure, median, type Sample } from "./measure.ts";
import { type Bound, ratio, type Section, seconds, table } from "./report.ts";
import { dagger, type World } from "./world.ts";

type Who = "dagger" | "buildctl";

interface Case {
  readonly what: string;
  readonly runs: number;
  /** The config of the run `index` of one program; a new directory for what must be new to the daemon. */
  prepare(index: number, who: Who): string;
  /** Runs once beforehand, unmeasured, so that everything is cached or known. */
  readonly warm: boolean;
  /** How many times buildctl's wall time it may take. */
  readonly most?: number;
  /** dagger's; nobody looks at it here, but drawing it takes time. */
  readonly progress?: string;
  /** Sources that are new for each run go when it has ended: the disk may not have room for all of them. */
  readonly isLarge?: boolean;
}

/** MiB that dagger may take in any case. */
const MEMORY = 120;

/** `wanted` chooses cases by a word of their names. */
export async function benchTransfers(world: World, wanted: string): Promise<Section> {
  const rows: string[][] = [];
  const bounds: Bound[] = [];
  for (const one of cases(world)) {
    if (!one.what.includes(wanted)) continue;
    const { dagger: ours, buildctl: theirs } = await compare(world, one);
    const ratios = [ratio(ours.wall, theirs.wall), ratio(ours.cpu, theirs.cpu), ratio(ours.memory, theirs.memory)];
    rows.push([one.what, String(one.runs), seconds(ours.wall), seconds(theirs.wall), ...ratios, String(Math.round(ours.memory))]);
    if (one.most !== undefined) bounds.push({ what: `${one.what}, wall ratio`, figure: ours.wall / theirs.wall, most: one.most });
    bounds.push({ what: `${one.what}, peak MiB`, figure: ours.memory, most: MEMORY, strict: true });
  }
  const head = ["", "runs", "dagger s", "buildctl s", "wall", "CPU", "peak memory", "dagger MiB"];
  const text = `Both programs run the same LLB on the same daemon, one after the other in turns. buildctl reads the finished LLB; dagger reads the CUE
config and compiles it. What is "first" is evaluated by CUE in the measured run too; of the others the evaluation is kept from the run
before, as a user has it. "Everything on" is: patterns that choose the files, an image from a registry that asks for a login, and dagger
draws its progress for a terminal.\n\n${table(head, rows)}`;
  return { title: "Against buildctl", text, bounds };
}

function cases(world: World): readonly Case[] {
  const bigFile = (src: string): void => void execFileSync("bash", ["-c", 'head -c 1073741824 /dev/urandom > "$0"', join(src, "big")]);
  const manyFiles = (src: string, seed: string): void => smallFiles(src, 10_000, seed);
  const onto = (dir: string): string => uploadOnto(dir, world.guarded);
  const from = (name: string, fresh: boolean, fill: Fill, config: (dir: string) => string): Case["prepare"] =>
    sources(join(world.dir, name), fresh, fill, config);
  const files = "upload 10,000 files of 1 KB";
  const file = "upload one 1 GiB file";
  return [
    ...[1, 10, 100, 1000].map((length) => ({
      what: `cached chain of ${length}`,
      runs: length < 1000 ? 9 : 5,
      warm: true,
      prepare: () => chain(join(world.dir, `chain-${length}`), length),
    })),
    { what: `${files}, first`, runs: 5, warm: false, most: 1.2, prepare: from("many-first", true, manyFiles, upload) },
    { what: `${files}, unchanged`, runs: 15, warm: true, most: 1.2, prepare: from("many", false, manyFiles, upload) },
    {
      ...{ what: `${files}, first, everything on`, runs: 5, warm: false, most: 1.2, progress: "tty" },
      prepare: from("many-all-first", true, manyFiles, onto),
    },
    {
      ...{ what: `${files}, unchanged, everything on`, runs: 15, warm: true, most: 1.2, progress: "tty" },
      prepare: from("many-all", false, manyFiles, onto),
    },
    { what: `${file}, first`, runs: 5, warm: false, most: 1, isLarge: true, prepare: from("big-first", true, bigFile, upload) },
    { what: `${file}, unchanged`, runs: 5, warm: true, prepare: from("big", false, bigFile, upload) },
    {
      ...{ what: `${file}, first, everything on`, runs: 7, warm: false, most: 1, isLarge: true, progress: "tty" },
      prepare: from("big-all-first", true, bigFile, onto),
    },
    ...["quiet", "tty"].map((progress) => ({
      ...{ what: `export 10,000 files${progress === "tty" ? ", drawing progress" : ""}`, runs: 3, warm: true, most: 1.2, progress },
      prepare: (_: number, who: Who) => {
        const dir = download(join(world.dir, "download"), 10_000);
        const out = join(dir, who === "dagger" ? "out" : "out-buildctl");
        // Not removed: ext4 without a journal looks at each inode that was freed in the last minutes whenever it needs one.
        if (existsSync(out)) renameSync(out, join(mkdtempSync(join(world.dir, "exported-")), "out"));
        return dir;
      },
    })),
  ];
}

type Fill = (src: string, seed: string) => void;

/** A directory with new contents for every run and program, or one that all share. */
function sources(base: string, fresh: boolean, fill: Fill, config: (dir: string) => string): Case["prepare"] {
  const made = new Set<string>();
  return (index, who) => {
    const dir = fresh ? `${base}-${who}-${index}` : base;
    if (made.has(dir)) return dir;
    made.add(dir);
    mkdirSync(join(dir, "src"), { recursive: true });
    fill(join(dir, "src"), `${who}${index}`);
    return config(dir);
  };
}

async function compare(world: World, { what, runs, prepare, warm, progress, isLarge }: Case): Promise<Record<Who, Sample>> {
  const samples: Record<Who, Sample[]> = { dagger: [], buildctl: [] };
  const programs = ["dagger", "buildctl"] as const;
  if (warm) for (const who of programs) await run(world, who, prepare(-1, who), progress);
  for (let index = 0; index < runs; index++) {
    for (const who of index % 2 === 0 ? programs : programs.toReversed()) {
      const dir = prepare(index, who);
      // What the sources and the run before have left to write would be written during this one.
      execFileSync("sync");
      samples[who].push(await run(world, who, dir, progress));
      if (isLarge === true) rmSync(join(dir, "src"), { recursive: true });
    }
  }
  const both = { dagger: median(samples.dagger), buildctl: median(samples.buildctl) };
  const all = (who: Who): string => samples[who].map(({ wall }) => wall.toFixed(3)).join(" ");
  console.error(
    `${what}: dagger ${both.dagger.wall.toFixed(3)} s, buildctl ${both.buildctl.wall.toFixed(3)} s (${all("dagger")}; ${all("buildctl")})`,
  );
  return both;
}

function run({ env, dir: top, address }: World, who: Who, dir: string, progress = "quiet"): Promise<Sample> {
  if (who === "dagger") return measure({ program: dagger, args: ["up", dir, "--progress", progress], env });
  const definition = execFileSync(dagger, ["llb", dir, "--format", "raw"], { env, maxBuffer: 1 << 28 });
  const args = buildctlArgs(definition, { dir, dataDir: join(top, "data"), out: join(dir, "out-buildctl") });
  return measure({ program: builtBinary("buildctl"), args: ["--addr", address, ...args], env, stdin: definition });
}
