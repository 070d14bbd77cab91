// dagger init.
import type { Context, OutputFormat } from "../context.ts";
import { surroundings } from "../context.ts";
import { clean } from "../output/lines.ts";
import { formatJson, formatTable } from "../output/table.ts";

export interface InitFlags {
  readonly template?: string;
  readonly templates?: boolean;
  readonly output: OutputFormat;
}

export async function initCommand(context: Context, dir: string, flags: InitFlags): Promise<void> {
  const { initWorkspace, listTemplates } = await (await import("../../engine/index.ts")).loadStacks();
  const { stdout, stderr } = context.io;
  if (flags.templates === true) {
    const templates = await listTemplates();
    stdout.write(flags.output === "json" ? formatJson(templates) : formatTable(templates.map(({ name, about }) => [name, about])));
    return;
  }
  const { template } = flags;
  const { workspace, files, inside } = await initWorkspace({
    ...surroundings(context),
    dir,
    ...(template === undefined ? {} : { template }),
  });
  if (flags.output === "json") stdout.write(formatJson({ root: workspace.root, files, ...(inside === undefined ? {} : { inside }) }));
  else {
    stdout.write(`${clean(workspace.root)} is a workspace now\n`);
    for (const file of files) stdout.write(`  ${clean(file)}\n`);
  }
  if (inside !== undefined) stderr.write(`It lies in the workspace ${clean(inside)}: from here on down this one is found, not that one\n`);
}
