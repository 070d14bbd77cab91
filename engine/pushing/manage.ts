// Pushes as a person manages them: done at once, listed, and conflicts ended.
import { UserError } from "../../compiler/index.ts";
import { type Data, withData } from "../sources/open.ts";
import { findSource, type Source, unknownSource } from "../sources/source.ts";
import type { SourceRequest } from "../sources/versions.ts";
import { type Push, pushesOf } from "./records.ts";
import { pushOpen, type Resolution, resolveConflicts, type Settled } from "./waiting.ts";

/** Pushes what waits for these sources, or for all, and waits until that is done. What could not be pushed has an `error`. Throws UserError (2) `unknown-source`. */
export function pushSources(request: SourceRequest, names: readonly string[]): Promise<readonly Settled[]> {
  return withData(request, async (data) => {
    const done: Settled[] = [];
    for (const source of chosen(data, names)) {
      const scope = { ...request, workspace: data.workspace };
      done.push(...(await pushOpen(source, { scope, store: data.store })));
    }
    return done;
  });
}

/** What of these sources, or of all, is not pushed, the oldest first. Nobody is asked. Throws UserError (2) `unknown-source`. */
export function listPushes(request: SourceRequest, names: readonly string[]): Promise<readonly Push[]> {
  return withData(request, async (data) => {
    const all = await Promise.all(chosen(data, names).map(({ name }) => pushesOf(data.store, name, ["waiting", "conflict"])));
    return all.flat();
  });
}

/** Ends the conflicts of a source. One that cannot be ended so has an `error`. Throws UserError (2) `unknown-source`, `no-conflict`, `bad-resolution`. */
export function resolveSource(request: SourceRequest, name: string, by: Resolution): Promise<readonly Settled[]> {
  return withData(request, async ({ workspace, store }) => {
    const source = await findSource(workspace, name, request.cwd);
    return resolveConflicts(source, by, { scope: { ...request, workspace }, store });
  });
}

/** All that is wrong with pushes as one; undefined when nothing is. */
export function pushFailure(done: readonly Settled[]): UserError | undefined {
  const errors = done.flatMap(({ error }) => error ?? []);
  const [first] = errors;
  if (first === undefined) return undefined;
  const exit = errors.some((error) => error.exit === 1) ? 1 : 3;
  return new UserError(
    exit,
    errors.flatMap(({ diagnostics }) => diagnostics),
    { cause: first },
  );
}

function chosen({ sources }: Data, names: readonly string[]): readonly Source[] {
  const known = sources.map(({ name }) => name);
  for (const name of names) if (!known.includes(name)) throw unknownSource(name, known);
  return sources.filter(({ name, kind }) => kind === "git" && (names.length === 0 || names.includes(name)));
}
