// An environment's file, `.dagger/stacks/SLUG/envs/ENV/env.json`: what it is called and what it is set to.
import { join } from "node:path";
import type { Setting } from "../settings/setting.ts";
import { formatSettings, readSettings } from "../settings/setting.ts";
import type { Workspace } from "../workspace/find.ts";
import { formatJson, readJsonFile } from "../workspace/json-file.ts";
import { find } from "./names.ts";
import { refuseOthers, slugsIn, stackDir } from "./stack.ts";

export interface Environment {
  readonly slug: string;
  readonly name: string;
  /** By CUE path. */
  readonly settings: ReadonlyMap<string, Setting>;
}

export function environmentDir(workspace: Workspace, stack: string, environment: string): string {
  return join(stackDir(workspace, stack), "envs", environment);
}

export function environmentFile(workspace: Workspace, stack: string, environment: string): string {
  return join(environmentDir(workspace, stack, environment), "env.json");
}

/** By slug. Throws UserError (2) `bad-workspace-file`. */
export async function readEnvironments(workspace: Workspace, stack: string, cwd: string): Promise<readonly Environment[]> {
  const slugs = await slugsIn(join(stackDir(workspace, stack), "envs"));
  const all = await Promise.all(slugs.map((slug) => readEnvironment(workspace, stack, slug, cwd)));
  return all.filter((environment) => environment !== undefined);
}

/** The environment of this slug or name. Throws UserError (2) `unknown-environment`, `bad-workspace-file`. */
export async function findEnvironment(workspace: Workspace, stack: string, wanted: string, cwd: string): Promise<Environment> {
  return find(wanted, await readEnvironments(workspace, stack, cwd), (hint) => ({
    code: "unknown-environment",
    message: `The stack ${stack} has no environment ${JSON.stringify(wanted)}`,
    at: [],
    hint: hint ?? `Make one: dagger env new -s ${stack} NAME`,
  }));
}

export async function readEnvironment(workspace: Workspace, stack: string, slug: string, cwd: string): Promise<Environment | undefined> {
  const file = await readJsonFile(environmentFile(workspace, stack, slug), cwd);
  if (file === undefined) return undefined;
  await refuseOthers(file, [], ["name", "settings"]);
  const { name } = file.data;
  if (typeof name !== "string" || name === "") return file.fail(["name"], `${file.name} has no name`);
  return { slug, name, settings: await readSettings(file) };
}

/** The text of an environment's file. */
export function formatEnvironment({ name, settings }: Omit<Environment, "slug">): string {
  return formatJson({ name, settings: formatSettings(settings) });
}
