// What tests of the library's packages share: a daemon, images under the names that packages start from, configs in directories.
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { busyboxRoot, toolsRoot } from "../support/images.ts";
import { type Bench, type Outcome, repository, startBench } from "./dagger.ts";

export interface PackageBench {
  readonly bench: Bench;
  /** Writes a config (its files by name, or only up.cue) to a directory of its own. */
  config(name: string, files: string | Readonly<Record<string, string>>): string;
  /** Runs `dagger compute` on a config; secrets are given by their name. */
  compute(name: string, files: string | Readonly<Record<string, string>>, options?: ComputeOptions): Promise<Outcome>;
}

export interface ComputeOptions {
  readonly secrets?: Readonly<Record<string, string>>;
  readonly flags?: readonly string[];
}

/** Gives the bench an image of busybox with one program that `make deploy-tools` builds: helm or tofu. */
export async function importProgram(bench: Bench, program: string, image: string): Promise<void> {
  const built = join(repository, "dist/bin", program);
  if (!existsSync(built)) throw new Error(`${built} is missing: run make deploy-tools`);
  const root = mkdtempSync(join(tmpdir(), "dagger-program-"));
  try {
    await busyboxRoot(root);
    copyFileSync(built, join(root, "usr/bin", program));
    const { code, stderr } = await bench.dagger(["image", "import", image, root]);
    if (code !== 0) throw new Error(stderr);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** A daemon, and an image with curl, ssh, rclone, kubectl and docker under each of the names. */
export async function startPackageBench(...images: readonly string[]): Promise<PackageBench> {
  const bench = await startBench();
  try {
    const root = images.length === 0 ? "" : await toolsRoot();
    for (const image of images) {
      const imported = await bench.dagger(["image", "import", image, root]);
      if (imported.code !== 0) throw new Error(imported.stderr);
    }
  } catch (error) {
    await bench.end();
    throw error;
  }
  const config: PackageBench["config"] = (name, files) => {
    const dir = join(bench.dir, name);
    for (const [file, text] of Object.entries(typeof files === "string" ? { "up.cue": files } : files)) {
      mkdirSync(join(dir, file, ".."), { recursive: true });
      writeFileSync(join(dir, file), text);
    }
    return dir;
  };
  const compute: PackageBench["compute"] = (name, files, { secrets = {}, flags = [] } = {}) => {
    const dir = config(name, files);
    const given = Object.entries(secrets).flatMap(([id, value]) => {
      writeFileSync(join(dir, `${id}.secret`), value);
      return ["--secret", `${id}=file:${join(dir, `${id}.secret`)}`];
    });
    return bench.dagger(["compute", "--strict", ...given, ...flags, dir]);
  };
  return { bench, config, compute };
}
