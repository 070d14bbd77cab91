// Opens what commands about data work with: the workspace, its sources, and the store that remembers their versions.
import { storeOf } from "../history/place.ts";
import type { Store } from "../store/index.ts";
import { openShared } from "../store/shared.ts";
import type { Workspace } from "../workspace/find.ts";
import { openWorkspace } from "../workspace/workspace.ts";
import { readSources, type Source } from "./source.ts";
import type { SourceRequest } from "./versions.ts";

export interface Data {
  readonly workspace: Workspace;
  readonly sources: readonly Source[];
  readonly store: Store;
}

/** Runs `use` with the data of the workspace around the request's directory. Throws UserError (2) `no-workspace`, and those of the store. */
export async function withData<T>(
  { cwd, store: choice, onNotice }: Pick<SourceRequest, "cwd" | "store" | "onNotice">,
  use: (data: Data) => Promise<T>,
): Promise<T> {
  const workspace = await openWorkspace(".", cwd);
  const sources = await readSources(workspace, cwd);
  const place = storeOf(workspace.root, choice);
  const store = await openShared({ ...place, now: Date.now, ...(onNotice === undefined ? {} : { onNotice }) });
  try {
    return await use({ workspace, sources, store });
  } finally {
    await store.close();
  }
}
