// The door of runtime/modules: CUE modules, from registries and from cue's cache.

import type { Evaluator } from "../cue/index.ts";
import type { Environment } from "../directories.ts";
import { cueCacheDir, ModuleCache } from "./cache.ts";
import { readRegistries } from "./registries.ts";
import { RegistryClient } from "./registry.ts";
import { CueModules } from "./resolver.ts";
import type { RegistryWait } from "./transfer.ts";

export { moduleError } from "./failure.ts";
export { newest } from "./module-file.ts";
export type { Place } from "./registries.ts";
export type { RegistryClient } from "./registry.ts";
export type { RegistryWait } from "./transfer.ts";
export { isVersion, type ModuleVersion, majorOf, nameOf, pathProblem, splitModule } from "./version.ts";

export interface ModulesOptions {
  readonly env: Environment;
  /** Where relative directories of the environment start; default process.cwd(). */
  readonly cwd?: string;
  /** Only what is in the cache is used. */
  readonly offline?: boolean;
  /** Milliseconds for which a registry may say nothing. */
  readonly patience?: number;
  readonly signal?: AbortSignal | undefined;
  /** Told when a registry is busy and is asked again in a while. */
  readonly onWait?: ((wait: RegistryWait) => void) | undefined;
  /** Reads configurations and module files. */
  readonly evaluator: Pick<Evaluator, "data" | "module">;
}

export interface Modules {
  readonly resolver: CueModules;
  /** Registries are looked up in the environment when they are first asked. Throws UserError (2). */
  registry(): Promise<RegistryClient>;
}

export function openModules(options: ModulesOptions): Modules {
  const { env, evaluator } = options;
  const readModule = async (file: { readonly name: string; readonly text: string }): Promise<unknown> =>
    (await evaluator.module(file)).raw[0];
  let opened: Promise<RegistryClient> | undefined;
  const registry = (): Promise<RegistryClient> => {
    opened ??= readRegistries(env, (file) => evaluator.data(file)).then((registries) => new RegistryClient({ ...options, registries }));
    return opened;
  };
  const dir = cueCacheDir(env);
  const identity = `${dir} ${env["CUE_REGISTRY"] ?? ""}`;
  return { resolver: new CueModules(new ModuleCache(dir, options.offline ? undefined : registry), readModule, identity), registry };
}
