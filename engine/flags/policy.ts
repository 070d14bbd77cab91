// Reads the file of --source-policy.
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { inputError } from "../../compiler/index.ts";
import type { SourcePolicy } from "../../runtime/solve/index.ts";
import { parseSourcePolicy } from "../../runtime/solve/index.ts";

/** A relative path starts at `cwd`. Throws UserError (2) `bad-source-policy`. */
export async function readPolicy(file: string, cwd: string): Promise<SourcePolicy> {
  const text = await readFile(resolve(cwd, file), "utf8").catch((cause: unknown) => {
    const message = `Cannot read the source policy ${file}: ${(cause as Error).message}`;
    throw inputError({ code: "bad-source-policy", message, at: [], hint: "Check the path" });
  });
  return parseSourcePolicy(text, file);
}
