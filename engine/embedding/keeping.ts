// Secrets that environments keep, dagger.lock, modules and the catalog, for embedding programs. Their code is loaded when used.

import type { PackageDoc } from "../catalog/doc.ts";
import type { Added, CatalogPage, Found } from "../catalog/index.ts";
import {
  addPackage,
  checkLock,
  documentPackage,
  getModules,
  initModule,
  searchCatalog,
  showPackage,
  updateLock,
  vendorModules,
} from "../index.ts";
import type { LockRequest, LockState } from "../lock/lock.ts";
import type { Surroundings } from "../request.ts";
import type { Access, Calls } from "./calls.ts";
import type { CallOptions, ConfigOptions, DaemonOptions, Secret } from "./requests.ts";
import { resourceOf } from "./requests.ts";

/** Values go in and never come out: a run's steps get them as `age:NAME`. */
export interface Secrets {
  /** Names, in their order. */
  list(stack: string, environment: string, options?: CallOptions): Promise<readonly string[]>;
  /** Text is taken as UTF-8. */
  set(stack: string, environment: string, name: string, value: string | Uint8Array, options?: CallOptions): Promise<void>;
  unset(stack: string, environment: string, name: string, options?: CallOptions): Promise<void>;
  /** Public age keys of those who can read the environment's secrets. */
  recipients(stack: string, environment: string, options?: CallOptions): Promise<readonly string[]>;
  /** Encrypts all values anew, for more or fewer people. */
  changeRecipients(
    stack: string,
    environment: string,
    change: { readonly add?: readonly string[]; readonly remove?: readonly string[] },
    options?: CallOptions,
  ): Promise<void>;
  /**
   * Makes a new key for the engine's user in place of the old one. Gives its public part. With `forgetLost`, values that no key of the user
   * can read are removed, rather than an error.
   */
  rotate(stack: string, environment: string, options?: CallOptions & { readonly forgetLost?: boolean }): Promise<string>;
}

export interface LockOptions extends ConfigOptions, DaemonOptions {
  /** For private repositories, by id. */
  readonly secrets?: Readonly<Record<string, Secret & string>>;
  readonly ssh?: readonly string[];
  readonly allowHost?: boolean;
}

/** dagger.lock: what names of images, git refs and addresses stand for. */
export interface Lock {
  /** What differs between the file and the world; nothing is written. */
  check(options?: LockOptions): Promise<LockState>;
  /** Writes it anew, or only `names`. Gives what was there before and what is now. */
  update(options?: LockOptions & { readonly names?: readonly string[] }): Promise<LockState>;
}

/** CUE modules. `dir` is a directory of the module, the engine's `cwd` without it. */
export interface Modules {
  init(module: string, options?: CallOptions & { readonly dir?: string }): Promise<{ readonly module: string; readonly file: string }>;
  /** Adds `modules` (`example.com/lib@v0.3.1`) to deps, or fetches what deps has. Gives all that deps has. */
  get(
    modules?: readonly string[],
    options?: CallOptions & { readonly dir?: string },
  ): Promise<readonly { readonly path: string; readonly version: string }[]>;
  /** Puts all modules beside the config, for runs without a registry. */
  vendor(options?: CallOptions & { readonly dir?: string }): Promise<readonly { readonly path: string; readonly version: string }[]>;
}

/** Packages of the library and of registries. */
export interface Catalog {
  /** Every word has to match; all packages without any. */
  search(words?: readonly string[], options?: CallOptions): Promise<Found>;
  /** What a package gives, and the inputs, secrets and platforms that its definitions take. */
  show(what: string, options?: CallOptions): Promise<CatalogPage>;
  /** Makes it ready to be imported: its module goes into deps. */
  add(what: string, options?: CallOptions & { readonly dir?: string }): Promise<Added>;
  /** Every field of a package, with its type and comment. */
  document(what: string, options?: CallOptions): Promise<PackageDoc>;
}

export function secretsOf(surroundings: Surroundings, calls: Calls): Secrets {
  type Work<T> = (
    of: typeof import("../secrets/index.ts"),
    scope: Parameters<typeof import("../secrets/index.ts").listSecrets>[0],
  ) => Promise<T>;
  const call = <T>(
    action: Access["action"],
    [stack, environment]: readonly [string, string],
    options: CallOptions | undefined,
    work: Work<T>,
  ): Promise<T> =>
    calls.run({ action, resource: `${stack}/${environment}` }, options, async (signal) =>
      work(await import("../secrets/index.ts"), { ...surroundings, stack, environment, signal }),
    );
  return {
    list: (stack, environment, options) =>
      call("secrets.read", [stack, environment], options, async (of, scope) => (await of.listSecrets(scope)).names),
    set: (stack, environment, name, value, options) =>
      call("secrets.write", [stack, environment], options, async (of, scope) => void (await of.setSecret(scope, name, Buffer.from(value)))),
    unset: (stack, environment, name, options) =>
      call("secrets.write", [stack, environment], options, async (of, scope) => void (await of.unsetSecret(scope, name))),
    recipients: (stack, environment, options) =>
      call("secrets.read", [stack, environment], options, async (of, scope) =>
        (await of.listRecipients(scope)).recipients.map(({ recipient }) => recipient),
      ),
    changeRecipients: (stack, environment, change, options) =>
      call("secrets.write", [stack, environment], options, async (of, scope) => void (await of.changeRecipients(scope, change))),
    rotate: (stack, environment, options) =>
      call(
        "secrets.write",
        [stack, environment],
        options,
        async (of, scope) => (await of.rotateKey(scope, { forgetLost: options?.forgetLost === true })).recipient,
      ),
  };
}

/** `ready`: the parts that every request about a config has, with the secrets and sockets that a stack keeps. */
export function lockOf(calls: Calls, ready: (of: LockOptions, signal: AbortSignal) => Promise<LockRequest>): Lock {
  const access = (action: Access["action"], of: LockOptions): Access => ({ action, resource: resourceOf(of) });
  return {
    check: (of = {}) => calls.run(access("read", of), of, async (signal) => checkLock(await ready(of, signal))),
    update: (of = {}) =>
      calls.run(access("write", of), of, async (signal) => updateLock({ ...(await ready(of, signal)), names: of.names ?? [] })),
  };
}

export function modulesOf(surroundings: Surroundings, calls: Calls): Modules {
  const call = <T>(
    options: (CallOptions & { readonly dir?: string }) | undefined,
    work: (request: Parameters<typeof vendorModules>[0]) => Promise<T>,
  ): Promise<T> => {
    const { dir = ".", offline } = options ?? {};
    return calls.run({ action: "write", resource: `module/${dir}` }, options, (signal) =>
      work({ ...surroundings, dir, ...(offline === undefined ? {} : { offline }), signal }),
    );
  };
  return {
    init: (module, options) => call(options, (request) => initModule({ ...request, module })),
    get: (modules = [], options = {}) => call(options, (request) => getModules({ ...request, modules })),
    vendor: (options) => call(options, (request) => vendorModules(request)),
  };
}

export function catalogOf(surroundings: Surroundings, calls: Calls): Catalog {
  const call = <T>(
    options: CallOptions | undefined,
    access: Access,
    work: (request: Parameters<typeof showPackage>[0]) => Promise<T>,
  ): Promise<T> =>
    calls.run(access, options, (signal) => {
      const offline = options?.offline;
      return work({ ...surroundings, ...(offline === undefined ? {} : { offline }), signal, what: "" });
    });
  const look: Access = { action: "read", resource: "catalog" };
  return {
    search: (words = [], options = {}) => call(options, look, (request) => searchCatalog({ ...request, words })),
    show: (what, options) => call(options, look, (request) => showPackage({ ...request, what })),
    add: (what, options = {}) => {
      const { dir = "." } = options;
      return call(options, { action: "write", resource: `module/${dir}` }, (request) => addPackage({ ...request, what, dir }));
    },
    document: (what, options) => call(options, look, (request) => documentPackage({ ...request, what })),
  };
}
