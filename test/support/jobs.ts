// What tests of whole jobs share: session services around the busybox image, and programs for containers.
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import type { SessionServices } from "../../runtime/session/index.ts";
import type { TestLayout } from "./images.ts";

/** Services that offer the busybox image as the store `busybox`, and nothing else. */
export function sessionServices(layout: TestLayout, more: Partial<SessionServices> = {}): SessionServices {
  return {
    sharedKey: "test",
    name: "test",
    locals: new Map(),
    secrets: async () => undefined,
    layouts: new Map([["busybox", layout.dir]]),
    ...more,
  };
}

/** Fills `dir` with a program of this machine and the libraries it needs, to be run by `DIR/run` in any container. */
export function portableProgram(dir: string, program: string): void {
  fs.mkdirSync(dir, { recursive: true });
  const real = execFileSync("which", [program], { encoding: "utf8" }).trim();
  const needed = execFileSync("ldd", [real], { encoding: "utf8" });
  const libraries = [...needed.matchAll(/(\/\S+)/g)].map((match) => match[1] as string);
  for (const file of [real, ...libraries]) fs.copyFileSync(file, path.join(dir, path.basename(file)));
  const loader = libraries.map((file) => path.basename(file)).find((name) => name.startsWith("ld-linux")) as string;
  const script = `#!/bin/sh\nhere=$(dirname "$0")\nexec "$here/${loader}" --library-path "$here" "$here/${path.basename(real)}" "$@"\n`;
  fs.writeFileSync(path.join(dir, "run"), script, { mode: 0o755 });
}
