// Why a module cannot be had, in the words of the user: which module, at which registry, and what to do.
import { type ExitCode, UserError } from "../../compiler/diagnostic.ts";
import type { ModuleVersion } from "./version.ts";

export function moduleError(exit: ExitCode, code: string, message: string, hint: string, cause?: unknown): UserError {
  return new UserError(exit, [{ code, message, at: [], hint }], { cause });
}

export function shown({ path, version }: ModuleVersion): string {
  return `${path}@${version}`;
}

/** The download is not what it says it is: it is not used. */
export function damaged(module: ModuleVersion, why: string, cause?: unknown): UserError {
  return moduleError(
    3,
    "module-damaged",
    `the module ${shown(module)} is damaged: ${why}`,
    "run it again; if it stays, ask who publishes the module",
    cause,
  );
}
