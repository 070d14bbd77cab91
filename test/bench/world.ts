// What all parts of the benchmark share: a daemon, a registry that asks for a login, an environment with caches of its own, programs to compare.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startBuildkitd } from "../support/buildkitd.ts";
import { busyboxLayout } from "../support/images.ts";
import { startRegistry } from "../support/registry.ts";
import { measure, median, type Run, type Sample } from "./measure.ts";

const repository: string = fileURLToPath(new URL("../..", import.meta.url));
export const dagger: string = join(repository, "bin/dagger");

export interface World {
  /** Of its own; removed at the end. */
  readonly dir: string;
  /** Whole environment of the programs. Without NODE_EXTRA_CA_CERTS, which costs Node some 45 ms a start. */
  readonly env: Readonly<Record<string, string>>;
  readonly address: string;
  /** Where the images lie that `dagger image import` took. */
  readonly images: string;
  /** Reference of an image in a registry that asks for a login. */
  readonly guarded: string;
  end(): Promise<void>;
}

export async function createWorld(): Promise<World> {
  const dir = mkdtempSync(join(tmpdir(), "bench-"));
  const login = { username: "bench", password: "bench" };
  const registry = await startRegistry({ login });
  const daemon = await startBuildkitd({ collects: true, config: `[registry."${registry.host}"]\n  http = true\n` });
  const env = { PATH: process.env["PATH"] ?? "", HOME: dir, DAGGER_DATA_DIR: join(dir, "data"), BUILDKIT_HOST: daemon.address };
  const layout = await busyboxLayout();
  execFileSync(dagger, ["image", "import", "docker.io/library/busybox:latest", layout.dir], { env });
  const auth = Buffer.from(`${login.username}:${login.password}`).toString("base64");
  mkdirSync(join(dir, ".docker"));
  writeFileSync(join(dir, ".docker/config.json"), JSON.stringify({ auths: { [registry.host]: { auth } } }));
  const guarded = `${registry.host}/bench/busybox:latest`;
  const push = join(dir, "push");
  mkdirSync(push);
  const ops = `{do: "fetch-container", ref: "docker.io/library/busybox:latest"}, {do: "push-container", ref: "${guarded}"}`;
  writeFileSync(join(push, "push.cue"), `package push\n\npush: #up: [${ops}]\n`);
  execFileSync(dagger, ["up", push, "--progress", "quiet"], { env });
  const end = async (): Promise<void> => {
    await daemon.stop();
    await registry.stop();
    rmSync(dir, { recursive: true, force: true });
  };
  return { dir, env, address: daemon.address, images: join(dir, "data/images"), guarded, end };
}

/** A Go program that only the benchmark needs, built from the module that pins everything: `cue`, the official command, or `bench-client`. */
export function goProgram(name: string, pkg: string): string {
  const path = join(repository, "dist/bin", name);
  if (!existsSync(path)) {
    execFileSync("go", ["build", "-trimpath", "-ldflags=-s -w", "-o", path, pkg], { cwd: join(repository, "tools"), stdio: "inherit" });
  }
  return path;
}

/** Runs all programs in turn, so that a busy machine is busy for each of them, after one run that does not count. Medians. */
export async function inTurns(rounds: number, programs: readonly Run[]): Promise<Sample[]> {
  return (await samplesInTurns(rounds, programs)).map(median);
}

/** As `inTurns`, with every sample: those of one round were taken one after the other. */
export async function samplesInTurns(rounds: number, programs: readonly Run[]): Promise<Sample[][]> {
  for (const program of programs) await measure(program);
  const samples = programs.map((): Sample[] => []);
  for (let round = 0; round < rounds; round++) for (const [i, program] of programs.entries()) samples[i]?.push(await measure(program));
  return samples;
}
