// Programs: what a user of the library does, step by step, as JSON. Twin of program.go, which does the same with client/llb.
import {
  bind,
  type CopyOptions,
  type CopySource,
  cache,
  copy,
  type Definition,
  diff,
  type ExecState,
  type FileActions,
  git,
  http,
  image,
  imageBlob,
  local,
  type MarshalOptions,
  type MountSpec,
  marshal,
  merge,
  mkdir,
  mkfile,
  type NetworkMode,
  type OpOptions,
  ociLayout,
  ociLayoutBlob,
  type Platform,
  passthrough,
  type Resources,
  type RunOptions,
  readDefinition,
  rm,
  type SecurityMode,
  type SourceText,
  type State,
  scratch,
  secret,
  shellWords,
  sourceFile,
  ssh,
  symlink,
  tmpfs,
} from "../../compiler/llb/library/index.ts";

export interface Program {
  readonly files: readonly { readonly filename: string; readonly language: string; readonly data: string }[];
  readonly steps: readonly Step[];
  readonly result: number;
  readonly defaults?: Options;
  readonly platform: Platform;
  readonly localUniqueId: string;
  readonly caps?: readonly string[];
}

/** As OpOptions, in JSON. */
export type Options = Omit<OpOptions, "locations" | "resources" | "platform"> & {
  readonly resources?: { readonly [K in keyof Resources]: string };
  readonly locations?: readonly { readonly file: number; readonly first: number; readonly last: number }[];
  readonly platform?: Platform;
};

/** As the options of the library, in JSON; each step has those of its kind. */
export type Json = Readonly<Record<string, unknown>>;

export interface Step {
  readonly do: string;
  readonly state?: number;
  readonly other?: number;
  readonly states?: readonly number[];
  readonly options?: Json;
  readonly ref?: string;
  readonly name?: string;
  readonly url?: string;
  readonly fragment?: string;
  readonly resolve?: { readonly config: string; readonly digest: string; readonly ref: string };
  readonly change?: Change;
  readonly args?: readonly string[];
  readonly shlex?: string;
  readonly mounts?: readonly MountJson[];
  readonly dest?: string;
  readonly actions?: readonly ActionJson[];
  readonly id?: string;
  readonly outputs?: readonly boolean[];
  readonly pick?: number;
}

export interface Change {
  readonly kind: string;
  readonly name?: string;
  readonly value?: string;
  readonly soft?: number;
  readonly hard?: number;
  readonly platform?: Platform;
}

export interface MountJson {
  readonly kind: "bind" | "cache" | "tmpfs" | "secret" | "ssh";
  readonly dest: string;
  /** Position of a step; -1 is scratch. */
  readonly source: number;
  readonly id: string;
  readonly selector?: string;
  readonly readonly?: boolean;
  readonly output?: boolean;
  readonly contentCache?: "on" | "off";
  readonly sharing?: "shared" | "private" | "locked";
  readonly size?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly mode?: number;
  readonly optional?: boolean;
}

export interface ActionJson extends Omit<CopyOptions, "mode" | "createdTime" | "owner"> {
  readonly kind: "copy" | "mkfile" | "mkdir" | "rm" | "symlink";
  readonly source?: number;
  readonly bound?: readonly ActionJson[];
  readonly boundId?: number;
  readonly src?: string;
  readonly dest?: string;
  readonly path?: string;
  /** base64. */
  readonly data?: string;
  readonly mode?: number;
  readonly modeStr?: string;
  readonly makeParents?: boolean;
  readonly allowNotFound?: boolean;
  readonly oldpath?: string;
  readonly newpath?: string;
  readonly owner?: string;
  readonly timestamp?: string;
}

/** Does what the program says and marshals its result. */
export async function runProgram(program: Program): Promise<Definition> {
  const runner = new Runner(program);
  for (const step of program.steps) await runner.step(step);
  return runner.result();
}

/** One line of the oracle's input. */
export function toProgramLine(program: Program): string {
  return `${JSON.stringify({ program })}\n`;
}

class Runner {
  readonly #program: Program;
  readonly #files: readonly SourceText[];
  readonly #states: State[] = [];
  readonly #execs = new Map<number, ExecState>();

  constructor(program: Program) {
    this.#program = program;
    this.#files = program.files.map(({ filename, language, data }) =>
      sourceFile(filename, { language, ...(data === "" ? {} : { data: Buffer.from(data, "base64") }) }),
    );
  }

  async step(step: Step): Promise<void> {
    const state = step.do === "definition" ? await this.#definition(this.#state(step.state)) : this.#make(step);
    this.#states.push(state);
  }

  result(): Promise<Definition> {
    return marshal(this.#state(this.#program.result), this.#options());
  }

  #options(): MarshalOptions {
    const { platform, localUniqueId, caps, defaults } = this.#program;
    return {
      platform,
      localUniqueId,
      ...(caps === undefined ? {} : { caps: new Set(caps) }),
      ...(defaults === undefined ? {} : { defaults: this.#defaults(defaults) }),
    };
  }

  #defaults(options: Options): NonNullable<MarshalOptions["defaults"]> {
    const { name, description, ...rest }: OpOptions = this.#op(options);
    return { ...rest, description: { ...description, ...(name ? { "llb.customname": name } : {}) } };
  }

  async #definition(state: State): Promise<State> {
    return readDefinition((await marshal(state, this.#options())).encoded);
  }

  #state(position = 0): State {
    return this.#states[position]!;
  }

  /** The step's options as the library takes them. */
  #op(options: Json): OpOptions & Json {
    const { resources, locations, ...rest } = options as Options;
    const limits = Object.entries(resources ?? {}).map(([key, value]) => [key, key.startsWith("cpuset") ? value : BigInt(value)]);
    return {
      ...rest,
      ...(resources === undefined ? {} : { resources: Object.fromEntries(limits) as Resources }),
      ...(locations === undefined ? {} : { locations: locations.map(({ file, first, last }) => this.#files[file]!.lines(first, last)) }),
    };
  }

  #make(step: Step): State {
    const { ref = "", name = "", url = "", fragment = "", resolve, id = "", dest = "" } = step;
    const options = this.#op(step.options ?? {});
    const states = (step.states ?? []).map((position) => this.#state(position));
    const state = step.state === undefined ? scratch() : this.#state(step.state);
    switch (step.do) {
      case "scratch":
        return scratch();
      case "image":
        return image(ref, { ...options, ...(resolve === undefined ? {} : { resolve: async () => answer(resolve) }) });
      case "local":
        return local(name, options);
      case "git":
        return git(fragment === "" ? url : `${url}#${encodeURIComponent(fragment)}`, options);
      case "http":
        return http(url, options);
      case "ociLayout":
        return ociLayout(ref, options);
      case "imageBlob":
        return imageBlob(ref, options);
      case "ociLayoutBlob":
        return ociLayoutBlob(ref, options);
      case "change":
        return this.#change(state, step);
      case "async":
        return state.async(async (known) => this.#change(known, step));
      case "run":
        return this.#run(state, step, options);
      case "mount":
        return this.#execs.get(step.state!)!.mount(dest);
      case "file":
        return state.file(this.#chain(step.actions!, new Map()), options);
      case "merge":
        return merge(states, options);
      case "diff":
        return diff(state, this.#state(step.other), options);
      case "build":
        return state.build({ ...options, ...(name === "" ? {} : { filename: name }) });
      case "requires":
        return state.requires(id, ...states);
      case "passthrough":
        return passthrough(
          id,
          states.map((input, i) => ({ state: input, output: step.outputs![i]! })),
          options,
        )[step.pick!]!;
      default:
        throw new Error(`unknown step ${step.do}`);
    }
  }

  #change(state: State, { change, other }: Step): State {
    const { kind, name = "", value = "", soft = 0, hard = 0, platform } = change!;
    switch (kind) {
      case "env":
        return state.env(name, value);
      case "dir":
        return state.dir(value);
      case "user":
        return state.user(value);
      case "hostname":
        return state.hostname(value);
      case "platform":
        return state.platform(platform!);
      case "network":
        return state.network(value as NetworkMode);
      case "security":
        return state.security(value as SecurityMode);
      case "cgroupParent":
        return state.cgroupParent(value);
      case "extraHost":
        return state.extraHost(name, value);
      case "ulimit":
        return state.ulimit(name, soft, hard);
      case "imageConfig":
        return state.withImageConfig(Buffer.from(value));
      case "reset":
        return state.reset(this.#state(other));
      default:
        throw new Error(`unknown change ${kind}`);
    }
  }

  #run(state: State, step: Step, options: OpOptions & Json): State {
    const { env, secretEnv, ...rest } = options as OpOptions & RunJson;
    const exec = state.run(step.shlex === undefined ? step.args! : shellWords(step.shlex), {
      ...(rest as RunOptions),
      mounts: (step.mounts ?? []).map((mount) => this.#mount(mount)),
      ...(env === undefined ? {} : { env: Object.fromEntries(env) }),
      ...(secretEnv === undefined
        ? {}
        : { secretEnv: Object.fromEntries(secretEnv.map(({ name, id, optional }) => [name, { id, optional }])) }),
    });
    this.#execs.set(this.#states.length, exec);
    return exec.root;
  }

  #mount({ kind, dest, source, id, selector, readonly, output, contentCache, sharing, size, ...file }: MountJson): MountSpec {
    const from = source < 0 ? scratch() : this.#state(source);
    const flags = {
      ...(selector === undefined ? {} : { selector }),
      ...(readonly === undefined ? {} : { readonly }),
      ...(contentCache === undefined ? {} : { contentCache }),
    };
    switch (kind) {
      case "bind":
        return bind(dest, from, { ...flags, ...(output === undefined ? {} : { output }) });
      case "cache":
        return cache(dest, id, { ...flags, from, ...(sharing === undefined ? {} : { sharing }) });
      case "tmpfs":
        return tmpfs(dest, { ...(size === undefined ? {} : { size }) });
      case "secret":
        return secret(dest, { id, ...file });
      case "ssh":
        return ssh({ id, ...file, ...(dest === "" ? {} : { dest }) });
    }
  }

  #chain(actions: readonly ActionJson[], bound: Map<number, CopySource>): FileActions {
    let chain: FileActions | undefined;
    for (const action of actions) chain = this.#action(chain, action, bound);
    return chain!;
  }

  #action(chain: FileActions | undefined, action: ActionJson, bound: Map<number, CopySource>): FileActions {
    const { kind, path = "", mode, modeStr, owner, timestamp, data = "", oldpath = "", newpath = "" } = action;
    const made = {
      ...(owner === undefined ? {} : { owner }),
      ...(timestamp === undefined ? {} : { createdTime: BigInt(timestamp) }),
    };
    const withMode = mode === undefined ? made : { ...made, mode };
    const flags = {
      ...(action.makeParents === undefined ? {} : { makeParents: action.makeParents }),
      ...(action.allowNotFound === undefined ? {} : { allowNotFound: action.allowNotFound }),
      ...(action.allowWildcard === undefined ? {} : { allowWildcard: action.allowWildcard }),
    };
    switch (kind) {
      case "mkfile":
        return chain === undefined
          ? mkfile(path, Buffer.from(data, "base64"), withMode)
          : chain.mkfile(path, Buffer.from(data, "base64"), withMode);
      case "mkdir":
        return chain === undefined ? mkdir(path, { ...withMode, ...flags }) : chain.mkdir(path, { ...withMode, ...flags });
      case "rm":
        return chain === undefined ? rm(path, flags) : chain.rm(path, flags);
      case "symlink":
        return chain === undefined ? symlink(oldpath, newpath, made) : chain.symlink(oldpath, newpath, made);
      case "copy": {
        const options: CopyOptions = { ...action, ...withMode, ...(modeStr === undefined ? {} : { mode: modeStr }) };
        const [src, dest] = [action.src ?? "", action.dest ?? ""];
        const from = this.#copySource(action, bound);
        return chain === undefined ? copy(from, src, dest, options) : chain.copy(from, src, dest, options);
      }
    }
  }

  #copySource({ source = 0, bound: actions, boundId = 0 }: ActionJson, bound: Map<number, CopySource>): CopySource {
    if (actions === undefined) return this.#state(source);
    const made = bound.get(boundId) ?? this.#chain(actions, bound).on(this.#state(source));
    bound.set(boundId, made);
    return made;
  }
}

interface RunJson {
  readonly env?: readonly (readonly [name: string, value: string])[];
  readonly secretEnv?: readonly { readonly name: string; readonly id: string; readonly optional: boolean }[];
}

function answer({ config, digest, ref }: NonNullable<Step["resolve"]>): { config: Uint8Array; digest?: string; ref?: string } {
  return { config: Buffer.from(config), ...(digest === "" ? {} : { digest }), ...(ref === "" ? {} : { ref }) };
}
