// Finishes dist/cue.wasm: stamps it, and makes the snapshot beside it, with our library compiled. Usage: cue-snapshot.ts BUILT OUT LIBRARY EXAMPLES
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createEvaluator, readSource, snapshotOf } from "../runtime/cue/index.ts";
import { readStamp, stamp } from "../runtime/cue/snapshot/file.ts";
import { makeSnapshot, type Recipe } from "../runtime/cue/snapshot/make.ts";
import { alone, everyRun, FOLLOW, rarer, usual } from "./cue-runs/runs.ts";

/**
 * What nearly every config imports: the ops, and the first dialect, whose packages have a domain for a name. Every package that is compiled
 * ahead makes each start read more, also of configs that do not import it; the others are compiled when they are imported.
 */
const isForAll = (name: string): boolean => name === "op" || name.includes(".");

/** Import paths of the packages below a directory whose first part fits, as configs write them. */
export function libraryPackages(library: string, fits: (name: string) => boolean = isForAll): string[] {
  const found: string[] = [];
  const walk = (dir: string): void => {
    const entries = readdirSync(path.join(library, dir), { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
    if (dir !== "" && entries.some((e) => e.isFile() && e.name.endsWith(".cue"))) {
      found.push(dir.split("/")[0]?.includes(".") ? dir : `cuellb.dev/${dir}`);
    }
    for (const e of entries) {
      if (e.isDirectory() && e.name !== "cue.mod" && (dir !== "" || fits(e.name))) walk(path.posix.join(dir, e.name));
    }
  };
  walk("");
  return found;
}

/** Writes an instance that imports packages. */
function writeImporter(dir: string, imports: readonly string[]): void {
  mkdirSync(dir);
  // Imports come first in a file, so each has one of its own.
  imports.forEach((p, i) => writeFileSync(path.join(dir, `${i}.cue`), `package all\nimport p${i} ${JSON.stringify(p)}\n_${i}: p${i}\n`));
}

async function recipe(wasm: string, library: string, examples: string): Promise<Omit<Recipe, "of">> {
  const dir = mkdtempSync(path.join(tmpdir(), "cue-snapshot-"));
  const evaluator = await createEvaluator({ wasm, follow: FOLLOW, snapshot: false });
  try {
    const [ahead, every] = [path.join(dir, "ahead"), path.join(dir, "every")];
    writeImporter(ahead, libraryPackages(library));
    writeImporter(
      every,
      libraryPackages(library, () => true),
    );
    const all = await readSource(evaluator, ahead, { cwd: dir, library });
    const packages = all.packages.slice(1).map((p) => ({
      ...p,
      imports: Object.fromEntries(Object.entries(p.imports).map(([spec, index]) => [spec, index - 1])),
    }));
    // One that is wrong would teach the build only how CUE complains.
    for (const text of [usual, rarer]) await evaluator.load({ dir, packages: alone(text) });
    const wrong = `${usual}\nwrong: #Task & {id: -1, kinds: "x"}\nmore: 1 & 2\n`;
    const directories = [
      every,
      ...readdirSync(examples, { recursive: true, encoding: "utf8", withFileTypes: true })
        .filter((e) => e.isFile() && e.name.endsWith(".cue") && !e.parentPath.includes("cue.mod"))
        .map((e) => e.parentPath),
    ];
    const runs = await everyRun(evaluator, [...new Set(directories)].sort(), library);
    return { packages, follow: FOLLOW, exercises: [alone(usual), [...all.packages], alone(wrong)], runs };
  } finally {
    await evaluator.close();
    rmSync(dir, { recursive: true });
  }
}

async function main(built: string, out: string, library: string, examples: string): Promise<void> {
  const wasm = readFileSync(built);
  writeFileSync(`${out}.new`, stamp(wasm));
  const of = readStamp(`${out}.new`) as string;
  const snapshot = makeSnapshot(wasm, { of, ...(await recipe(`${out}.new`, library, examples)) });
  writeFileSync(`${snapshotOf(out)}.new`, snapshot);
  // A run that starts in between finds a snapshot of another module and does without it.
  renameSync(`${out}.new`, out);
  renameSync(`${snapshotOf(out)}.new`, snapshotOf(out));
}

const [built, out, library, examples] = process.argv.slice(2);
if (!built || !out || !library || !examples) throw new Error("usage: cue-snapshot.ts BUILT OUT LIBRARY EXAMPLES");
await main(path.resolve(built), path.resolve(out), path.resolve(library), path.resolve(examples));
