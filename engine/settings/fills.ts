// Settings on their way into a run: values become fills of the config, secrets and sockets what --secret and --ssh would give.
import { resolve } from "node:path";
import type { Diagnostic } from "../../compiler/index.ts";
import { inputError } from "../../compiler/index.ts";
import type { Fill } from "../../runtime/cue/index.ts";
import type { ReadInputs } from "../inputs/typed-inputs.ts";
import { findDirectory, readText } from "../inputs/typed-inputs.ts";
import type { StackRun } from "../request.ts";
import { missingOutput } from "./references.ts";
import type { Setting } from "./setting.ts";

/** What an environment sets, but for paths that `given` sets. Throws UserError (2) with every file and directory that is gone. */
export async function readSettings(stack: StackRun | undefined, given: readonly Fill[], cwd: string): Promise<ReadInputs> {
  const fills: Fill[] = [];
  const dirs: string[] = [];
  const wrong: Diagnostic[] = [];
  const taken = given.map(({ path }) => path);
  for (const [path, setting] of stack?.settings ?? []) {
    // A flag counts more than what is kept.
    if (stack === undefined || taken.some((other) => other === path || other === `${path}.#up`)) continue;
    const read = await readSetting(
      path,
      setting,
      stack.root,
      cwd,
      (problem) => void wrong.push(setting.kind === "output" ? problem : inSetting(problem, stack, path)),
    );
    if (read === undefined) continue;
    fills.push(read.fill);
    if (read.dir !== undefined) dirs.push(read.dir);
  }
  if (wrong.length > 0) throw inputError(...wrong);
  return { fills, dirs };
}

/** What the secrets and sockets of an environment would be as flags. */
export function flagsOf(
  settings: ReadonlyMap<string, Setting>,
  root: string,
): { readonly secrets: readonly string[]; readonly ssh: readonly string[] } {
  const secrets: string[] = [];
  const ssh: string[] = [];
  for (const [path, setting] of settings) {
    if (setting.kind === "secret") secrets.push(`${path}=${setting.from.replace(/^file:(?!\/|~)/, () => `file:${root}/`)}`);
    if (setting.kind === "socket")
      ssh.push(setting.path === "" ? path : `${path}=${/^[/~]/.test(setting.path) ? setting.path : resolve(root, setting.path)}`);
  }
  return { secrets, ssh };
}

/** Secrets or sockets of flags, with those that are kept and that no flag names: flags count more. */
export function overKept(flags: readonly string[], kept: readonly string[]): readonly string[] {
  const idOf = (text: string): string => text.split("=")[0] ?? "";
  const given = new Set(flags.map(idOf));
  return [...kept.filter((one) => !given.has(idOf(one))), ...flags];
}

type Read = { readonly fill: Fill; readonly dir?: string } | undefined;

async function readSetting(
  path: string,
  setting: Setting,
  root: string,
  cwd: string,
  problem: (diagnostic: Diagnostic) => void,
): Promise<Read> {
  const origin = `setting ${path}`;
  const value = (json: string): Read => ({ fill: { path, json, origin } });
  const filesystem = (...ops: readonly unknown[]): Read => ({ fill: { path: `${path}.#up`, json: JSON.stringify(ops), origin } });
  switch (setting.kind) {
    case "text":
      return value(JSON.stringify(setting.value));
    case "number":
    case "bool":
    case "json":
    case "yaml":
      return value(setting.json);
    case "file": {
      const content = await readText(resolve(root, setting.path), path, origin, cwd, problem);
      return content === undefined ? undefined : value(JSON.stringify(content));
    }
    case "directory": {
      const dir = await findDirectory(resolve(root, setting.path), origin, cwd, problem);
      return dir === undefined ? undefined : { ...(filesystem({ do: "local", dir, exclude: ["**/.dagger"] }) as { fill: Fill }), dir };
    }
    case "git": {
      const { remote, ref, subdir } = setting;
      return filesystem({ do: "fetch-git", remote, ref }, ...(subdir === undefined ? [] : [{ do: "subdir", dir: subdir }]));
    }
    case "container":
      return filesystem({ do: "fetch-container", ref: setting.ref });
    case "output": {
      if (setting.given?.json === undefined) {
        problem(missingOutput(path, setting));
        return undefined;
      }
      return value(setting.given.json);
    }
    case "secret":
    case "socket":
      return undefined;
  }
}

function inSetting(problem: Diagnostic, { stack, environment }: StackRun, path: string): Diagnostic {
  return { ...problem, hint: `Set it anew: ${command("set", stack, environment)} ${path} PATH` };
}

/** How a person changes a setting. */
export function command(verb: "set" | "unset", stack: string, environment: string): string {
  return `dagger input ${verb} -s ${stack} -e ${environment}`;
}
