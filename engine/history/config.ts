// The exact config of a run as text, and what was asked for as data: neither has secrets in it.
import { relative, resolve } from "node:path";
import type { JobFacts } from "../observers.ts";
import type { UpRequest } from "../request.ts";
import type { Json } from "../store/index.ts";
import type { RunPlace } from "./place.ts";

/** The blob that a run's `config` is the digest of. */
export interface RecordedConfig {
  /** By the name that messages have for a file. */
  readonly files: Readonly<Record<string, string>>;
  /** Names of those that are the user's, not a library's. */
  readonly own?: readonly string[];
  /** `path=value` texts. */
  readonly inputs: readonly string[];
  readonly tags: readonly string[];
  /** What the environment of a stack sets, by CUE path. */
  readonly settings?: Readonly<Record<string, Json>>;
  /** Inputs of a kind of their own, by CUE path. */
  readonly typedInputs?: Readonly<Record<string, Json>>;
  /** What evaluates it again. */
  readonly source?: RecordedSource;
}

/** As `Source`, `Fill` and the places of a config, but that texts of files are in `files` and directories are relative to the workspace. */
export interface RecordedSource {
  readonly dir: string;
  readonly moduleRoot?: string;
  readonly packages: readonly Json[];
  readonly tags?: Json;
  readonly fills: readonly Json[];
  /** Absolute. */
  readonly granted: readonly string[];
  /** Digests of the images that the daemon was asked for, by name. */
  readonly images: Readonly<Record<string, string>>;
  /** The config lies in a cache. */
  readonly cached: boolean;
  /** Where secrets and sockets came from: references, as flags have them. */
  readonly secrets: readonly string[];
  readonly ssh: readonly string[];
  /** A secret's value stood in it and is hidden: this is not what ran. */
  readonly hidden: boolean;
}

/** As JSON text, the same for the same config. */
export function configText(request: UpRequest, facts: JobFacts, root: string): string {
  const { config, scrubber } = facts;
  const clean = (text: string): string => scrubber.text(text);
  const all = config.source.packages.flatMap(({ files, own }) => files.map((file) => ({ ...file, own })));
  const files = Object.fromEntries(all.map(({ name, text }) => [clean(name), clean(text)]));
  const { stack, repeat } = request;
  const data: RecordedConfig = {
    files,
    own: [...new Set(all.filter(({ own }) => own).map(({ name }) => clean(name)))],
    inputs: (repeat?.inputs ?? request.inputs).map(clean),
    tags: (repeat?.tags ?? request.tags ?? []).map(clean),
    ...(stack === undefined ? {} : { settings: scrubber.data(Object.fromEntries(stack.settings)) as unknown as Record<string, Json> }),
    ...typedOf(request, clean),
    source: sourceOf(request, facts, root, files),
  };
  return JSON.stringify(data);
}

function sourceOf(
  request: UpRequest,
  { config, images, scrubber }: JobFacts,
  root: string,
  files: Readonly<Record<string, string>>,
): RecordedSource {
  const { source, evaluation, granted } = config;
  const packages = source.packages.map((one) => ({
    ...one,
    files: one.files.map(({ name, embedded }) => ({ name, ...(embedded === undefined ? {} : { embedded }) })),
  }));
  const plain = {
    dir: relative(root, source.dir),
    ...(source.moduleRoot === undefined ? {} : { moduleRoot: relative(root, source.moduleRoot) }),
    // Plain data all of them.
    packages: packages as unknown as Json[],
    ...(source.tags === undefined ? {} : { tags: source.tags as unknown as Json }),
    fills: evaluation.fills as unknown as Json[],
    granted,
    images: Object.fromEntries([...images].map(([ref, digest]): [string, string] => [ref.split("@")[0] ?? ref, digest]).sort()),
    cached: request.stack?.cached === true,
    secrets: request.secrets ?? [],
    ssh: request.ssh ?? [],
  };
  const kept = scrubber.data(plain);
  const same = source.packages.every((one) => one.files.every(({ name, text }) => files[name] === text));
  return { ...kept, hidden: !same || kept !== plain };
}

/** Flags are told as they were typed, values of programs by their path. */
function typedOf({ typedInputs = [] }: UpRequest, clean: (text: string) => string): Pick<RecordedConfig, "typedInputs"> {
  if (typedInputs.length === 0) return {};
  const named = typedInputs.map((one): [string, Json] => {
    if (one.kind === "value") return [clean(one.path), clean(one.json)];
    const [path = "", ...rest] = clean(one.text).split("=");
    return rest.length === 0 ? [`--input-${one.kind}`, path] : [path, { [one.kind]: rest.join("=") }];
  });
  return { typedInputs: Object.fromEntries(named) };
}

/** What was asked for: of inputs and tags the names alone, since nobody knows yet what is secret. The config has their values. */
export function requestData(request: UpRequest, { root }: RunPlace): Json {
  const {
    dir,
    targets,
    inputs,
    tags = [],
    secrets = [],
    keepGoing = false,
    gradual = false,
    attest = [],
    noCache,
    cwd,
    name,
    trigger,
  } = request;
  const nameOf = (text: string): string => text.split("=")[0] ?? "";
  return {
    dir: relative(root, resolve(cwd, dir)) || ".",
    targets,
    inputs: inputs.map(nameOf),
    tags: tags.map(nameOf),
    secrets: secrets.map(nameOf),
    keepGoing,
    noCache,
    ...(name === undefined ? {} : { name }),
    ...(trigger === undefined ? {} : { trigger: { ...trigger } }),
    ...(gradual ? { gradual } : {}),
    ...(attest.length === 0 ? {} : { attest }),
  };
}
