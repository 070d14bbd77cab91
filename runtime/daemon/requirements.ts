// What this machine must have for an embedded buildkitd, each with how to get it. `dagger doctor` prints the same list.
import { readdir } from "node:fs/promises";
import type { Diagnostic } from "../../compiler/diagnostic.ts";
import type { Environment } from "../directories.ts";
import { findBuildkitd, onPath, searchPath } from "./location.ts";
import type { Requirement } from "./requirement.ts";
import { isRootless, rootlessRequirements } from "./rootless.ts";
import { runProgram } from "./run-program.ts";

const elsewhere = "or start a buildkitd yourself and pass its address with --buildkit or BUILDKIT_HOST";

/** Checks everything, also past the first thing that is missing. */
export async function daemonRequirements(env: Environment): Promise<readonly Requirement[]> {
  if (process.platform !== "linux") {
    const detail = `The embedded daemon runs on Linux only, and this is ${process.platform}`;
    return [{ code: "daemon-unsupported", name: "Linux", ok: false, detail, fix: `Use a machine with Linux, ${elsewhere}` }];
  }
  if (isRootless()) return [...(await rootlessRequirements(env)), await hasBuildkitd(env), await hasRunc(env)];
  const root = { code: "root", name: "user", ok: true, detail: "root" };
  return [root, await hasBuildkitd(env), await hasRunc(env), await hasCgroups()];
}

/** The findings among requirements as diagnostics. */
export function unmet(requirements: readonly Requirement[]): Diagnostic[] {
  return requirements
    .filter((requirement) => !requirement.ok)
    .map(({ code, detail, fix }) => ({ code, message: detail, at: [], ...(fix === undefined ? {} : { hint: fix }) }));
}

async function hasBuildkitd(env: Environment): Promise<Requirement> {
  const base = { code: "buildkitd-missing", name: "buildkitd" };
  const binary = await findBuildkitd(env);
  if (binary !== undefined) return { ...base, ok: true, detail: binary };
  const explicit = env.DAGGER_BUILDKITD;
  if (explicit !== undefined && explicit !== "") {
    return { ...base, ok: false, detail: `DAGGER_BUILDKITD names no program: ${explicit}`, fix: "Correct it, or unset it" };
  }
  return { ...base, ok: false, detail: "buildkitd was not built", fix: `Run \`make daemon\` in the clone of dagger, ${elsewhere}` };
}

async function hasRunc(env: Environment): Promise<Requirement> {
  const base = { name: "runc" };
  const install = "Install the package runc (Debian, Ubuntu: apt-get install runc; Fedora: dnf install runc)";
  const binary = await onPath("runc", env);
  if (binary === undefined) return { ...base, code: "runc-missing", ok: false, detail: "runc is not installed", fix: install };
  const version = await runProgram(binary, ["--version"], { env: { ...env, PATH: searchPath(env) } }).then(
    ({ stdout }) => stdout,
    () => undefined,
  );
  if (version === undefined) return { ...base, code: "runc-missing", ok: false, detail: `${binary} does not run`, fix: install };
  // Without libseccomp, runc refuses every container that buildkitd asks for.
  if (!version.includes("libseccomp")) {
    return { ...base, code: "runc-no-seccomp", ok: false, detail: `${binary} was built without seccomp`, fix: install };
  }
  return {
    ...base,
    code: "runc-missing",
    ok: true,
    detail: `${binary}, ${version.split("\n")[0]?.replace("runc version", "version") ?? ""}`,
  };
}

async function hasCgroups(): Promise<Requirement> {
  const base = { code: "cgroups-missing", name: "cgroups" };
  const entries = await readdir("/sys/fs/cgroup").catch((): string[] => []);
  if (entries.includes("cgroup.controllers")) return { ...base, ok: true, detail: "version 2" };
  if (entries.includes("memory") || entries.includes("cpu")) return { ...base, ok: true, detail: "version 1" };
  return {
    ...base,
    ok: false,
    detail: "Control groups are not mounted on /sys/fs/cgroup",
    fix: "Mount them (in a container: run it with --privileged), or start a buildkitd elsewhere and pass its address with --buildkit",
  };
}
