// dagger image: the store of images for machines without a registry.
import type { Context, OutputFormat } from "../context.ts";
import { formatJson, formatTable } from "../output/table.ts";
import { bytes } from "../output/units.ts";

export interface ImportFlags {
  readonly env?: readonly string[];
  readonly workdir?: string;
  readonly user?: string;
  readonly entrypoint?: readonly string[];
  readonly cmd?: readonly string[];
  readonly platform?: string;
  readonly output: OutputFormat;
}
