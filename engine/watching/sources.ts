// What a watch has to do with the sources of its workspace: whether they are all that it follows, and what following them is asked for.
import { readdirSync, statSync } from "node:fs";
import { resolve } from "node:path";
import type { FollowRequest } from "../following/index.ts";
import { sourcesDir } from "../sources/source.ts";
import { at, rootOf } from "../workspace/find.ts";
import type { WatchRequest } from "./events.ts";

/** Whether it is about sources and nodes, and no config: that is asked for, or there is no config where one is looked for. */
export function isOnlyData({ sources, stack, cwd, dir }: Pick<WatchRequest, "sources" | "stack" | "cwd" | "dir">): boolean {
  if (sources !== undefined || stack !== undefined) return sources === "only";
  const root = rootOf({ cwd, dir });
  if (root === undefined || hasFiles(resolve(cwd, dir), ".cue")) return false;
  return hasFiles(sourcesDir(at(root)), ".json");
}

function hasFiles(path: string, ending: string): boolean {
  try {
    return statSync(path).isFile() || readdirSync(path).some((name) => name.endsWith(ending));
  } catch {
    return false;
  }
}

/** The workspace is that of the config. */
export function followRequest(request: WatchRequest): FollowRequest {
  const {
    env,
    store,
    allowHost,
    buildkit,
    tls,
    signal,
    locked,
    sourcePolicy,
    cacheFrom,
    cacheTo,
    noCache,
    poll,
    workers,
    queue,
    onConflict,
  } = request;
  const given = { store, allowHost, buildkit, tls, locked, sourcePolicy, cacheFrom, cacheTo, noCache, poll, workers, queue, onConflict };
  const said = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Partial<typeof given>;
  return { env, cwd: rootOf(request) ?? request.cwd, signal, ...(said as Partial<FollowRequest>) };
}
