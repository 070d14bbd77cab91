// dagger version.
import type { Context, OutputFormat } from "../context.ts";
import { formatJson, formatTable } from "../output/table.ts";

export async function versionCommand({ io }: Context, flags: { readonly output: OutputFormat }): Promise<void> {
  const { version } = await import("../../engine/version.ts");
  const versions = { ...version, node: process.versions.node };
  io.stdout.write(flags.output === "json" ? formatJson(versions) : formatTable(Object.entries(versions)));
}
