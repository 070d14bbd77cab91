// dagger image: the store of images for machines without a registry.
import type { Context, OutputFormat } from "../context.ts";
import { surroundings } from "../context.ts";
import { UsageError } from "../failure.ts";
import { formatJson, formatTable } from "../output/table.ts";
import { bytes, plural } from "../output/units.ts";

export interface ImportFlags {
  readonly env?: readonly string[];
  readonly workdir?: string;
  readonly user?: string;
  readonly entrypoint?: readonly string[];
  readonly cmd?: readonly string[];
  readonly platform?: string;
  /** Which image of an archive or layout that has several. */
  readonly name?: string;
  readonly output: OutputFormat;
}

/** Prints the reference and digest that are kept now. */
export async function importCommand(context: Context, ref: string, path: string, flags: ImportFlags): Promise<void> {
  const { io, signal } = context;
  const { output, env, platform, ...config } = flags;
  const options = {
    ...config,
    ...(env === undefined ? {} : { env: env.map(checkVariable) }),
    ...(platform === undefined ? {} : { platform: parsePlatform(platform) }),
    signal,
  };
  const { imageStore } = await import("../../engine/index.ts");
  const image = await imageStore(surroundings(context)).import(ref, path, options);
  if (output === "json") {
    io.stdout.write(formatJson(image));
    return;
  }
  const skipped = image.skipped.length;
  if (skipped > 0) io.stderr.write(`${plural(skipped, "path")} left out that an image cannot hold, e.g. ${image.skipped[0] ?? ""}\n`);
  io.stdout.write(`${image.ref}\n${image.digest}\n`);
}

export async function listCommand(context: Context, flags: { readonly output: OutputFormat }): Promise<void> {
  const { io } = context;
  const { imageStore } = await import("../../engine/index.ts");
  const images = await imageStore(surroundings(context)).list();
  if (flags.output === "json") {
    io.stdout.write(formatJson(images));
    return;
  }
  const rows = images.map((image) => [
    image.ref,
    image.platforms.map(platformText).join(","),
    bytes(image.size),
    image.digest.slice(0, "sha256:".length + 12),
    new Date(image.imported).toISOString().slice(0, 16).replace("T", " "),
  ]);
  io.stdout.write(formatTable([["REFERENCE", "PLATFORMS", "SIZE", "DIGEST", "IMPORTED (UTC)"], ...rows]));
}

export async function removeCommand(context: Context, refs: readonly string[]): Promise<void> {
  const { io } = context;
  const { imageStore } = await import("../../engine/index.ts");
  const store = imageStore(surroundings(context));
  for (const ref of refs) {
    await store.remove(ref);
    io.stdout.write(`${ref} was removed\n`);
  }
}

function checkVariable(text: string): string {
  if (text.indexOf("=") > 0) return text;
  throw new UsageError({
    code: "bad-flag-value",
    message: `Cannot read --env ${JSON.stringify(text)}: expected name=value`,
    at: [],
    hint: "Write for example: --env LANG=C.UTF-8",
  });
}

interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

function parsePlatform(text: string): Platform {
  const [os = "", architecture = "", variant, ...rest] = text.split("/");
  if (os === "" || architecture === "" || variant === "" || rest.length > 0) {
    throw new UsageError({
      code: "bad-flag-value",
      message: `Cannot read --platform ${JSON.stringify(text)}: expected os/architecture or os/architecture/variant`,
      at: [],
      hint: "Write for example: --platform linux/arm64",
    });
  }
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
}

function platformText({ os, architecture, variant }: Platform): string {
  return variant === undefined ? `${os}/${architecture}` : `${os}/${architecture}/${variant}`;
}
