// For the tests of this folder: evaluate CUE that is written in the test.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { type Diagnostic, UserError } from "../../compiler/diagnostic.ts";
import type { Value } from "../../compiler/value.ts";
import { createEvaluator, type Evaluation, type Evaluator, type Fill } from "./evaluate.ts";
import { readSource } from "./source.ts";

export const repository: string = fileURLToPath(new URL("../..", import.meta.url));

export async function newEvaluator(): Promise<Evaluator> {
  return createEvaluator({ wasm: path.join(repository, "dist/cue.wasm"), follow: ["#up"] });
}

/** Writes files into a new directory, gives it to `use`, and removes it. */
export async function inDirectory<T>(files: Record<string, string | Buffer>, use: (dir: string) => Promise<T>): Promise<T> {
  const dir = mkdtempSync(path.join(tmpdir(), "cue-test-"));
  try {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(path.dirname(path.join(dir, name)), { recursive: true });
      writeFileSync(path.join(dir, name), text);
    }
    return await use(dir);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** Loads the directory `at` of some files, by default the one that holds them all. */
export async function load(
  evaluator: Evaluator,
  files: Record<string, string | Buffer> | string,
  options: { at?: string; fills?: readonly Fill[]; tags?: readonly string[]; injectVars?: boolean } = {},
): Promise<Evaluation> {
  return inDirectory(typeof files === "string" ? { "a.cue": files } : files, async (dir) => {
    const library = path.join(dir, "library");
    const source = await readSource(evaluator, options.at ?? ".", {
      cwd: dir,
      library,
      tags: options.tags,
      injectVars: options.injectVars,
    });
    return evaluator.load(source, options.fills ?? []);
  });
}

/** The findings of a promise that must be refused as wrong input. */
export async function refused(promise: Promise<unknown>): Promise<readonly Diagnostic[]> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof UserError && error.exit === 2) return error.diagnostics;
    throw error;
  }
  throw new Error("the input was accepted");
}

/** The value at a path of plain labels, indexes included: `at(root, "app", "#up", 0, "from")`. */
export function at(root: Value, ...labels: (string | number)[]): Value {
  return labels.reduce((value, label) => {
    const field = typeof label === "number" ? value.items[label] : value.fields.get(label);
    if (!field) throw new Error(`no ${label} in ${value.path}`);
    return field.value;
  }, root);
}

/** `file:line:column` of places. */
export function places(list: readonly { file: string; line: number; column: number }[]): string[] {
  return list.map((p) => `${p.file}:${p.line}:${p.column}`);
}

/** How many values hang below a root, each counted once. */
export function countValues(root: Value): number {
  const seen = new Set<Value>();
  const queue = [root];
  for (let value = queue.pop(); value; value = queue.pop()) {
    if (seen.has(value)) continue;
    seen.add(value);
    for (const field of [...value.fields.values(), ...value.items]) queue.push(field.value);
  }
  return seen.size;
}
