// The images that leave a job: for each platform of each, the state at its op, made once more where that is another platform than the job's.
import { hash } from "node:crypto";
import type { Diagnostic } from "../diagnostic.ts";
import type { Definition, ImageOutput, ImagePlatform } from "../job.ts";
import { formatPlatform } from "../llb/index.ts";
import { stateConfig } from "../ops/image.ts";
import type { Program } from "../ops/program.ts";
import { showText, takesDigest } from "../ops/use.ts";
import type { Value } from "../value.ts";
import type { Builder } from "./build.ts";
import type { Built, BuiltImage } from "./built.ts";
import type { State } from "./state.ts";
import type { Output, Platform } from "./vertex.ts";
import { buildOrder } from "./walk.ts";

/** Builds programs for another platform than the job's. */
export type BuildFor = (platform: Platform, programs: readonly Program[]) => Promise<Builder>;

/** Adds programs to `builders`, by platform, so that every image has its state for each of its platforms. */
export async function buildOtherPlatforms(
  built: readonly Built[],
  order: readonly Program[],
  buildFor: BuildFor,
): Promise<ReadonlyMap<string, Builder>> {
  const wanted = new Map<string, { platform: Platform; programs: Set<Program> }>();
  for (const { program, images } of built) {
    for (const image of images) {
      for (const platform of platformsOf(image)) {
        const key = formatPlatform(platform);
        if (key === formatPlatform(image.state.platform)) continue;
        const entry = wanted.get(key) ?? { platform, programs: new Set() };
        entry.programs.add(program);
        wanted.set(key, entry);
      }
    }
  }
  const builders = [...wanted].map(
    async ([key, { platform, programs }]) => [key, await buildFor(platform, needed(programs, order))] as const,
  );
  return new Map(await Promise.all(builders));
}

function platformsOf({ platforms, state, target }: BuiltImage): readonly Platform[] {
  // An archive in docker's format has room for one.
  if (target.kind === "save" && target.format === "docker") return [state.platform];
  return platforms ?? state.platforms ?? [state.platform];
}

/** The programs and all that they use, each after its needs. */
function needed(programs: ReadonlySet<Program>, order: readonly Program[]): Program[] {
  const byValue = new Map(order.map((program) => [program.value, program]));
  const all = new Set(programs);
  for (const program of all) {
    for (const use of program.uses) {
      const used = byValue.get(use.value);
      if (used !== undefined) all.add(used);
    }
  }
  return order.filter((program) => all.has(program));
}

export interface OutputOptions {
  readonly others: ReadonlyMap<string, Builder>;
  readonly define: (fs: Output) => Definition;
  problem(diagnostic: Diagnostic): void;
}

export function toImageOutputs(built: readonly Built[], options: OutputOptions): ImageOutput[] {
  return built.flatMap((one) => one.images.map((image) => toImageOutput(one.program, image, options)));
}

function toImageOutput(program: Program, image: BuiltImage, options: OutputOptions): ImageOutput {
  const { op, meta, target, attest, timeout } = image;
  const platforms = platformsOf(image).map((platform) => toImagePlatform(platform, program.value, image, options));
  const after = gate(image, options);
  const definitions = platforms.map(({ definition, config }) => [definition.nodes.at(-1)?.digest, new TextDecoder().decode(config)]);
  return {
    target,
    attest,
    ...(timeout === undefined ? {} : { timeout }),
    platforms,
    after,
    key: hash("sha256", JSON.stringify([target, attest, definitions, after?.nodes.at(-1)?.digest])),
    values: target.kind === "push" && program.named && takesDigest(program.value) ? program.places : [],
    component: meta.component,
    path: op.place.path,
    name: meta.name,
    at: op.place.at,
  };
}

function toImagePlatform(platform: Platform, program: Value, image: BuiltImage, options: OutputOptions): ImagePlatform {
  const key = formatPlatform(platform);
  const other = options.others.get(key)?.built.get(program);
  const state = other?.images.find(({ op }) => op === image.op)?.state ?? image.state;
  checkState(platform, state, image, options);
  const definition = state.fs === null ? { ops: [], nodes: [], encoded: new Uint8Array() } : options.define(state.fs);
  return { platform: key, fs: state.fs, definition, config: stateConfig(state) };
}

function checkState(platform: Platform, state: State, { op, meta }: BuiltImage, { problem }: OutputOptions): void {
  const [wanted, is] = [formatPlatform(platform), formatPlatform(state.platform)];
  if (wanted !== is) {
    problem({
      code: "wrong-platform",
      message: `Op ${op.do} wants an image for ${wanted}, but its filesystem is one for ${is}`,
      path: op.place.path,
      at: op.place.fields.get("platforms") ?? op.place.at,
      hint: "Leave `platform` out of the ops before it: they are then made for each platform of the image",
    });
  }
  if (state.fs === null) {
    problem({
      code: "empty-image",
      message: `Op ${op.do} has nothing to make an image of: its filesystem is empty`,
      path: op.place.path,
      at: op.place.at,
      hint: "Copy files into it before; registries and container engines refuse images without a layer",
    });
  }
  for (const [name, value] of state.env) {
    if (typeof value === "string") continue;
    problem({
      code: "computed-env",
      message: `The image of ${meta.name} cannot have the variable ${name}: its value ${showText(value)} is known only when the job runs`,
      path: op.place.path,
      at: [...value.at, ...op.place.at],
      hint: "Give the variable to the execs that need it, in their own env",
    });
  }
}

/** The steps before the op that its image is not made of, as one Definition. */
function gate({ state, after, meta }: BuiltImage, { define }: OutputOptions): Definition | undefined {
  const made = new Set(buildOrder([state.fs]));
  const rest = after.filter(({ vertex }) => !made.has(vertex));
  if (rest.length === 0) return undefined;
  const actions = [{ kind: "mkdir", path: "/values", mode: 0o755, makeParents: true } as const];
  const wait = { ...meta, name: `${meta.name} (wait)` };
  return define({ vertex: { kind: "file", base: null, actions, also: rest, meta: wait }, index: 0 });
}
