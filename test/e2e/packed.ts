// A project that has nothing but the packed package and what it depends on, as the embedding tests use it.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { imageStore } from "../../engine/index.ts";
import { busyboxLayout } from "../support/images.ts";
import { type Outcome, repository } from "./dagger.ts";

export interface PackedProject {
  readonly dir: string;
  /** Type-checks a program as its users would, without skipping the library's own types, and makes JavaScript of it in `built/`. */
  compile(file: string): Promise<Outcome>;
  /** Runs a program in the project. */
  run(args: readonly string[], env?: NodeJS.ProcessEnv): Promise<Outcome>;
  /** An image store with busybox below a data directory. */
  seed(dataDir: string): Promise<void>;
  remove(): void;
}

/** Installs what npm would pack. */
export async function packedProject(): Promise<PackedProject> {
  const dir = mkdtempSync(join(tmpdir(), "embedding-"));
  await install(dir);
  writeFileSync(join(dir, "package.json"), '{ "type": "module", "private": true }\n');
  return {
    dir,
    compile: (file) => {
      const options = { target: "ES2023", module: "NodeNext", types: ["node"], strict: true, exactOptionalPropertyTypes: true };
      writeFileSync(join(dir, "tsconfig.json"), JSON.stringify({ compilerOptions: { ...options, outDir: "built" }, files: [file] }));
      return run(process.execPath, [join(repository, "node_modules/typescript/bin/tsc"), "-p", dir], dir);
    },
    run: (args, env = process.env) => run(process.execPath, args, dir, env),
    seed: async (dataDir) => {
      const image = await busyboxLayout();
      const store = imageStore({ env: { DAGGER_DATA_DIR: join(dataDir, "data"), HOME: dir }, cwd: dir });
      await store.import("docker.io/library/busybox:latest", image.dir);
    },
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}

function run(program: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = process.env): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(program, args, { cwd, env, maxBuffer: 1 << 28 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : typeof error.code === "number" ? error.code : -1, stdout, stderr });
    });
  });
}

/** Files that are large are linked. */
async function install(project: string): Promise<void> {
  const { code, stdout, stderr } = await run("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], repository);
  assert.equal(code, 0, stderr);
  const [{ files }] = JSON.parse(stdout) as [{ files: { path: string }[] }];
  const modules = join(project, "node_modules");
  for (const { path } of files) {
    const to = join(modules, "cuellb", path);
    mkdirSync(dirname(to), { recursive: true });
    if (/^dist\/(cue[.]|run\/)/.test(path)) symlinkSync(join(repository, path), to);
    else cpSync(join(repository, path), to);
  }
  const { dependencies } = JSON.parse(readFileSync(join(repository, "package.json"), "utf8")) as { dependencies: Record<string, string> };
  // The types of Node are what every TypeScript project on Node has.
  for (const name of [...Object.keys(dependencies), "@types/node", "undici-types"]) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(repository, "node_modules", name), join(modules, name));
  }
}
