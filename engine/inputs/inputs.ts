// Reads `-i path=value` flags into fills of the config.
import { inputError } from "../../compiler/index.ts";
import type { Fill } from "../../runtime/cue/index.ts";

/**
 * `name=World` fills text (the field's CUE type decides how it is read), `name=@file` fills what the file holds.
 * Throws UserError (2) when the flag has no `=` or no path, or when the same path is given twice.
 */
export function parseInputs(flags: readonly string[], readFile: (path: string) => string): Fill[] {
  const seen = new Set<string>();
  return flags.map((flag) => {
    const cut = flag.indexOf("=");
    if (cut <= 0) {
      throw inputError({
        code: "bad-input-flag",
        message: `Cannot read input ${JSON.stringify(flag)}: expected path=value`,
        at: [],
        hint: "Write for example: -i name=World",
      });
    }
    const path = flag.slice(0, cut).trim();
    const text = flag.slice(cut + 1);
    if (seen.has(path)) {
      throw inputError({ code: "duplicate-input", message: `Input ${path} is given twice`, at: [], hint: "Keep one of the two -i flags" });
    }
    seen.add(path);
    return { path, text: text.startsWith("@") ? readInputFile(text.slice(1), path, readFile) : text, origin: `-i ${path}` };
  });
}

function readInputFile(file: string, path: string, readFile: (path: string) => string): string {
  try {
    return readFile(file);
  } catch (cause) {
    throw inputError({
      code: "input-file-not-found",
      message: `Cannot read the file ${JSON.stringify(file)} for input ${path}: ${(cause as Error).message}`,
      at: [],
      hint: "A value that starts with @ names a file; check its path",
    });
  }
}
