// Finishes dist/cue.wasm: stamps it, and makes the snapshot beside it, with our library compiled. Usage: cue-snapshot.ts BUILT OUT LIBRARY
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createEvaluator, readSource, snapshotOf } from "../runtime/cue/index.ts";
import type { Package } from "../runtime/cue/protocol.ts";
import { readStamp, stamp } from "../runtime/cue/snapshot/file.ts";
import { makeSnapshot } from "../runtime/cue/snapshot/make.ts";

/** What runs follow: see engine/config.ts. */
const FOLLOW = ["#up"];

/**
 * What nearly every config imports: the ops, and the first dialect, whose packages have a domain for a name. Every package that is compiled
 * ahead makes each start read more, also of configs that do not import it; the others are compiled when they are imported.
 */
const isForAll = (name: string): boolean => name === "op" || name.includes(".");

/** Import paths of the packages below a directory that are compiled ahead, as configs write them. */
export function libraryPackages(library: string): string[] {
  const found: string[] = [];
  const walk = (dir: string): void => {
    const entries = readdirSync(path.join(library, dir), { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
    if (dir !== "" && entries.some((e) => e.isFile() && e.name.endsWith(".cue"))) {
      found.push(dir.split("/")[0]?.includes(".") ? dir : `cuellb.dev/${dir}`);
    }
    for (const e of entries) {
      if (e.isDirectory() && e.name !== "cue.mod" && (dir !== "" || isForAll(e.name))) walk(path.posix.join(dir, e.name));
    }
  };
  walk("");
  return found;
}

/** Uses what most configs use: interpolation, comprehensions, definitions, disjunctions, the usual builtin packages, and an error. */
const exercise = `
import ("encoding/json", "encoding/yaml", "list", "path", "regexp", "strconv", "strings", "struct")

name: string | *"world"
#Task: {
	id!:   int & >=0
	tags: [...string]
	kind: "a" | "b" | *"c"
	open?: {...}
	#up: [{do: "exec", args: ["run", "\\(id)", for t in tags {"--tag=\\(t)"}]}, if kind == "c" {{do: "scratch"}}]
}
tasks: {for i, n in ["x", "y"] {(n): #Task & {id: i, tags: [n, strings.ToUpper(n)]}}}
all: list.Sort([for k, _ in tasks {k}], list.Ascending)
text: json.Marshal({a: [1, 2.5], b: name}) + yaml.Marshal({c: "d"}) + strconv.FormatInt(7, 10) + path.Join(["a", "b"], path.Unix)
match: regexp.Match("^[a-z]+$", name) & (strings.Join(all, ",") =~ "x")
few: struct.MaxFields(5) & {one: 1}
`;

async function sources(wasm: string, library: string): Promise<{ packages: Package[]; exercises: Package[][] }> {
  const dir = mkdtempSync(path.join(tmpdir(), "cue-snapshot-"));
  const evaluator = await createEvaluator({ wasm, follow: FOLLOW, snapshot: false });
  try {
    const imports = libraryPackages(library).map((p, i) => `import p${i} ${JSON.stringify(p)}\n_${i}: p${i}\n`);
    // Imports come first in a file, so each has one of its own.
    imports.forEach((text, i) => writeFileSync(path.join(dir, `${i}.cue`), `package all\n${text}`));
    const all = await readSource(evaluator, dir, { cwd: dir, library });
    const packages = all.packages.slice(1).map((p) => ({
      ...p,
      imports: Object.fromEntries(Object.entries(p.imports).map(([spec, index]) => [spec, index - 1])),
    }));
    const alone = (text: string): Package[] => [
      { importPath: "_", name: "", own: true, version: "", files: [{ name: "exercise.cue", text }], imports: {} },
    ];
    const wrong = `${exercise}\nwrong: #Task & {id: -1, kinds: "x"}\nmore: 1 & 2\n`;
    return { packages, exercises: [alone(exercise), [...all.packages], alone(wrong)] };
  } finally {
    await evaluator.close();
    rmSync(dir, { recursive: true });
  }
}

async function main(built: string, out: string, library: string): Promise<void> {
  const wasm = readFileSync(built);
  writeFileSync(`${out}.new`, stamp(wasm));
  const of = readStamp(`${out}.new`) as string;
  const snapshot = makeSnapshot(wasm, { of, follow: FOLLOW, ...(await sources(`${out}.new`, library)) });
  writeFileSync(`${snapshotOf(out)}.new`, snapshot);
  // A run that starts in between finds a snapshot of another module and does without it.
  renameSync(`${out}.new`, out);
  renameSync(`${snapshotOf(out)}.new`, snapshotOf(out));
}

const [built, out, library] = process.argv.slice(2);
if (!built || !out || !library) throw new Error("usage: cue-snapshot.ts BUILT OUT LIBRARY");
await main(path.resolve(built), path.resolve(out), path.resolve(library));
