// State: a filesystem in the making, and all that later commands inherit. Immutable: every method gives a new one.
import type { Platform } from "../../graph/vertex.ts";
import { normalizePlatform } from "../platform.ts";
import { type Exec, makeExec, mountResult, mountSources, nextDir, type RunOptions, rootResult, toHost } from "./exec.ts";
import { type FileActions, lazySources, sourcesOf, toChain } from "./file-actions.ts";
import {
  type ExtraHost,
  Filesystem,
  fresh,
  type Made,
  madeOf,
  type NetworkMode,
  type SecurityMode,
  type Ulimit,
  type Values,
  withOutput,
} from "./filesystem.ts";
import { withImageConfig } from "./image-config.ts";
import { combine, type Lazy, later, type ResolveContext, ready, resolve } from "./lazy.ts";
import { invalid, type OpOptions, platformField, toBase, toPlatform } from "./options.ts";

/** What a state hands on, as `State.values` tells it. */
export interface StateValues extends Omit<Values, "env"> {
  readonly env: ReadonlyMap<string, string>;
}

/** For ops that do not depend on a platform. */
export type PlainOptions = Omit<OpOptions, "platform" | "resources">;

export class State extends Filesystem {
  /** A variable for all commands that follow; a name that is set again moves to the end. */
  env(name: string, value: string): State {
    return this.#change((values) => ({ env: values.env.with(name, value) }));
  }

  /** The working directory, from which relative paths of commands and file actions start. A relative one starts at the one before. */
  dir(path: string): State {
    return this.#change((values) => ({ dir: nextDir(values.dir, path) }));
  }

  user(name: string): State {
    return this.#change(() => ({ user: name }));
  }

  hostname(name: string): State {
    return this.#change(() => ({ hostname: name }));
  }

  /** The platform that commands run on; normalised. As a string `os/architecture[/variant]`. */
  platform(platform: Platform | string): State {
    const normalized = normalizePlatform(toPlatform(platform));
    return this.#change(() => ({ platform: normalized }));
  }

  network(mode: NetworkMode): State {
    return this.#change(() => ({ network: mode }));
  }

  security(mode: SecurityMode): State {
    return this.#change(() => ({ security: mode }));
  }

  cgroupParent(path: string): State {
    return this.#change(() => ({ cgroupParent: path }));
  }

  /** A name in `/etc/hosts` of the commands that follow. Throws UserError `llb-invalid` when `ip` is no address. */
  extraHost(host: string, ip: string): State {
    const added: ExtraHost = toHost({ host, ip });
    return this.#change((values) => ({ extraHosts: [...values.extraHosts, added] }));
  }

  ulimit(name: Ulimit["name"], soft: number, hard: number): State {
    return this.#change((values) => ({ ulimits: [...values.ulimits, { name, soft, hard }] }));
  }

  /** Environment, working directory and platform of an OCI image config (JSON). */
  withImageConfig(config: Uint8Array): State {
    return new State(combine([madeOf(this)], (made) => withImageConfig(made, config)));
  }

  /** This filesystem with everything else from `other`; its directory is `/`, unless the filesystem was asked for with a platform. */
  reset(other: State): State {
    return new State(combine([madeOf(this), madeOf(other)], ({ out, platform }, { values }) => resetTo(out, platform, values)));
  }

  /** Runs functions over the state, one after the other. */
  with(...changes: readonly ((state: State) => State)[]): State {
    return changes.reduce((state: State, change) => change(state), this);
  }

  /** A state that is only known once somebody was asked; asked when it is marshalled, once, and at the same time as others. */
  async(ask: (state: State, context: ResolveContext) => Promise<State>): State {
    return new State(
      later(madeOf(this), async (made, context) => {
        const answer = await ask(new State(ready(made)), context);
        const { out, values } = await resolve(madeOf(answer), context);
        return { out, values };
      }),
    );
  }

  /** A command on this filesystem. Throws UserError `llb-invalid` when marshalled without arguments. */
  run(args: readonly string[], options: RunOptions = {}): ExecState {
    const sources = mountSources(options.mounts);
    const lazy: Lazy<Exec> = combine([madeOf(this), ...lazySources(sources)], (base: Made, ...made: Made[]) =>
      makeExec(base, args, options, new Map(sources.map((source, i) => [source, made[i]!]))),
    );
    return new ExecState(lazy);
  }

  /** File actions on this filesystem, in one op. */
  file(actions: FileActions, options: PlainOptions = {}): State {
    const sources = sourcesOf(actions);
    const lazy = combine([madeOf(this), ...lazySources(sources)], (base: Made, ...made: Made[]) => {
      const chain = toChain(actions, base, new Map(sources.map((source, i) => [source, made[i]!])));
      return withOutput(base, { vertex: { kind: "file", ...toBase(options), ...chain }, index: 0 });
    });
    return new State(lazy);
  }

  /** What the Definition that lies in this filesystem makes, solved inside the same build. */
  build(options: OpOptions & { readonly filename?: string } = {}): State {
    const { filename } = options;
    const lazy = combine([madeOf(this)], (base: Made) => {
      if (base.out === null) throw invalid("A build needs a filesystem with a Definition, got scratch");
      const named = filename === undefined ? {} : { filename };
      const vertex = { kind: "build", ...toBase(options), from: base.out, ...named, ...platformField(options.platform) } as const;
      return withOutput(base, { vertex, index: 0 });
    });
    return new State(lazy);
  }

  /** This filesystem, once all of `dependencies` are made as well, though nothing of them is in it. */
  requires(id: string, ...dependencies: readonly State[]): State {
    if (dependencies.length === 0) return this;
    const lazy = combine([madeOf(this), ...lazySources(dependencies)], (base: Made, ...made: Made[]) => {
      if (base.out === null) throw invalid("Scratch can require nothing: there is nothing to make");
      const inputs = [base, ...made].map(({ out }) => out).filter((out) => out !== null);
      return withOutput(base, { vertex: { kind: "passthrough", ...toBase({}), id, inputs, outputs: [0] }, index: 0 });
    });
    return new State(lazy);
  }

  /** What later commands inherit. Asks resolvers when the state needs them; `platform` is what they are asked for. */
  async values(context: { readonly platform: Platform | string }): Promise<StateValues> {
    const { values } = await resolve(madeOf(this), { platform: toPlatform(context.platform) });
    return { ...values, env: new Map(values.env.entries) };
  }

  #change(change: (values: Values) => Partial<Values>): State {
    return new State(combine([madeOf(this)], (made: Made) => ({ ...made, values: { ...made.values, ...change(made.values) } })));
  }
}

/** A command: what it leaves in its root filesystem and at its mounts. */
export class ExecState {
  readonly root: State;
  readonly #exec: Lazy<Exec>;

  constructor(exec: Lazy<Exec>) {
    this.#exec = exec;
    this.root = new State(
      combine([exec], (made) => {
        const { out, platform } = rootResult(made);
        return withOutput(made.base, out, platform);
      }),
    );
  }

  /**
   * What the command leaves at a mount: a state that inherits nothing of those before. Of a read-only mount that is what was mounted.
   * Throws UserError `llb-invalid` when nothing is mounted there, or what is written there is thrown away.
   */
  mount(dest: string): State {
    return new State(combine([this.#exec], (exec) => mountResult(exec, dest)));
  }
}

/** As client/llb does it: the platform that comes with a filesystem takes the place of its directory. */
function resetTo(out: Made["out"], platform: Platform | undefined, values: Values): Made {
  const made = withOutput({ out, values }, out, platform);
  return platform === undefined ? { out, values: { ...values, dir: "/" } } : made;
}

/** A state on an output, that inherits nothing. */
export function stateOf(out: Made["out"], platform?: Platform): State {
  return new State(ready(fresh(out, platform)));
}
