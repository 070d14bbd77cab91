// Sources that lie in one another: what is put into one changes the other, too.
import { existsSync, realpathSync } from "node:fs";
import { directoryOf } from "./ask/path.ts";
import type { Source } from "./source.ts";

/** Those of these sources whose places, or parts of them, others of them are in: what is put into `into` changes them, too. Without `into` themselves. */
export function meeting(into: readonly Source[], sources: readonly Source[], root: string): readonly Source[] {
  const names = new Set(into.map(({ name }) => name));
  const places = into.map((source) => placeOf(source, root));
  return sources.filter((source) => !names.has(source.name) && places.some((place) => meet(place, placeOf(source, root))));
}

/** Whether a source has something of what lies in a directory of this machine. */
export function meetsDirectory(source: Source, dir: string, root: string): boolean {
  return source.kind === "path" && meet(placeOf(source, root), directoryPlace(dir));
}

/** From the whole to the part: of two places that meet, one begins with the other. */
type Place = readonly string[];

function placeOf(source: Source, root: string): Place {
  const { kind, location, tag = "", path = "" } = source;
  if (kind === "path") return directoryPlace(directoryOf(source, root));
  // What is pushed to a branch is another version of all of it.
  if (kind === "git") return [kind, location.replace(/\/+$/, ""), tag];
  return [kind, location.replace(/\/+$/, ""), ...(kind === "s3" ? [] : [tag]), ...steps(path)];
}

/** By its real path, as far as it is there. */
function directoryPlace(dir: string): Place {
  return ["path", ...steps(existsSync(dir) ? realpathSync(dir) : dir)];
}

function steps(path: string): readonly string[] {
  return path.split("/").filter((step) => step !== "" && step !== ".");
}

function meet(one: Place, other: Place): boolean {
  return one.every((step, at) => at >= other.length || step === other[at]);
}
