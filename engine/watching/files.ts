// Single files that a run depends on beside its directories: the CUE files, files that inputs and secrets are read from, what its environment sets, dagger.lock.
import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { lookAgain, type Observation } from "../../runtime/cue/index.ts";
import { lockPath } from "../lock/lock-file.ts";
import type { UpRequest } from "../request.ts";
import { environmentFile } from "../stacks/environment.ts";
import { at } from "../workspace/find.ts";

type Given = Pick<UpRequest, "cwd" | "dir" | "inputs" | "typedInputs" | "secrets" | "stack">;

export class Files {
  readonly #digests = new Map<string, string>();
  #seen: readonly Observation[] = [];

  constructor(request: Given) {
    for (const path of givenFiles(request)) this.#digests.set(path, digestOf(path));
  }

  /** What of the disk decided what the config is. */
  looked(seen: readonly Observation[]): void {
    this.#seen = seen;
  }

  /** Directories in which something may change that matters. */
  get dirs(): ReadonlySet<string> {
    const config = this.#seen.map(([what, path]) => (what === "names" || what === "entries" ? path : dirname(path)));
    return new Set([...config, ...[...this.#digests.keys()].map(dirname)]);
  }

  /** Files of the config that are not as they were. From then on, what is there now counts. */
  configChanges(): string[] {
    const now = lookAgain(this.#seen);
    const changed = this.#seen.filter(([, , seen], i) => now[i]?.[2] !== seen);
    this.#seen = now;
    // A file that comes or goes is among the names of its directory.
    const files = changed.filter(([what]) => what === "bytes");
    return [...new Set((files.length === 0 ? changed : files).map(([, path]) => path))];
  }

  /** Other files that are not as they were. From then on, what is there now counts. */
  changes(): string[] {
    const changed: string[] = [];
    for (const [path, before] of this.#digests) {
      const now = digestOf(path);
      if (now === before) continue;
      this.#digests.set(path, now);
      changed.push(path);
    }
    return changed;
  }
}

/** Absolute. */
function givenFiles({ cwd, dir, inputs, typedInputs = [], secrets = [], stack }: Given): string[] {
  const after = (text: string): string => text.slice(text.indexOf("=") + 1);
  const typed = typedInputs.flatMap((one) => (one.kind === "file" || one.kind === "json" || one.kind === "yaml" ? [after(one.text)] : []));
  const found = [
    ...inputs.map(after).flatMap((value) => (value.startsWith("@") ? [value.slice(1)] : [])),
    ...typed,
    ...secrets.map(after).flatMap((value) => (value.startsWith("file:") ? [value.slice("file:".length)] : [])),
  ];
  const set = stack === undefined ? [] : [environmentFile(at(stack.root), stack.stack, stack.environment)];
  return [...found.map((path) => resolve(cwd, path)), ...set, lockPath(dir, cwd)];
}

/** Of a secret, too: it is kept in memory only. "" where nothing can be read, and of a pipe, which gives what is in it only once. */
function digestOf(path: string): string {
  try {
    if (!statSync(path).isFile()) return "";
    return createHash("sha256").update(readFileSync(path)).digest("base64");
  } catch {
    return "";
  }
}
