// dagger target render and list.
import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { UserError } from "../../engine/index.ts";
import { type Context, type OutputFormat, type ReadingFlags, readingOf, surroundings } from "../context.ts";
import { wantsColour } from "../io.ts";
import { formatWarning } from "../output/errors.ts";
import { createStyle } from "../output/style.ts";
import { formatJson, formatTable } from "../output/table.ts";
import { placeOf } from "../stack.ts";

export interface TargetFlags extends ReadingFlags {
  readonly output: OutputFormat;
}

export interface RenderFlags extends ReadingFlags {
  readonly target?: readonly string[];
  readonly out?: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly image?: readonly string[];
}

/** The file on stdout or where --out says; what is left out there on stderr. */
export async function renderTargetCommand(context: Context, target: string, dir: string | undefined, flags: RenderFlags): Promise<void> {
  const { loadTargets } = await import("../../engine/index.ts");
  const { io, signal } = context;
  const { name, namespace } = flags;
  const { renderTarget } = await loadTargets();
  const { text, losses } = await renderTarget({
    ...surroundings(context),
    ...(await placeOf(context, dir, flags)),
    ...readingOf(flags),
    target,
    targets: flags.target ?? [],
    images: flags.image ?? [],
    ...(name === undefined ? {} : { name }),
    ...(namespace === undefined ? {} : { namespace }),
    signal,
  });
  const style = createStyle(wantsColour(io.stderr, io.env));
  for (const { code, message, at } of losses) io.stderr.write(formatWarning({ code, message, detail: [], at }, style));
  if (flags.out === undefined) io.stdout.write(text);
  else await write(resolve(io.cwd, flags.out), flags.out, text);
}

async function write(file: string, shown: string, text: string): Promise<void> {
  try {
    await writeFile(file, text);
  } catch (error) {
    const message = `Cannot write ${shown}: ${(error as Error).message}`;
    throw new UserError(3, [{ code: "target-not-written", message, at: [], hint: "Name a file in a directory that you may write to" }]);
  }
}

/** What can be written, then what the config says. */
export async function listTargetsCommand(context: Context, dir: string | undefined, flags: TargetFlags): Promise<void> {
  const { loadTargets } = await import("../../engine/index.ts");
  const { listTargets } = await loadTargets();
  const place = await placeOf(context, dir, flags);
  const found = await listTargets({ ...surroundings(context), ...place, ...readingOf(flags), signal: context.signal });
  const { stdout } = context.io;
  if (flags.output === "json") {
    stdout.write(formatJson(found));
    return;
  }
  const titles = new Map(found.kinds.map(({ kind, title }) => [kind, title]));
  const rows = found.targets.map(({ path, kind, components }) => [
    path,
    titles.get(kind) ?? kind,
    components.join(", ") || "all tasks and daemons",
  ]);
  const kinds = found.kinds.map(({ kind, title }) => [kind, title, "all tasks and daemons"]);
  stdout.write(formatTable([["TARGET", "SYSTEM", "COMPONENTS"], ...kinds, ...rows]));
}
