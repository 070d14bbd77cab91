// dagger doc.
import type { Context } from "../context.ts";
import { surroundings } from "../context.ts";
import { docMarkdown, docText } from "../output/doc.ts";
import { formatJson } from "../output/table.ts";

export interface DocFlags {
  readonly offline?: boolean;
  readonly output: "text" | "markdown" | "json";
}

export async function docCommand(context: Context, what: string, { offline, output }: DocFlags): Promise<void> {
  const { documentPackage } = await import("../../engine/index.ts");
  const doc = await documentPackage({
    ...surroundings(context),
    what,
    ...(offline !== undefined && { offline }),
    signal: context.signal,
  });
  const shown = { json: formatJson, markdown: docMarkdown, text: docText }[output];
  context.io.stdout.write(shown(doc));
}
