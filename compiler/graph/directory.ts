// Which directories of this machine a config may use.
import type { Diagnostic } from "../diagnostic.ts";
import { resolvePath } from "../llb/index.ts";
import { relativeInside } from "../ops/path.ts";
import type { OpBase } from "../ops/use.ts";
import type { BuildOptions } from "./built.ts";

/** Absolute path of a directory of the config; a problem when it leaves the workspace. */
export function checkDirectory(
  path: string,
  op: OpBase<string>,
  field: string,
  options: Pick<BuildOptions, "workspace" | "configDir" | "granted" | "destinations">,
  problems: Diagnostic[],
): string | undefined {
  const { workspace, configDir } = (field === "dest" ? options.destinations : undefined) ?? options;
  const dir = resolvePath(configDir, path);
  if (relativeInside(workspace, dir) !== undefined || options.granted?.includes(dir) === true) return dir;
  problems.push({
    code: "path-outside-workspace",
    message: `Path ${JSON.stringify(path)} leaves the workspace`,
    path: `${op.place.path}.${field}`,
    at: op.place.fields.get(field) ?? op.place.at,
    hint: "Only directories below the workspace (where cue.mod lies) can be used; relative paths start at the config's directory",
  });
  return undefined;
}
