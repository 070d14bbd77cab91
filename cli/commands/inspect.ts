// dagger inspect: what a version was made from, as JSON, as a graph, or as provenance.
import type { Context } from "../context.ts";
import { surroundings } from "../context.ts";
import { UsageError } from "../failure.ts";
import { clean } from "../output/lines.ts";
import { formatJson } from "../output/table.ts";

export async function inspectCommand(
  context: Context,
  version: string,
  { dot = false, slsa = false }: { readonly dot?: boolean; readonly slsa?: boolean },
): Promise<void> {
  if (dot && slsa) {
    throw new UsageError({
      code: "conflicting-flags",
      message: "Only one of --dot and --slsa says what is printed",
      at: [],
      hint: "Leave one of them out",
    });
  }
  const { loadManifest } = await import("../../engine/index.ts");
  const { dotOf, manifestOf, slsaOf } = await loadManifest();
  const manifest = await manifestOf({ ...surroundings(context), signal: context.signal }, version);
  const { stdout, stderr } = context.io;
  if (dot) return stdout.write(dotOf(manifest));
  if (slsa) return stdout.write(formatJson(slsaOf(manifest)));
  stderr.write(`# manifest for ${clean(manifest.of)}\n`);
  stdout.write(formatJson(manifest.records));
}
