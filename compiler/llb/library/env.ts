// Environment variables of a state: a list that shares its older part with the states that it came from.

/** In order of assignment; a name assigned again moves to the end. */
export class Env {
  static readonly EMPTY: Env = new Env();
  readonly #parent: Env | undefined;
  readonly #name: string;
  readonly #value: string;
  #entries: readonly (readonly [name: string, value: string])[] | undefined;

  private constructor(parent?: Env, name = "", value = "") {
    this.#parent = parent;
    this.#name = name;
    this.#value = value;
  }

  with(name: string, value: string): Env {
    return new Env(this, name, value);
  }

  /** Made once: many commands in a row have the same variables. */
  get entries(): readonly (readonly [name: string, value: string])[] {
    if (this.#entries !== undefined) return this.#entries;
    const newest: [string, string][] = [];
    const seen = new Set<string>();
    for (let env: Env = this; env.#parent !== undefined; env = env.#parent) {
      if (!seen.has(env.#name)) newest.push([env.#name, env.#value]);
      seen.add(env.#name);
    }
    this.#entries = newest.reverse();
    return this.#entries;
  }
}
