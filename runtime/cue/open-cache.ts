// Where evaluations of earlier runs are kept on this machine, and when they count: only for the very same program.
import path from "node:path";
import { cacheDir, type Environment } from "../directories.ts";
import { Cache } from "./cache.ts";
import { readStamp } from "./snapshot/file.ts";

/** Below the user's cache directory. */
export function evaluationsDir(env: Environment): string {
  return path.join(cacheDir(env), "cue");
}

/**
 * `version` is dagger's; `code` is where its own code lies: the names of bundled files have the digest of their contents in them. Undefined
 * where there is no cache: switched off by DAGGER_CUE_CACHE=off, or run from source, where nothing tells one program from the next.
 */
export function openCache(env: Environment, wasm: string, version: string, code: string): Cache | undefined {
  if (code.endsWith(".ts") || env["DAGGER_CUE_CACHE"] === "off") return undefined;
  const digest = readStamp(wasm);
  if (digest === undefined) return undefined;
  return new Cache({ dir: evaluationsDir(env), identity: `${version} ${path.basename(code)} ${digest}` });
}
