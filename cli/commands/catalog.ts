// dagger catalog search, show and add.
import type { Context, OutputFormat } from "../context.ts";
import { surroundings } from "../context.ts";
import { UsageError } from "../failure.ts";
import { foundNotes, foundText, pageText } from "../output/catalog.ts";
import { formatJson } from "../output/table.ts";
import { placeOf } from "../stack.ts";

export interface CatalogFlags {
  readonly output: OutputFormat;
  readonly offline?: boolean;
}

export interface AddFlags {
  readonly output: OutputFormat;
  readonly dir?: string;
}

export async function searchCommand(context: Context, words: readonly string[], flags: CatalogFlags): Promise<void> {
  const { searchCatalog } = await import("../../engine/index.ts");
  const found = await searchCatalog({ ...requestOf(context, flags), words });
  context.io.stdout.write(flags.output === "json" ? formatJson(found) : foundText(found));
  if (flags.output !== "json") context.io.stderr.write(foundNotes(found, words));
}

export async function showCommand(context: Context, what: string, flags: CatalogFlags): Promise<void> {
  const { showPackage } = await import("../../engine/index.ts");
  const page = await showPackage({ ...requestOf(context, flags), what });
  context.io.stdout.write(flags.output === "json" ? formatJson(page) : pageText(page));
}

export async function addCommand(context: Context, what: string, { output, dir: given }: AddFlags): Promise<void> {
  const { addPackage } = await import("../../engine/index.ts");
  const { dir, stack } = await placeOf(context, given, {});
  if (stack?.cached === true) {
    throw new UsageError({
      code: "conflicting-flags",
      message: `The config of the stack ${stack.stack} is a git repository's or a module's: nothing can be added to it here`,
      at: [],
      hint: "Name a directory with --dir",
    });
  }
  const added = await addPackage({ ...requestOf(context, {}), what, dir });
  const { io } = context;
  if (output === "json") {
    io.stdout.write(formatJson(added));
    return;
  }
  for (const path of added.imports) io.stdout.write(`import ${JSON.stringify(path)}\n`);
  if (added.added !== undefined) io.stderr.write(`${added.added.path}@${added.added.version} is in deps of cue.mod/module.cue\n`);
  if (added.imports.length === 0) io.stderr.write("The module has no packages\n");
  if (!added.hasModule) io.stderr.write("There is no cue.mod here: the library needs none, `dagger mod init` makes one\n");
}

function requestOf(context: Context, { offline }: Pick<CatalogFlags, "offline">) {
  return { ...surroundings(context), signal: context.signal, ...(offline !== undefined && { offline }) };
}
