// The real cue command of the pinned version: what dagger does with modules is held against it.
import { execFile, execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const repository = fileURLToPath(new URL("../..", import.meta.url));

/** Path of the command; `make` builds it when it is not there yet. */
export function cueCommand(): string {
  const file = path.join(repository, "dist/bin/cue");
  if (!fs.existsSync(file)) execFileSync("make", ["--no-print-directory", "dist/bin/cue"], { cwd: repository, stdio: "ignore" });
  return file;
}

/** Standard output of cue in a directory. Rejects when it fails. */
export async function cue(dir: string, env: Readonly<Record<string, string>>, ...args: string[]): Promise<string> {
  return (await promisify(execFile)(cueCommand(), args, { cwd: dir, env: { PATH: process.env["PATH"] ?? "", ...env } })).stdout;
}

/** Writes files below a directory. */
export function writeTree(dir: string, files: Readonly<Record<string, string>>): string {
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(dir, name)), { recursive: true });
    fs.writeFileSync(path.join(dir, name), text);
  }
  return dir;
}

/** The text of a module file. */
export function moduleText(module: string, deps: Readonly<Record<string, string>> = {}, language = "v0.9.0"): string {
  const lines = Object.entries(deps).map(([name, version]) => `deps: ${JSON.stringify(name)}: v: ${JSON.stringify(version)}`);
  return [`module: ${JSON.stringify(module)}`, `language: version: ${JSON.stringify(language)}`, 'source: kind: "self"', ...lines, ""].join(
    "\n",
  );
}
