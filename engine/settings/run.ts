// A stack's environment made ready for a run: where its config is, and what is set.
import type { StackRun, Surroundings } from "../request.ts";
import type { StackWish } from "../stacks/choice.ts";
import { chooseEnvironment, chooseStack, namedStack } from "../stacks/choice.ts";
import type { Environment } from "../stacks/environment.ts";
import { withGiven } from "../stacks/given.ts";
import { findConfig } from "../stacks/source.ts";
import type { Stack } from "../stacks/stack.ts";
import type { Workspace } from "../workspace/find.ts";
import { findWorkspace } from "../workspace/find.ts";
import { openWorkspace } from "../workspace/workspace.ts";
import { flagsOf } from "./fills.ts";

export interface StackRunRequest extends Surroundings, StackWish {
  readonly offline?: boolean;
  readonly signal?: AbortSignal;
}

/** What becomes part of a request: spread it over one. */
export interface ReadyStack {
  /** Absolute directory of the config. */
  readonly dir: string;
  readonly stack: StackRun;
  /** As `--secret` and `--ssh` take them. */
  readonly secrets: readonly string[];
  readonly ssh: readonly string[];
}

/** All that is known of a chosen environment. */
export interface OpenStack {
  readonly workspace: Workspace;
  readonly stack: Stack;
  readonly environment: Environment;
}

/**
 * The stack that a run is about: that of `stack` and `environment`, DAGGER_STACK and DAGGER_ENV, or the one that was selected; undefined
 * when nothing says that the run is about a stack. Throws UserError (2) when the stack, environment or config is not there, (3) when a
 * config cannot be fetched.
 */
export async function readyStack(request: StackRunRequest): Promise<ReadyStack | undefined> {
  const { env, cwd } = request;
  const asked = request.stack !== undefined || request.environment !== undefined || Boolean(env["DAGGER_STACK"]);
  if (!asked) {
    const workspace = findWorkspace(cwd);
    if (workspace === undefined || (await namedStack(workspace, {}, request)) === undefined) return undefined;
  }
  const open = await openStack(request);
  const { dir, cached } = await findConfig(open.workspace, open.stack, request);
  return { dir, ...runOf(open, cached) };
}

/** Throws UserError (2) when there is no workspace, stack or environment that is meant. */
export async function openStack(request: StackRunRequest): Promise<OpenStack> {
  const workspace = await openWorkspace(".", request.cwd);
  const stack = await chooseStack(workspace, request, request);
  const environment = await chooseEnvironment(workspace, stack, request, request);
  const settings = await withGiven(workspace, environment.slug, environment.settings, request);
  return { workspace, stack, environment: { ...environment, settings } };
}

/** How a run sees an environment. */
export function runOf({ workspace: { root }, stack, environment }: OpenStack, cached: boolean): Omit<ReadyStack, "dir"> {
  const { settings } = environment;
  return { stack: { stack: stack.slug, environment: environment.slug, root, cached, settings }, ...flagsOf(settings, root) };
}
