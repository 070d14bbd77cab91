// Host steps of a graph: what such a process takes, as a Definition of its own, and the directory that it leaves, as a source.
import { hash } from "node:crypto";
import type { Definition, HostStep, HostText, LocalSource } from "../job.ts";
import { formatPlatform, localAttrs } from "../llb/index.ts";
import { copyAction, copyContents, fileOutput } from "../ops/files.ts";
import type { Program } from "../ops/program.ts";
import type { HostProcess } from "../ops/spec.ts";
import type { Computed, OpBase, Text } from "../ops/use.ts";
import type { Value } from "../value.ts";
import type { State } from "./state.ts";
import type { FileAction, Output, Ref, VertexMeta } from "./vertex.ts";

/** Texts that the job computes become files: they are collected in the order of their use. */
class Texts {
  readonly files: { readonly from: Ref; readonly file: string }[] = [];
  readonly #computed: (text: Computed) => Ref;

  constructor(computed: (text: Computed) => Ref) {
    this.#computed = computed;
  }

  of(text: Text): HostText {
    if (typeof text === "string") return text;
    const file = `values/${this.files.length}`;
    this.files.push({ from: this.#computed(text), file });
    return { file };
  }
}

/** What of the options of a graph concerns host steps; `BuildOptions` says what they are. */
export interface HostOptions {
  readonly hosts?: (key: string) => string | undefined;
  readonly run?: string;
  readonly localUnique?: (dir: string) => string;
}

export interface HostParts {
  readonly op: OpBase<string>;
  readonly state: State;
  readonly process: HostProcess;
  readonly meta: VertexMeta;
  readonly computed: (text: Computed) => Ref;
}

export class Hosts {
  /** Those that can run now. */
  readonly steps: HostStep[] = [];
  /** Programs that are not built, with the components whose host steps they wait for. */
  readonly waiting: Map<Value, readonly string[]> = new Map();
  readonly #keys = new Set<string>();
  /** The components whose host steps a program is made with. */
  readonly #behind = new Map<Value, readonly string[]>();
  readonly #options: HostOptions;
  readonly #define: (fs: Output) => Definition;

  constructor(options: HostOptions, define: (fs: Output) => Definition) {
    this.#options = options;
    this.#define = define;
  }

  /** Notes what a program waits for before it is built: then it is not. */
  waits({ value, uses, ops, component }: Program): boolean {
    const own = ops.some((op) => op.do === "host" || op.do === "service") ? [component] : [];
    const behind = [...new Set([...uses.flatMap((use) => this.#behind.get(use.value) ?? []), ...own])];
    if (behind.length > 0) this.#behind.set(value, behind);
    const waits = new Set(uses.flatMap((use) => this.waiting.get(use.value) ?? []));
    // A frontend has to see the files, which are only assumed to be there.
    const asks = this.#options.hosts === undefined && behind.length > 0 && ops.some((op) => op.do === "docker-build");
    if (waits.size === 0 && !asks) return false;
    this.waiting.set(value, waits.size === 0 ? behind : [...waits]);
    return true;
  }

  /** The files that a step left; undefined when it has to run first. */
  add(program: Program, parts: HostParts): { readonly files: Output; readonly local?: LocalSource } | undefined {
    const { step, input, needs } = makeHost(parts);
    const { hosts, run, localUnique } = this.#options;
    const definition = input === null ? undefined : this.#define(input);
    const image = this.#imageOf(parts);
    const key = keyOf(step, definition, image);
    const dir = hosts?.(key);
    if (hosts !== undefined && dir === undefined) {
      // A component that stands at two places may be two for CUE: it runs once, as equal vertices do.
      if (!this.#keys.has(key)) this.steps.push({ ...step, key, input: definition, ...(image === undefined ? {} : { image }) });
      this.#keys.add(key);
      this.waiting.set(program.value, [program.component]);
      return undefined;
    }
    const name = `dagger-host-${key}`;
    // Two runs at the same time may leave different files.
    const unique = run ?? localUnique?.(name);
    // The same in every run: only what has changed is uploaded.
    const attrs = {
      ...localAttrs({ sharedKeyHint: `host/${encodeURIComponent(step.path)}` }),
      ...(unique === undefined ? {} : { "local.unique": unique }),
    };
    const files: Output = { vertex: { kind: "host", identifier: `local://${name}`, attrs, inputs: needs, meta: parts.meta }, index: 0 };
    return { files, ...(dir === undefined ? {} : { local: { name, dir, at: step.at } }) };
  }

  #imageOf({ state: { fs, platform }, process: { imageConfig: config } }: HostParts): HostStep["image"] {
    return config === undefined || fs === null
      ? undefined
      : { platform: formatPlatform(platform), fs, definition: this.#define(fs), config };
  }
}

interface MadeHost {
  readonly step: Omit<HostStep, "image" | "input" | "key">;
  /** What it needs of the graph; null when that is nothing. */
  readonly input: Ref;
  /** What the graph has to have made before. */
  readonly needs: readonly Output[];
}

/** Where it stands, and what it is called, makes no step another one. */
function keyOf(
  { path: _, component: __, at: ___, name: ____, ...does }: MadeHost["step"],
  input: Definition | undefined,
  image: HostStep["image"],
): string {
  const made = image === undefined ? [] : [image.definition.nodes.at(-1)?.digest, new TextDecoder().decode(image.config)];
  return hash("sha256", JSON.stringify([does, input?.nodes.at(-1)?.digest, ...made])).slice(0, 32);
}

function makeHost({ op, state, process, meta, computed }: HostParts): MadeHost {
  const { args, env, stdin, imageConfig, ...rest } = process;
  const inContainer = imageConfig !== undefined;
  const texts = new Texts(computed);
  const step = {
    path: op.place.path,
    component: meta.component,
    name: meta.name,
    at: op.place.at,
    ...rest,
    files: state.fs !== null && !inContainer,
    args: args.map((text) => texts.of(text)),
    env: env.map(([name, value]) => [name, typeof value === "string" || "kind" in value ? texts.of(value) : value] as const),
    ...(stdin === undefined ? {} : { stdin: stdin instanceof Uint8Array ? stdin : texts.of(stdin) }),
  };
  const files = state.fs === null || inContainer ? [] : [copyContents(state.fs, "/", "/root/")];
  const values = texts.files.map(({ from, file }) => copyAction(from, "/value", `/${file}`, { createDestPath: true }));
  const actions: readonly FileAction[] = [...files, ...values];
  const needs = [state.fs, ...texts.files.map(({ from }) => from)].filter((ref) => ref !== null);
  return { step, needs, input: actions.length === 0 ? null : fileOutput(null, actions, { ...meta, name: `${meta.name} (input)` }) };
}
