// Which stack and environment a command is about: flags, then the environment's variables, then what was selected, then the only one.
import { join } from "node:path";
import { inputError } from "../../compiler/index.ts";
import type { Surroundings } from "../request.ts";
import type { Workspace } from "../workspace/find.ts";
import { formatJson, readJsonFile, writeWhole } from "../workspace/json-file.ts";
import { changing } from "../workspace/lock.ts";
import type { Environment } from "./environment.ts";
import { findEnvironment, readEnvironments } from "./environment.ts";
import type { Stack } from "./stack.ts";
import { findStack, readStacks } from "./stack.ts";

/** What -s and -e say. */
export interface StackWish {
  readonly stack?: string;
  readonly environment?: string;
}

interface Selected {
  readonly stack?: string;
  /** By stack. */
  readonly environments: Readonly<Record<string, string>>;
}

/** The stack that -s, DAGGER_STACK or `dagger stack select` names; undefined when nothing does. Throws UserError (2) `unknown-stack`. */
export async function namedStack(workspace: Workspace, wish: StackWish, { env, cwd }: Surroundings): Promise<Stack | undefined> {
  const named = wish.stack ?? (env["DAGGER_STACK"] || undefined);
  if (named !== undefined) return findStack(workspace, named, cwd);
  const { stack } = await readSelected(workspace, cwd);
  // One that is gone is selected no more.
  return stack === undefined ? undefined : (await readStacks(workspace, cwd)).find(({ slug }) => slug === stack);
}

/** As `namedStack`, else the only stack that there is. Throws UserError (2) `no-stack`. */
export async function chooseStack(workspace: Workspace, wish: StackWish, surroundings: Surroundings): Promise<Stack> {
  const named = await namedStack(workspace, wish, surroundings);
  if (named !== undefined) return named;
  const all = await readStacks(workspace, surroundings.cwd);
  const [only] = all;
  if (only !== undefined && all.length === 1) return only;
  throw inputError({
    code: "no-stack",
    message: all.length === 0 ? `The workspace ${workspace.root} has no stacks yet` : "No stack is chosen",
    at: [],
    hint: all.length === 0 ? "Make one: dagger stack new NAME" : `Choose one with -s: ${all.map(({ slug }) => slug).join(", ")}`,
  });
}

/** Likewise for the stack's environments. Throws UserError (2) `unknown-environment`, `no-environment`. */
export async function chooseEnvironment(
  workspace: Workspace,
  stack: Stack,
  wish: StackWish,
  surroundings: Surroundings,
): Promise<Environment> {
  const { env, cwd } = surroundings;
  const named = wish.environment ?? (env["DAGGER_ENV"] || undefined);
  if (named !== undefined) return findEnvironment(workspace, stack.slug, named, cwd);
  const all = await readEnvironments(workspace, stack.slug, cwd);
  const selected = (await readSelected(workspace, cwd)).environments[stack.slug];
  const chosen = all.find(({ slug }) => slug === selected) ?? (all.length === 1 ? all[0] : undefined);
  if (chosen !== undefined) return chosen;
  throw inputError({
    code: "no-environment",
    message: all.length === 0 ? `The stack ${stack.slug} has no environments` : `No environment of the stack ${stack.slug} is chosen`,
    at: [],
    hint:
      all.length === 0 ? `Make one: dagger env new -s ${stack.slug} NAME` : `Choose one with -e: ${all.map(({ slug }) => slug).join(", ")}`,
  });
}

/** Remembers the choice on this machine. */
export async function select(workspace: Workspace, stack: string, environment: string | undefined, cwd: string): Promise<void> {
  await changing(workspace, async () => {
    const { environments } = await readSelected(workspace, cwd);
    await writeWhole(
      selectedFile(workspace),
      formatJson({ stack, environments: { ...environments, ...(environment === undefined ? {} : { [stack]: environment }) } }),
    );
  });
}

/** What was selected last. What cannot be read of it is as if it were not there: it is this machine's convenience. */
export async function readSelected(workspace: Workspace, cwd: string): Promise<Selected> {
  const file = await readJsonFile(selectedFile(workspace), cwd).catch(() => undefined);
  const { stack, environments } = (file?.data ?? {}) as { stack?: unknown; environments?: unknown };
  const known = typeof environments === "object" && environments !== null ? (environments as Record<string, string>) : {};
  return { environments: known, ...(typeof stack === "string" ? { stack } : {}) };
}

function selectedFile(workspace: Workspace): string {
  return join(workspace.state, "selected.json");
}
