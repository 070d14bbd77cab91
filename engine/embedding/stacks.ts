// Stacks, environments and settings of the workspace around an engine's directory, for embedding programs. Their code is loaded when used.

import type { Surroundings } from "../request.ts";
import type {
  EnvironmentEntry,
  EnvironmentState,
  Initialized,
  InputList,
  KeptSetting,
  NewSetting,
  SourceWish,
  StackEntry,
} from "../stacks/index.ts";
import type { Access, Calls } from "./calls.ts";
import type { CallOptions } from "./requests.ts";

/** All reject with UserError: 2 for what is not there, is there already or is wrong; 3 where files cannot be read or written. */
export interface Stacks {
  /** Makes `dir` (default: the engine's `cwd`) a workspace, with the files of a template when one is named. */
  init(options?: CallOptions & { readonly dir?: string; readonly template?: string }): Promise<Initialized>;
  /** In the order of their slugs. */
  list(options?: CallOptions): Promise<readonly StackEntry[]>;
  /** Names and slugs are both good. */
  show(stack: string, options?: CallOptions): Promise<StackEntry>;
  create(stack: NewStack, options?: CallOptions): Promise<StackEntry>;
  edit(stack: string, change: StackChange, options?: CallOptions): Promise<StackEntry>;
  /** With its environments and what they keep; its config stays. Gives the slug. */
  delete(stack: string, options?: CallOptions): Promise<string>;
  /** Which environments are stale, missing or broken, and why; what they need. */
  states(stack: string, options?: CallOptions): Promise<readonly EnvironmentState[]>;
  readonly environments: Environments;
  readonly inputs: Inputs;
}

export interface NewStack {
  readonly name: string;
  readonly description?: string;
  readonly source: SourceWish;
  /** Names of environments to begin with. */
  readonly environments: readonly string[];
}

export interface StackChange {
  readonly name?: string;
  readonly description?: string;
  readonly source?: SourceWish;
  /** Looks up anew what the ref of a git config stands for, or the newest version of a module. */
  readonly update?: boolean;
}

export interface Environments {
  list(stack: string, options?: CallOptions): Promise<readonly EnvironmentEntry[]>;
  show(stack: string, environment: string, options?: CallOptions): Promise<EnvironmentEntry>;
  /** With the settings of `copyOf`, where that is given. */
  create(stack: string, name: string, options?: CallOptions & { readonly copyOf?: string }): Promise<EnvironmentEntry>;
  /** The slug stays. */
  rename(stack: string, environment: string, name: string, options?: CallOptions): Promise<EnvironmentEntry>;
  delete(stack: string, environment: string, options?: CallOptions): Promise<string>;
}

export interface Inputs {
  /** What the stack's config takes, and what the environment sets. */
  list(stack: string, environment: string, options?: CallOptions): Promise<InputList>;
  /** Texts as `dagger input` takes them; each is checked by CUE, and nothing is kept when one is wrong. */
  set(stack: string, environment: string, settings: readonly NewSetting[], options?: CallOptions): Promise<readonly KeptSetting[]>;
  /** Gives the CUE paths that were set. */
  unset(stack: string, environment: string, paths: readonly string[], options?: CallOptions): Promise<readonly string[]>;
  /** JSON Schema (2020-12) of what the config takes. */
  schema(stack: string, environment: string, options?: CallOptions): Promise<object>;
}

type Work<T> = (of: typeof import("../stacks/index.ts"), request: Surroundings & CallOptions) => Promise<T>;

const nameOf = (stack: string, environment?: string): string => (environment === undefined ? stack : `${stack}/${environment}`);
const read = (stack: string, environment?: string): Access => ({ action: "read", resource: nameOf(stack, environment) });
const write = (stack: string, environment?: string): Access => ({ action: "write", resource: nameOf(stack, environment) });

export function stacksOf(surroundings: Surroundings, calls: Calls): Stacks {
  const call = <T>(access: Access, options: CallOptions | undefined, work: Work<T>): Promise<T> =>
    calls.run(access, options, async (signal) => {
      const offline = options?.offline;
      return work(await import("../stacks/index.ts"), { ...surroundings, ...(offline === undefined ? {} : { offline }), signal });
    });
  return {
    init: (options = {}) => {
      const { dir = ".", template } = options;
      return call(write("workspace"), options, (of) =>
        of.initWorkspace({ ...surroundings, dir, ...(template === undefined ? {} : { template }) }),
      );
    },
    list: (options) => call(read("workspace"), options, (of, request) => of.listStacks(request)),
    show: (stack, options) => call(read(stack), options, (of, request) => of.showStack(request, { stack })),
    create: (stack, options) => call(write(stack.name), options, (of, request) => of.newStack(request, stack)),
    edit: (stack, change, options) => call(write(stack), options, (of, request) => of.editStack(request, { stack }, change)),
    delete: (stack, options) => call(write(stack), options, (of, request) => of.deleteStack(request, stack)),
    states: (stack, options) => call(read(stack), options, (of, request) => of.listStates(request, { stack })),
    environments: {
      list: (stack, options) => call(read(stack), options, (of, request) => of.listEnvironments(request, { stack })),
      show: (stack, environment, options) =>
        call(read(stack, environment), options, (of, request) => shown(of.showEnvironment(request, { stack, environment }))),
      create: (stack, name, options) =>
        call(write(stack, name), options, (of, request) => of.newEnvironment(request, { stack }, name, options?.copyOf)),
      rename: (stack, environment, name, options) =>
        call(write(stack, environment), options, (of, request) => of.editEnvironment(request, { stack, environment }, name)),
      delete: (stack, environment, options) =>
        call(write(stack, environment), options, (of, request) => of.deleteEnvironment(request, { stack }, environment)),
    },
    inputs: {
      list: (stack, environment, options) =>
        call(read(stack, environment), options, (of, request) => of.listInputs({ ...request, stack, environment })),
      set: (stack, environment, settings, options) =>
        call(write(stack, environment), options, (of, request) => of.setInputs({ ...request, stack, environment }, settings)),
      unset: (stack, environment, paths, options) =>
        call(write(stack, environment), options, (of, request) => of.unsetInputs({ ...request, stack, environment }, paths)),
      schema: (stack, environment, options) =>
        call(read(stack, environment), options, (of, request) => of.inputSchema({ ...request, stack, environment })),
    },
  };
}

/** What is set is told by `inputs.list`. */
async function shown(found: Promise<EnvironmentEntry & { readonly values: unknown }>): Promise<EnvironmentEntry> {
  const { values: _, ...entry } = await found;
  return entry;
}
