// Finds the parts that `make build` puts beside the code: CUE as wasm, the in-container helper, our CUE library.
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { UserError } from "../compiler/index.ts";

let root: string | undefined;

/** The directory of the package: where package.json lies, above this file in a clone, in a bundle and once installed. */
export function packageRoot(): string {
  if (root !== undefined) return root;
  let dir = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(dir, "package.json"))) {
    const parent = dirname(dir);
    if (parent === dir) throw new Error("package.json of dagger not found above the code");
    dir = parent;
  }
  root = dir;
  return dir;
}

/** Path of a built part, e.g. `cue.wasm`. Throws UserError (3) when it was not built. */
export function asset(name: string): string {
  const path = join(packageRoot(), "dist", name);
  if (!existsSync(path)) {
    throw new UserError(3, [
      { code: "not-built", message: `A part of dagger is missing: ${name}`, at: [], hint: "Run `make build` in the clone of dagger" },
    ]);
  }
  return path;
}

/** The directory that holds our CUE library, `cuellb.dev`. */
export function libraryDir(): string {
  return join(packageRoot(), "packages");
}
