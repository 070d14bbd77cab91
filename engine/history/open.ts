// Opens the history of a workspace to read it, and finds the run or environment that is meant.
import { resolve } from "node:path";
import { inputError } from "../../compiler/index.ts";
import type { Surroundings } from "../request.ts";
import { chooseEnvironment, chooseStack, namedStack } from "../stacks/choice.ts";
import type { Run, Store } from "../store/index.ts";
import { openShared } from "../store/shared.ts";
import { at, findWorkspace, type Workspace } from "../workspace/find.ts";
import { openWorkspace } from "../workspace/workspace.ts";
import { envOf, isThere, storeOf } from "./place.ts";

export interface HistoryRequest extends Surroundings {
  /** Told of runs that were found interrupted. */
  readonly onNotice?: (text: string) => void;
}

/** Which runs are meant, as flags say it. */
export interface HistoryWish {
  readonly stack?: string;
  readonly environment?: string;
  /** Directory of a config outside of stacks; the request's without it. */
  readonly dir?: string;
}

/** The store of the workspace around the request's directory, or that of the request; undefined where nothing was recorded yet. Close it. */
export async function openHistory(request: HistoryRequest): Promise<{ readonly store: Store | undefined; readonly workspace: Workspace }> {
  const { cwd, onNotice } = request;
  // A store of one's own needs no workspace.
  const workspace = request.store === undefined ? await openWorkspace(".", cwd) : (findWorkspace(cwd) ?? at(cwd));
  const place = storeOf(workspace.root, request.store);
  if (!isThere(place)) return { store: undefined, workspace };
  return { store: await openShared({ ...place, now: Date.now, ...(onNotice === undefined ? {} : { onNotice }) }), workspace };
}

/** Runs `use` with that store. */
export async function withStore<T>(
  request: HistoryRequest,
  use: (store: Store | undefined, workspace: Workspace) => Promise<T>,
): Promise<T> {
  const { store, workspace } = await openHistory(request);
  try {
    return await use(store, workspace);
  } finally {
    await store?.close();
  }
}

/** The run with this id, the only one whose id begins so, or the `latest`. Throws UserError (2) `unknown-run`, `ambiguous-run`. */
export async function findRun(store: Store | undefined, wanted: string): Promise<Run> {
  const filter = wanted === "latest" ? { limit: 1 } : { prefix: wanted.toLowerCase(), limit: 5 };
  const runs = store === undefined || wanted === "" ? [] : (await store.runs.list(filter)).runs;
  const [found] = runs;
  if (found !== undefined && (runs.length === 1 || found.id === wanted)) return found;
  if (found === undefined) {
    const message = wanted === "latest" ? "No run was recorded yet" : `There is no run ${JSON.stringify(wanted)}`;
    throw inputError({ code: "unknown-run", message, at: [], hint: "See which there are: dagger history list" });
  }
  const ids = runs.slice(0, 4).map(({ id }) => id);
  throw inputError({
    code: "ambiguous-run",
    message: `Several runs begin with ${JSON.stringify(wanted)}: ${ids.join(", ")}${runs.length > 4 ? " and more" : ""}`,
    at: [],
    hint: "Write more of the id",
  });
}

/** The environment whose outputs are meant: that of the chosen stack, else the config in the request's directory. */
export async function chosenEnvironment(
  workspace: Workspace,
  wish: HistoryWish,
  request: HistoryRequest,
): Promise<{ readonly stack: string; readonly env: string }> {
  const named =
    wish.dir === undefined &&
    (wish.stack !== undefined || wish.environment !== undefined || (await namedStack(workspace, wish, request)) !== undefined);
  if (!named) return { stack: "", env: envOf(workspace.root, resolve(request.cwd, wish.dir ?? ".")) };
  const stack = await chooseStack(workspace, wish, request);
  return { stack: stack.slug, env: (await chooseEnvironment(workspace, stack, wish, request)).slug };
}
