// The port for places that keep secrets.

/** On whose behalf a secret is read (as `Surroundings` says it), and what they allow. */
export interface SecretScope {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute. */
  readonly cwd: string;
  /** The user agreed that references run programs on this machine. */
  readonly allowHost?: boolean | undefined;
  /** Whose store `age:` means, as the user named it; else what is chosen without any name. */
  readonly stack?: string | undefined;
  readonly environment?: string | undefined;
  /** The workspace's own store is meant, not that of an environment. */
  readonly ofWorkspace?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** What `call:NAME` secrets are, by NAME. */
  readonly secretCalls?: ReadonlyMap<string, SecretCall> | undefined;
  /** Absolute directory of the workspace whose connectors `connector:` means; without it the one around `cwd`. */
  readonly root?: string | undefined;
  /** The same object for all that is read on behalf of one run: what a provider remembers of it, such as a login, is kept by it. */
  readonly run?: object | undefined;
  /** For providers whose secrets come from other ones: gives what a reference stands for. Always there when a provider is asked. */
  readonly resolve?: ((reference: string, cwd: string) => Promise<Uint8Array | undefined>) | undefined;
}

/** A function of the program around the engine that gives a secret; undefined when there is none. Called once in a run. */
export type SecretCall = (signal: AbortSignal | undefined) => SecretValue | Promise<SecretValue>;

/** Text is taken as UTF-8. */
export type SecretValue = string | Uint8Array | undefined;

/** What a request lets secrets be read with. */
export function scopeOf(
  request: Omit<SecretScope, "stack" | "environment"> & { readonly stack?: { readonly stack: string; readonly environment: string } },
): SecretScope {
  const { env, cwd, allowHost, signal, stack, secretCalls } = request;
  return { env, cwd, allowHost, signal, stack: stack?.stack, environment: stack?.environment, secretCalls };
}

/**
 * A place that keeps secrets, e.g. a vault. A reference is `SCHEME:REST`, as `cmd:pass show token`; a provider gets the REST. It is asked
 * once per run for each reference.
 */
export interface SecretsProvider {
  /**
   * The value, or undefined where the place has none of that name. Throws UserError without `at`: 2 when the reference is wrong or not
   * allowed, 3 when the place does not answer. No value is ever part of an error.
   */
  read(rest: string, scope: SecretScope): Promise<Uint8Array | undefined>;
}

/** Gives the value of one secret of a run by its id, or undefined when it is not known. Throws UserError (2 or 3). */
export type ReadSecret = (id: string) => Promise<Uint8Array | undefined>;
