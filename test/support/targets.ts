// Reads the files that targets are written to as the other systems do: the real Docker Compose, and the validation of a Kubernetes API server.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Outcome } from "../e2e/dagger.ts";

/** Runs Docker Compose with this file, and files over it. `env` has DOCKER_HOST where containers are meant. Needs what `make target-tools` builds. */
export function compose(files: readonly string[], args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  return run("docker-compose", [...files.flatMap((file) => ["-f", file]), ...args], "", env);
}

/** Tells what of the text of some objects an API server would refuse. Needs what `make target-tools` builds. */
export function checkKubernetes(text: string): Promise<Outcome> {
  return run("kubernetes-check", [], text, {});
}

function run(name: string, args: readonly string[], input: string, env: Readonly<Record<string, string>>): Promise<Outcome> {
  const program = fileURLToPath(new URL(`../../dist/bin/${name}`, import.meta.url));
  if (!existsSync(program)) throw new Error(`${program} is missing: run make target-tools`);
  return new Promise((resolve) => {
    const options = { env: { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", ...env }, maxBuffer: 1 << 28 };
    const child = execFile(program, args, options, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : typeof error.code === "number" ? error.code : -1, stdout, stderr });
    });
    child.stdin?.end(input);
  });
}
