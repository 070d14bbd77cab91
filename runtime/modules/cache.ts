// Modules on this machine: cue's own cache, in cue's layout and under cue's locks, so that both use what the other has fetched.
import { randomInt } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import fs from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";
import type { Environment } from "../directories.ts";
import { withLock } from "../lock.ts";
import { Slots } from "../slots.ts";
import { moduleError, shown } from "./failure.ts";
import type { RegistryClient } from "./registry.ts";
import { unzip } from "./unzip.ts";
import { escapeName, type ModuleVersion } from "./version.ts";

/** $CUE_CACHE_DIR, else `cue` in the user's cache directory, where cue has it. */
export function cueCacheDir(env: Environment): string {
  const own = env["CUE_CACHE_DIR"];
  if (own !== undefined && own !== "") return path.resolve(own);
  const home = env["HOME"] ?? homedir();
  const cache = process.platform === "darwin" ? path.join(home, "Library", "Caches") : env["XDG_CACHE_HOME"] || path.join(home, ".cache");
  return path.join(cache, "cue");
}

/** Modules that are fetched and unpacked side by side. */
const maxAtOnce = 8;

export class ModuleCache {
  readonly #dir: string;
  readonly #slots: Slots = new Slots(maxAtOnce);
  readonly #directories = new Map<string, Promise<string>>();
  /** Opens the way to the registries; undefined while offline. */
  readonly #registry: (() => Promise<RegistryClient>) | undefined;

  constructor(dir: string, registry: (() => Promise<RegistryClient>) | undefined) {
    this.#dir = path.join(dir, "mod");
    this.#registry = registry;
  }

  /** The text of a module's cue.mod/module.cue. Throws UserError (2, 3). */
  async moduleFile(module: ModuleVersion): Promise<{ readonly name: string; readonly text: string }> {
    const file = this.#file(module, "mod");
    const extracted = path.join(this.#extracted(module), "cue.mod", "module.cue");
    if (!existsSync(file) && this.#isComplete(module) && existsSync(extracted)) {
      // cue looks for it under this name, and would ask the registry. A cache that cannot be written to is still good for reading.
      await writeAtomically(file, (temporary) => fs.writeFile(temporary, readFileSync(extracted), { flag: "wx" })).catch(() => undefined);
      return { name: extracted, text: readFileSync(extracted, "utf8") };
    }
    if (existsSync(file)) return { name: file, text: readFileSync(file, "utf8") };
    const registry = await this.#reach(module);
    await this.#locked(module, async () => {
      if (existsSync(file)) return;
      const bytes = await registry.moduleFile(module);
      await writeAtomically(file, (temporary) => fs.writeFile(temporary, bytes, { flag: "wx" }));
    });
    return { name: file, text: readFileSync(file, "utf8") };
  }

  /** The directory with a module's files, which are there whole. Throws UserError (2, 3). */
  directory(module: ModuleVersion): Promise<string> {
    const known = this.#directories.get(shown(module)) ?? this.#fetch(module);
    this.#directories.set(shown(module), known);
    return known;
  }

  async #fetch(module: ModuleVersion): Promise<string> {
    const dir = this.#extracted(module);
    if (this.#isComplete(module)) return dir;
    const zip = this.#file(module, "zip");
    const registry = existsSync(zip) ? undefined : await this.#reach(module);
    await this.#locked(module, async () => {
      if (this.#isComplete(module)) return;
      if (!existsSync(zip) && registry) await writeAtomically(zip, (temporary) => registry.zip(module, temporary));
      await this.#extract(module, zip, dir);
    });
    return dir;
  }

  /** While `.partial` is there, nobody takes the directory for whole: so it is in cue. */
  async #extract(module: ModuleVersion, zip: string, dir: string): Promise<void> {
    const partial = this.#file(module, "partial");
    await removeTree(dir);
    await fs.mkdir(path.dirname(dir), { recursive: true });
    await fs.writeFile(partial, "");
    try {
      await unzip(zip, dir, module);
    } catch (error) {
      await removeTree(dir);
      await fs.rm(partial, { force: true });
      // It would be found damaged for ever.
      await fs.rm(zip, { force: true });
      throw error;
    }
    await fs.rm(partial);
    await protect(dir);
  }

  async #reach(module: ModuleVersion): Promise<RegistryClient> {
    if (this.#registry !== undefined) return this.#registry();
    throw moduleError(
      3,
      "module-offline",
      `the module ${shown(module)} is not on this machine, and --offline forbids to fetch it`,
      `run once without --offline, or run \`dagger mod vendor\` where there is a network and take along what it writes below cue.mod`,
    );
  }

  async #locked(module: ModuleVersion, work: () => Promise<void>): Promise<void> {
    try {
      await this.#slots.run(() => withLock(this.#file(module, "lock"), work));
    } catch (error) {
      if (!(error instanceof Error) || !("code" in error) || !("syscall" in error)) throw error;
      throw moduleError(
        3,
        "module-cache",
        `Cannot keep the module ${shown(module)} in ${this.#dir}: ${error.message}`,
        "free space there, or set CUE_CACHE_DIR to a directory that can be written to",
        error,
      );
    }
  }

  #isComplete(module: ModuleVersion): boolean {
    return (
      statSync(this.#extracted(module), { throwIfNoEntry: false })?.isDirectory() === true && !existsSync(this.#file(module, "partial"))
    );
  }

  #extracted({ path: modulePath, version }: ModuleVersion): string {
    return path.join(this.#dir, "extract", `${escapeName(modulePath)}@${escapeName(version)}`);
  }

  #file({ path: modulePath, version }: ModuleVersion, suffix: string): string {
    return path.join(this.#dir, "download", escapeName(modulePath), "@v", `${escapeName(version)}.${suffix}`);
  }
}

async function writeAtomically(file: string, write: (temporary: string) => Promise<void>): Promise<void> {
  await fs.mkdir(path.dirname(file), { recursive: true });
  const temporary = `${file}${randomInt(1e9)}.tmp`;
  try {
    await write(temporary);
    await fs.rename(temporary, file);
  } finally {
    await fs.rm(temporary, { force: true });
  }
}

/** Directories of the cache are read-only, as cue makes them. */
async function protect(dir: string): Promise<void> {
  for (const entry of await fs.readdir(dir, { withFileTypes: true })) if (entry.isDirectory()) await protect(path.join(dir, entry.name));
  await fs.chmod(dir, 0o555);
}

async function removeTree(dir: string): Promise<void> {
  const release = async (at: string): Promise<void> => {
    await fs.chmod(at, 0o777);
    for (const entry of await fs.readdir(at, { withFileTypes: true })) if (entry.isDirectory()) await release(path.join(at, entry.name));
  };
  await release(dir).catch(() => undefined);
  await fs.rm(dir, { recursive: true, force: true });
}
