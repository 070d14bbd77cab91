// Which commands of secrets may run for a workspace without being asked for again. Kept in the user's own data directory: what comes with a
// repository can give no consent. A command is its exact text: one that somebody changes has to be looked at anew.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { inputError, UserError } from "../../compiler/index.ts";
import { dataDir } from "../../runtime/directories.ts";
import { findWorkspace } from "../workspace/find.ts";
import { formatJson, isObject, writeWhole } from "../workspace/json-file.ts";
import { changing } from "../workspace/lock.ts";
import { openWorkspace } from "../workspace/workspace.ts";
import type { SecretScope } from "./provider.ts";

/** What was allowed for the workspace around the scope's directory. */
export interface Consents {
  /** Absolute. */
  readonly workspace: string;
  readonly commands: readonly string[];
}

/** Never throws: what cannot be read allows nothing. */
export async function isAllowed(command: string, { env, cwd, root }: SecretScope): Promise<boolean> {
  const workspace = root ?? findWorkspace(cwd)?.root;
  if (workspace === undefined) return false;
  const all = await readConsents(env).catch(() => new Map<string, readonly string[]>());
  return all.get(workspace)?.includes(command) ?? false;
}

export async function listConsents({ env, cwd }: SecretScope): Promise<Consents> {
  const { root } = await openWorkspace(".", cwd);
  return { workspace: root, commands: (await readConsents(env)).get(root) ?? [] };
}

/** Throws UserError (2) `no-workspace`, (3) `consents-unreadable`, `workspace-not-written`. */
export function allowCommand(scope: SecretScope, command: string): Promise<Consents> {
  return change(scope, (commands) => [...new Set([...commands, command])].sort());
}

/** Throws UserError (2) `unknown-consent`, else as `allowCommand`. */
export function disallowCommand(scope: SecretScope, command: string): Promise<Consents> {
  return change(scope, (commands) => {
    if (commands.includes(command)) return commands.filter((one) => one !== command);
    const hint = "See `dagger secret commands`; the text has to be the same";
    throw inputError({ code: "unknown-consent", message: "This command is not allowed anyway", at: [], hint });
  });
}

async function change({ env, cwd }: SecretScope, edit: (commands: readonly string[]) => readonly string[]): Promise<Consents> {
  const { root } = await openWorkspace(".", cwd);
  return changing({ state: dataDir(env) }, async () => {
    const all = new Map(await readConsents(env));
    const commands = edit(all.get(root) ?? []);
    if (commands.length === 0) all.delete(root);
    else all.set(root, commands);
    await writeWhole(file(env), formatJson(Object.fromEntries([...all].sort(([a], [b]) => (a < b ? -1 : 1)))));
    return { workspace: root, commands };
  });
}

function file(env: SecretScope["env"]): string {
  return join(dataDir(env), "secret-commands.json");
}

/** By the roots of workspaces. */
async function readConsents(env: SecretScope["env"]): Promise<ReadonlyMap<string, readonly string[]>> {
  try {
    const data: unknown = JSON.parse(await readFile(file(env), "utf8"));
    const entries = isObject(data) ? Object.entries(data) : [];
    return new Map(entries.map(([root, list]) => [root, Array.isArray(list) ? list.filter((one) => typeof one === "string") : []]));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return new Map();
    const message = `Cannot read which commands are allowed in ${file(env)}: ${(cause as Error).message}`;
    throw new UserError(3, [{ code: "consents-unreadable", message, at: [], hint: "Check the file, or remove it and allow them anew" }], {
      cause,
    });
  }
}
