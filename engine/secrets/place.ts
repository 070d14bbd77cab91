// Whose secrets are meant: those of the chosen environment, whose store lies beside its settings, or those of the whole workspace.
import { chooseEnvironment, chooseStack } from "../stacks/choice.ts";
import { environmentDir } from "../stacks/environment.ts";
import type { Workspace } from "../workspace/find.ts";
import { openWorkspace } from "../workspace/workspace.ts";
import type { SecretScope } from "./provider.ts";

/** Where the secrets of an environment, or of the workspace, are kept. */
export interface SecretPlace {
  readonly workspace: Workspace;
  /** Absolute: `.dagger/stacks/STACK/envs/ENV`, or `.dagger`. */
  readonly dir: string;
  /** As a person names it: `STACK/ENV`. */
  readonly name: string;
}

/** Throws UserError (2) when no workspace, stack or environment is chosen, or it is not there. */
export async function findPlace({ env, cwd, stack, environment, ofWorkspace }: SecretScope): Promise<SecretPlace> {
  const workspace = await openWorkspace(".", cwd);
  if (ofWorkspace === true) return { workspace, dir: workspace.dir, name: "the workspace" };
  const wish = { ...(stack === undefined ? {} : { stack }), ...(environment === undefined ? {} : { environment }) };
  const chosen = await chooseStack(workspace, wish, { env, cwd });
  const { slug } = await chooseEnvironment(workspace, chosen, wish, { env, cwd });
  return { workspace, dir: environmentDir(workspace, chosen.slug, slug), name: `${chosen.slug}/${slug}` };
}
