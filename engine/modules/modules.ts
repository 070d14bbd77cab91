// dagger mod: starts a module, adds modules it depends on, and copies these beside it.
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { chmod, cp, mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { inputError } from "../../compiler/index.ts";
import { createEvaluator, displayName, type Evaluator, findModuleAt, type Module } from "../../runtime/cue/index.ts";
import {
  isVersion,
  type Modules,
  type ModuleVersion,
  moduleError,
  nameOf,
  newest,
  openModules,
  pathProblem,
  splitModule,
} from "../../runtime/modules/index.ts";
import { asset } from "../assets.ts";
import type { Surroundings } from "../request.ts";
import { version } from "../version.ts";
import { formatCue } from "./module-text.ts";

export interface ModuleRequest extends Surroundings {
  /** A directory of the module. */
  readonly dir: string;
  readonly offline?: boolean;
  readonly signal?: AbortSignal;
}

/** What dagger writes at the top of cue.mod/local-module.cue, so that it knows its own file again. */
const mark = "// Made by `dagger mod vendor`: modules are taken from cue.mod/vendor. Remove both to use registries again.\n";
/** The first that knows replaceWith. */
const replacingLanguage = "v0.17.0";

/** DAGGER_OFFLINE is as good as the flag. */
export function isOffline(request: { readonly offline?: boolean; readonly env: ModuleRequest["env"] }): boolean {
  return request.offline ?? /^(1|t|true|yes|on)$/i.test(request.env["DAGGER_OFFLINE"] ?? "");
}

/** Writes cue.mod/module.cue for a new module. Returns its file. Throws UserError (2). */
export async function initModule(
  request: ModuleRequest & { readonly module: string },
): Promise<{ readonly module: string; readonly file: string }> {
  const { path, version: major = "v0" } = splitModule(request.module);
  const problem = /^v(0|[1-9]\d*)$/.test(major) ? pathProblem(path) : "what follows @ is a major version, e.g. @v0";
  if (problem !== undefined) {
    throw inputError({
      code: "bad-module",
      message: `Cannot use ${JSON.stringify(request.module)} as a module path: ${problem}`,
      at: [],
      hint: "A module path looks like example.com/name",
    });
  }
  const dir = resolve(request.cwd, request.dir);
  const file = join(dir, "cue.mod", "module.cue");
  if (existsSync(file))
    throw inputError({
      code: "module-exists",
      message: `There is a module already: ${file}`,
      at: [],
      hint: "Add modules to it with `dagger mod get`",
    });
  await mkdir(join(dir, "cue.mod"), { recursive: true });
  const module = `${path}@${major}`;
  await writeAtomically(file, formatCue({ module, language: { version: version.cue }, source: { kind: "self" } }));
  return { module, file };
}

/** Adds modules to deps, or changes their versions, with all that they need. Returns what deps has now. Throws UserError (2, 3). */
export async function getModules(request: ModuleRequest & { readonly modules: readonly string[] }): Promise<readonly ModuleVersion[]> {
  return withModule(request, async (module, modules, evaluator) => {
    const asked = newest(await Promise.all(request.modules.map((name) => chooseVersion(name, modules))));
    const build = modules.resolver.build(module);
    // What is asked for by name wins over what was there, so that one can go back.
    const roots = new Map([...build.roots, ...asked]);
    const needed = await closure(roots.values(), async (dep) => (await build.fileOf(dep)).deps);
    for (const [name, { version: wanted }] of asked) {
      const chosen = needed.get(name)?.version;
      if (chosen !== undefined && chosen !== wanted) {
        throw inputError({
          code: "module-version",
          message: `${name} cannot be ${wanted}: another module needs ${chosen}`,
          at: [],
          hint: `Take ${chosen}, or an older version of what needs it`,
        });
      }
    }
    const file = join(module.root, "cue.mod", "module.cue");
    const deps = Object.fromEntries([...needed].map(([name, { version: chosen }]) => [name, chosen]));
    const text = { name: displayName(file, request.cwd), text: readFileSync(file, "utf8") };
    await writeAtomically(file, await evaluator.withDeps(text, deps));
    return [...needed.values()].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  });
}

/** Where a module of a registry lies in cue's cache, which it is fetched into first. Throws UserError (2, 3). */
export async function placeModule(
  request: Surroundings & { readonly offline?: boolean; readonly signal?: AbortSignal; readonly module: string; readonly version: string },
): Promise<{ readonly dir: string; readonly version: string }> {
  const evaluator = await createEvaluator({ wasm: asset("cue.wasm"), follow: [] });
  try {
    const modules = openModules({ ...request, offline: isOffline(request), evaluator });
    const chosen = await chooseVersion(`${request.module.split("@")[0]}@${request.version}`, modules);
    const nobody: Module = { root: request.cwd, path: "", major: "", version: "", deps: {}, defaults: {} };
    return { dir: (await modules.resolver.build(nobody).place(chosen)).dir, version: chosen.version };
  } finally {
    await evaluator.close();
  }
}

/** Copies every module of the build below cue.mod/vendor and says so in cue.mod/local-module.cue, which cue reads, too. Throws UserError (2, 3). */
export async function vendorModules(request: ModuleRequest): Promise<readonly ModuleVersion[]> {
  return withModule(request, async (module, modules) => {
    const cueMod = join(module.root, "cue.mod");
    const localFile = join(cueMod, "local-module.cue");
    if (existsSync(localFile) && !readFileSync(localFile, "utf8").startsWith(mark)) {
      throw inputError({
        code: "module-vendor",
        message: `${localFile} is not made by dagger, and would be lost`,
        at: [],
        hint: "Move it away first",
      });
    }
    // Without what an earlier vendoring says: that would be copied from itself.
    const { local: _, ...file } = module.file ?? { name: "cue.mod/module.cue", data: {} };
    const build = modules.resolver.build({ ...module, file });
    const all = [...(await closure(build.roots.values(), async (dep) => (await build.fileOf(dep)).deps)).values()];
    const fresh = join(cueMod, `vendor.${randomBytes(6).toString("hex")}`);
    try {
      await mkdir(fresh, { recursive: true });
      for (const dep of all) await copyTree((await build.place(dep)).dir, join(fresh, ...nameOf(dep).split("/")));
      await rm(join(cueMod, "vendor"), { recursive: true, force: true });
      await rename(fresh, join(cueMod, "vendor"));
    } finally {
      await rm(fresh, { recursive: true, force: true });
    }
    const deps = Object.fromEntries(all.map((dep) => [nameOf(dep), { v: dep.version, replaceWith: `./cue.mod/vendor/${nameOf(dep)}` }]));
    await writeAtomically(localFile, `${mark}\n${formatCue({ language: { version: replacingLanguage }, deps })}`);
    return all.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  });
}

/** `path@latest`, `path`, `path@v1`, `path@v1.2` (the newest of these) or `path@v1.2.3`. Throws UserError (2, 3). */
export async function chooseVersion(name: string, modules: Modules): Promise<ModuleVersion> {
  const { path, version: wanted = "latest" } = splitModule(name);
  const problem = pathProblem(path);
  if (problem !== undefined)
    throw inputError({
      code: "bad-module",
      message: `${JSON.stringify(name)} is not a module: ${problem}`,
      at: [],
      hint: "Write MODULE@VERSION, e.g. example.com/lib@v1.2.3 or example.com/lib@latest",
    });
  if (isVersion(wanted)) return { path, version: wanted };
  if (wanted !== "latest" && !/^v\d+(\.\d+)?$/.test(wanted)) {
    throw inputError({
      code: "bad-module",
      message: `${JSON.stringify(wanted)} is not a version`,
      at: [],
      hint: "Write v1.2.3, v1.2, v1 or latest",
    });
  }
  const known = (await (await modules.registry()).versions(path)).filter(
    (v) => wanted === "latest" || v === wanted || v.startsWith(`${wanted}.`),
  );
  const chosen = known.filter((v) => !v.includes("-")).at(-1) ?? known.at(-1);
  if (chosen === undefined)
    throw moduleError(
      2,
      "module-not-found",
      `the registry has no version of ${name}`,
      "check the path, and that CUE_REGISTRY names the registry that has it",
    );
  return { path, version: chosen };
}

/** Minimal version selection over everything that is needed. */
async function closure(
  roots: Iterable<ModuleVersion>,
  needs: (dep: ModuleVersion) => Promise<readonly ModuleVersion[]>,
): Promise<Map<string, ModuleVersion>> {
  const seen = new Map<string, ModuleVersion>();
  let next = [...roots];
  while (next.length > 0) {
    for (const dep of next) seen.set(`${dep.path}@${dep.version}`, dep);
    const more = (await Promise.all(next.map(needs))).flat();
    next = [...new Map(more.map((dep) => [`${dep.path}@${dep.version}`, dep])).values()].filter(
      (dep) => !seen.has(`${dep.path}@${dep.version}`),
    );
  }
  return newest(seen.values());
}

async function withModule<T>(
  request: ModuleRequest,
  work: (module: Module, modules: Modules, evaluator: Evaluator) => Promise<T>,
): Promise<T> {
  const evaluator = await createEvaluator({ wasm: asset("cue.wasm"), follow: [] });
  try {
    const dir = resolve(request.cwd, request.dir);
    const module = await findModuleAt(dir, request.cwd, evaluator);
    if (module?.file === undefined) throw noModule(dir);
    return await work(module, openModules({ ...request, offline: isOffline(request), evaluator }), evaluator);
  } finally {
    await evaluator.close();
  }
}

export function noModule(dir: string): Error {
  return inputError({
    code: "no-module",
    message: `There is no cue.mod/module.cue in ${dir} or above it`,
    at: [],
    hint: "Start a module: dagger mod init example.com/name",
  });
}

/** Modules in the cache are read-only; a copy belongs to the user. */
async function copyTree(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) await copyTree(source, target);
    else if (entry.isFile()) {
      await cp(source, target);
      await chmod(target, 0o644);
    }
  }
}

async function writeAtomically(file: string, text: string): Promise<void> {
  const temporary = `${file}.${randomBytes(6).toString("hex")}`;
  try {
    await writeFile(temporary, text, { flag: "wx" });
    await rename(temporary, file);
  } finally {
    await rm(temporary, { force: true });
  }
}
