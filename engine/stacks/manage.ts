// Stacks and environments as a person manages them: made, listed, changed, copied, deleted.
import { cp, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { inputError } from "../../compiler/index.ts";
import type { Surroundings } from "../request.ts";
import { clearOutputs } from "../state/find.ts";
import type { Workspace } from "../workspace/find.ts";
import { notWritten, writeWhole } from "../workspace/json-file.ts";
import { changing } from "../workspace/lock.ts";
import { openWorkspace } from "../workspace/workspace.ts";
import type { StackWish } from "./choice.ts";
import { chooseEnvironment, chooseStack, readSelected, select } from "./choice.ts";
import type { Environment } from "./environment.ts";
import { environmentDir, environmentFile, findEnvironment, formatEnvironment, readEnvironments } from "./environment.ts";
import { checkName, slugOf } from "./names.ts";
import type { SourceWish } from "./source.ts";
import { readWish } from "./source.ts";
import type { Stack } from "./stack.ts";
import { findStack, formatStack, readStacks, stackDir, stackFile } from "./stack.ts";

/** About the workspace around the request's directory. */
export interface StackRequest extends Surroundings {
  readonly offline?: boolean;
  readonly signal?: AbortSignal;
}

/** A stack as lists show it. */
export interface StackEntry extends Stack {
  /** Slugs. */
  readonly environments: readonly string[];
  /** Chosen with `dagger stack select`. */
  readonly selected: boolean;
}

export interface EnvironmentEntry {
  readonly stack: string;
  readonly slug: string;
  readonly name: string;
  /** CUE paths that are set. */
  readonly settings: readonly string[];
  readonly selected: boolean;
}

export async function listStacks(request: StackRequest): Promise<readonly StackEntry[]> {
  const workspace = await open(request);
  const stacks = await readStacks(workspace, request.cwd);
  return Promise.all(stacks.map((stack) => stackEntry(workspace, stack, request)));
}

export async function showStack(request: StackRequest, wish: StackWish): Promise<StackEntry> {
  const workspace = await open(request);
  return stackEntry(workspace, await chooseStack(workspace, wish, request), request);
}

/** Makes a stack with environments. Throws UserError (2) `stack-exists`, `bad-name` and what is wrong with the source. */
export async function newStack(
  request: StackRequest,
  stack: { readonly name: string; readonly description?: string; readonly source: SourceWish; readonly environments: readonly string[] },
): Promise<StackEntry> {
  const workspace = await open(request);
  const name = checkName(stack.name, "stack");
  for (const environment of stack.environments) checkName(environment, "environment");
  const refuse = (all: readonly Stack[]): void => {
    if (all.some((one) => one.name === name || one.slug === name)) {
      throw inputError({
        code: "stack-exists",
        message: `There is a stack ${name} already`,
        at: [],
        hint: `Change it with \`dagger stack edit ${slugOf(name)}\`, or choose another name`,
      });
    }
  };
  refuse(await readStacks(workspace, request.cwd));
  const config = await readWish(workspace, stack.source, request);
  return changing(workspace, async () => {
    const all = await readStacks(workspace, request.cwd);
    refuse(all);
    const made: Stack = { slug: slugOf(name, new Set(all.map(({ slug }) => slug))), name, description: stack.description ?? "", config };
    const taken = new Set<string>();
    for (const environment of stack.environments) {
      const slug = slugOf(environment, taken);
      taken.add(slug);
      await writeWhole(environmentFile(workspace, made.slug, slug), formatEnvironment({ name: environment, settings: new Map() }));
    }
    // Last: a stack is there when its file is.
    await writeWhole(stackFile(workspace, made.slug), formatStack(made));
    return stackEntry(workspace, made, request);
  });
}

/** Changes what is given; `update` looks up anew what the ref of a git config stands for, and the newest version of a module. */
export async function editStack(
  request: StackRequest,
  wish: StackWish,
  change: { readonly name?: string; readonly description?: string; readonly source?: SourceWish; readonly update?: boolean },
): Promise<StackEntry> {
  const workspace = await open(request);
  const { slug } = await chooseStack(workspace, wish, request);
  const before = await findStack(workspace, slug, request.cwd);
  if (change.name !== undefined) checkName(change.name, "stack");
  const source = change.source ?? (change.update === true ? again(before) : undefined);
  const config = source === undefined ? undefined : await readWish(workspace, source, request);
  return changing(workspace, async () => {
    const all = await readStacks(workspace, request.cwd);
    const now = all.find((one) => one.slug === slug) ?? before;
    const { name = now.name, description = now.description } = change;
    if (all.some((one) => one.slug !== slug && (one.name === name || one.slug === name))) {
      throw inputError({ code: "stack-exists", message: `There is a stack ${name} already`, at: [], hint: "Choose another name" });
    }
    const edited = { slug, name, description, config: config ?? now.config };
    await writeWhole(stackFile(workspace, slug), formatStack(edited));
    return stackEntry(workspace, edited, request);
  });
}

function again({ slug, config }: Stack): SourceWish {
  if (config.kind === "git")
    return { git: config.remote, ref: config.ref, ...(config.subdir === undefined ? {} : { subdir: config.subdir }) };
  if (config.kind === "module") return { module: config.module, ...(config.subdir === undefined ? {} : { subdir: config.subdir }) };
  throw inputError({
    code: "nothing-to-update",
    message: `The config of the stack ${slug} is a directory, which is always taken as it is`,
    at: [],
    hint: "Leave --update out",
  });
}

/** Deletes a stack with its environments, their settings and secrets; not its config. Returns its slug. */
export async function deleteStack(request: StackRequest, name: string): Promise<string> {
  const workspace = await open(request);
  return changing(workspace, async () => {
    const { slug } = await findStack(workspace, name, request.cwd);
    const environments = await readEnvironments(workspace, slug, request.cwd);
    await removeTree(workspace, stackDir(workspace, slug));
    await clearOutputs(
      workspace.root,
      request,
      environments.map((one) => ({ stack: slug, environment: one.slug })),
    );
    return slug;
  });
}

/** Remembers stack and environment on this machine, for commands that are not told. */
export async function selectStack(
  request: StackRequest,
  wish: StackWish,
): Promise<{ readonly stack: string; readonly environment?: string }> {
  const workspace = await open(request);
  const stack = await chooseStack(workspace, wish, request);
  const environment =
    wish.environment === undefined ? undefined : await findEnvironment(workspace, stack.slug, wish.environment, request.cwd);
  await select(workspace, stack.slug, environment?.slug, request.cwd);
  return { stack: stack.slug, ...(environment === undefined ? {} : { environment: environment.slug }) };
}

export async function listEnvironments(request: StackRequest, wish: StackWish): Promise<readonly EnvironmentEntry[]> {
  const { workspace, stack } = await openStack(request, wish);
  const all = await readEnvironments(workspace, stack.slug, request.cwd);
  return Promise.all(all.map((environment) => environmentEntry(workspace, stack, environment, request)));
}

export async function showEnvironment(
  request: StackRequest,
  wish: StackWish,
): Promise<EnvironmentEntry & { readonly values: Environment["settings"] }> {
  const { workspace, stack } = await openStack(request, wish);
  const environment = await chooseEnvironment(workspace, stack, wish, request);
  return { ...(await environmentEntry(workspace, stack, environment, request)), values: environment.settings };
}

/** Makes an environment, with the settings and secrets of another one when `copyOf` names it. */
export async function newEnvironment(request: StackRequest, wish: StackWish, name: string, copyOf?: string): Promise<EnvironmentEntry> {
  const { workspace, stack } = await openStack(request, wish);
  checkName(name, "environment");
  return changing(workspace, async () => {
    const all = await readEnvironments(workspace, stack.slug, request.cwd);
    refuseTwin(all, name);
    const from = copyOf === undefined ? undefined : await findEnvironment(workspace, stack.slug, copyOf, request.cwd);
    const made: Environment = { slug: slugOf(name, new Set(all.map(({ slug }) => slug))), name, settings: from?.settings ?? new Map() };
    const dir = environmentDir(workspace, stack.slug, made.slug);
    if (from !== undefined) {
      const isOther = (path: string): boolean => !path.endsWith("env.json");
      await cp(environmentDir(workspace, stack.slug, from.slug), dir, { recursive: true, filter: isOther }).catch((cause: unknown) => {
        throw notWritten(dir, cause);
      });
    }
    await writeWhole(environmentFile(workspace, stack.slug, made.slug), formatEnvironment(made));
    return environmentEntry(workspace, stack, made, request);
  });
}

/** Gives an environment another name; its slug stays. */
export async function editEnvironment(request: StackRequest, wish: StackWish, name: string): Promise<EnvironmentEntry> {
  const { workspace, stack } = await openStack(request, wish);
  const { slug } = await chooseEnvironment(workspace, stack, wish, request);
  checkName(name, "environment");
  return changing(workspace, async () => {
    const all = await readEnvironments(workspace, stack.slug, request.cwd);
    refuseTwin(
      all.filter((one) => one.slug !== slug),
      name,
    );
    const edited = { ...(await findEnvironment(workspace, stack.slug, slug, request.cwd)), name };
    await writeWhole(environmentFile(workspace, stack.slug, slug), formatEnvironment(edited));
    return environmentEntry(workspace, stack, edited, request);
  });
}

export async function deleteEnvironment(request: StackRequest, wish: StackWish, name: string): Promise<string> {
  const { workspace, stack } = await openStack(request, wish);
  return changing(workspace, async () => {
    const { slug } = await findEnvironment(workspace, stack.slug, name, request.cwd);
    await removeTree(workspace, environmentDir(workspace, stack.slug, slug));
    await clearOutputs(workspace.root, request, [{ stack: stack.slug, environment: slug }]);
    return slug;
  });
}

function refuseTwin(all: readonly Environment[], name: string): void {
  if (!all.some((one) => one.name === name || one.slug === name)) return;
  throw inputError({ code: "environment-exists", message: `There is an environment ${name} already`, at: [], hint: "Choose another name" });
}

/** At once: a half of it is never read. */
async function removeTree(workspace: Workspace, dir: string): Promise<void> {
  const aside = join(workspace.state, `deleted-${process.hrtime.bigint()}`);
  try {
    await rename(dir, aside);
    await rm(aside, { recursive: true, force: true });
  } catch (cause) {
    throw notWritten(dir, cause);
  }
}

async function open({ cwd }: StackRequest): Promise<Workspace> {
  return openWorkspace(".", cwd);
}

async function openStack(request: StackRequest, wish: StackWish): Promise<{ readonly workspace: Workspace; readonly stack: Stack }> {
  const workspace = await open(request);
  return { workspace, stack: await chooseStack(workspace, wish, request) };
}

async function stackEntry(workspace: Workspace, stack: Stack, { cwd }: StackRequest): Promise<StackEntry> {
  const environments = await readEnvironments(workspace, stack.slug, cwd);
  const selected = (await readSelected(workspace, cwd)).stack === stack.slug;
  return { ...stack, environments: environments.map(({ slug }) => slug), selected };
}

async function environmentEntry(
  workspace: Workspace,
  { slug: stack }: Stack,
  { slug, name, settings }: Environment,
  { cwd }: StackRequest,
): Promise<EnvironmentEntry> {
  const selected = (await readSelected(workspace, cwd)).environments[stack] === slug;
  return { stack, slug, name, settings: [...settings.keys()], selected };
}
