// What is told when there is no package where one was to be read.
import { inputError } from "../../compiler/diagnostic.ts";
import { displayName } from "./files.ts";
import type { Import } from "./protocol.ts";
import type { Selected } from "./select.ts";

/** A path that leads nowhere. */
export function nothingThere(target: string, cwd: string): Error {
  return inputError({
    code: "cue-no-files",
    message: `${displayName(target, cwd)} does not exist`,
    at: [],
    hint: "Give a directory with CUE files, or one CUE file",
  });
}

/** A directory, or a file, without a package. */
export function noPackage(target: string, cwd: string, { leftOut }: Selected): Error {
  const asked = [...new Set(leftOut.flatMap((f) => f.scanned.tags))];
  const names = "Files named _*, .*, *_test.cue and *_tool.cue are not part of a package";
  return inputError({
    code: "cue-no-files",
    message:
      leftOut.length > 0 ? `Every CUE file in ${displayName(target, cwd)} is left out` : `No CUE files in ${displayName(target, cwd)}`,
    at: leftOut.map(({ name }) => ({ file: name, line: 1, column: 1 })),
    hint: asked.length > 0 ? `Their @if asks for tags: set them with --inject ${asked.join(" or --inject ")}` : names,
  });
}

/** A directory without the package that is imported. */
export function noFiles(wanted: Import, { leftOut }: Selected): Error {
  return inputError({
    code: "cue-import",
    message: `Package ${JSON.stringify(wanted.location)} has no files of package ${wanted.package}`,
    at: [wanted.at],
    hint:
      leftOut.length > 0
        ? `@if or @ignore leaves ${leftOut.map((f) => f.name).join(", ")} out`
        : `When the package has another name, write it after a colon: ${JSON.stringify(`${wanted.location}:NAME`)}`,
  });
}
