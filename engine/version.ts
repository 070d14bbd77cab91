// The versions that matter to a bug report: ours, and those of CUE and BuildKit that are pinned.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "./assets.ts";

export interface Version {
  readonly dagger: string;
  readonly cue: string;
  readonly buildkit: string;
}

/** Read from package.json and the pins of tools/go.mod when it is asked for. */
export const version: Version = {
  get dagger() {
    return (JSON.parse(readFileSync(join(packageRoot(), "package.json"), "utf8")) as { version: string }).version;
  },
  get cue() {
    return pinned("cuelang.org/go");
  },
  get buildkit() {
    return pinned("github.com/moby/buildkit");
  },
};

function pinned(module: string): string {
  const pins = readFileSync(join(packageRoot(), "tools", "go.mod"), "utf8");
  const line = pins.split("\n").find((text) => text.trim().startsWith(`${module} v`));
  return line?.trim().split(/\s+/)[1] ?? "unknown";
}
