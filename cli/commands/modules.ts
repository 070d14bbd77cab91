// dagger mod init, get and vendor.
import type { Context, OutputFormat } from "../context.ts";
import { surroundings } from "../context.ts";
import { formatJson } from "../output/table.ts";

export interface ModuleFlags {
  readonly output: OutputFormat;
  readonly dir?: string;
  readonly offline?: boolean;
}

export async function initCommand(context: Context, module: string, dir: string | undefined, { output }: ModuleFlags): Promise<void> {
  const { initModule } = await import("../../engine/index.ts");
  const made = await initModule({ ...surroundings(context), dir: dir ?? ".", module });
  context.io.stdout.write(output === "json" ? formatJson(made) : `Module ${made.module} in ${made.file}\n`);
}

export async function getCommand(context: Context, modules: readonly string[], flags: ModuleFlags): Promise<void> {
  const { getModules } = await import("../../engine/index.ts");
  const { signal } = context;
  list(context, flags, await getModules({ ...surroundings(context), signal, dir: flags.dir ?? ".", modules }));
}

export async function vendorCommand(context: Context, flags: ModuleFlags): Promise<void> {
  const { vendorModules } = await import("../../engine/index.ts");
  const { offline } = flags;
  const request = { ...surroundings(context), signal: context.signal, dir: flags.dir ?? ".", ...(offline !== undefined && { offline }) };
  list(context, flags, await vendorModules(request));
}

/** The modules that there are now, one a line. */
function list({ io }: Context, { output }: ModuleFlags, modules: readonly { readonly path: string; readonly version: string }[]): void {
  if (output === "json") io.stdout.write(formatJson({ modules }));
  else for (const { path, version } of modules) io.stdout.write(`${path}@${version}\n`);
}
