// The exact config of a run as text, and what was asked for as data: neither has secrets in it.
import { relative, resolve } from "node:path";
import type { UpRequest } from "../request.ts";
import type { Json } from "../store/index.ts";
import type { JobFacts } from "../watch.ts";
import type { RunPlace } from "./place.ts";

/** The blob that a run's `config` is the digest of. */
export interface RecordedConfig {
  /** By the name that messages have for a file. */
  readonly files: Readonly<Record<string, string>>;
  /** `path=value` texts. */
  readonly inputs: readonly string[];
  readonly tags: readonly string[];
  /** Settings of the environment and inputs of a kind of their own. */
  readonly more: Json;
}

/** As JSON text, the same for the same config. */
export function configText(request: UpRequest, { config, scrubber }: JobFacts): string {
  const clean = (text: string): string => scrubber.text(text);
  const files = config.source.packages.flatMap((one) => one.files.map(({ name, text }) => [clean(name), clean(text)] as const));
  const { typedInputs = [], stack } = request;
  const settings = stack === undefined ? [] : [...stack.settings];
  const data: RecordedConfig = {
    files: Object.fromEntries(files),
    inputs: request.inputs.map(clean),
    tags: (request.tags ?? []).map(clean),
    more: scrubber.data(JSON.parse(JSON.stringify({ typedInputs, settings })) as Json),
  };
  return JSON.stringify(data);
}

/** What was asked for: of inputs and tags the names alone, since nobody knows yet what is secret. The config has their values. */
export function requestData(request: UpRequest, { root }: RunPlace): Json {
  const { dir, targets, inputs, tags = [], secrets = [], keepGoing = false, noCache, cwd } = request;
  const nameOf = (text: string): string => text.split("=")[0] ?? "";
  return {
    dir: relative(root, resolve(cwd, dir)) || ".",
    targets,
    inputs: inputs.map(nameOf),
    tags: tags.map(nameOf),
    secrets: secrets.map(nameOf),
    keepGoing,
    noCache,
  };
}
