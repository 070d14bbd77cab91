// Hides the values of secrets in everything that leaves the engine: logs, events, errors, values. One scrubber per run.
import { Transform } from "node:stream";
import { Automaton } from "./automaton.ts";
import { formsOf } from "./forms.ts";
import { ScrubStream } from "./stream.ts";

/** What stands where a secret was. */
export const hiddenText = "***";

/** Fields whose texts are dagger's and the daemon's own: a short secret may stand in them by chance, and programs rely on them. */
const ownWords: ReadonlySet<string> = new Set(["type", "phase", "state", "code", "kind", "digest", "vertex", "inputs"]);

/** Knows the values of a run's secrets. As long as it knows none it gives everything back as it came. */
export class Scrubber {
  readonly #forms = new Set<string>();
  /** Of the values that it knows: to learn one twice costs nothing. */
  readonly #values = new Set<string>();
  #patterns: Automaton | undefined;

  /** From now on the value is hidden. Gives false for one that is too short for it (below 4 bytes). */
  learn(value: Uint8Array): boolean {
    const key = Buffer.from(value).toString("latin1");
    if (this.#values.has(key)) return true;
    const forms = formsOf(value);
    if (forms.size === 0) return false;
    this.#values.add(key);
    for (const form of forms) this.#forms.add(form);
    this.#patterns = undefined;
    return true;
  }

  get knowsAny(): boolean {
    return this.#forms.size > 0;
  }

  /** A stream of its own, for bytes that come piece by piece. */
  stream(): ScrubStream {
    return new ScrubStream(() => this.#automaton());
  }

  /** The same for a pipe. */
  transform(): Transform {
    const stream = this.stream();
    return new Transform({
      transform: (data: Uint8Array, _encoding, done) => done(null, stream.push(data)),
      flush: (done) => done(null, stream.end()),
    });
  }

  bytes(data: Uint8Array): Uint8Array {
    if (!this.knowsAny) return data;
    const stream = this.stream();
    const begin = stream.push(data);
    const rest = stream.end();
    return rest.length === 0 ? begin : Buffer.concat([begin, rest]);
  }

  text(text: string): string {
    if (!this.knowsAny || text.length < 4) return text;
    const bytes = Buffer.from(text);
    const clean = this.bytes(bytes);
    return clean.length === bytes.length && bytes.equals(clean) ? text : Buffer.from(clean).toString("utf8");
  }

  /**
   * Data with every text in it scrubbed, names of fields, too; below `values` and `computed` also the digits of numbers. What has nothing to
   * hide is given back itself; errors keep their class.
   */
  data<T>(data: T): T {
    return this.knowsAny ? (this.#any(data, false) as T) : data;
  }

  #any(data: unknown, foreign: boolean): unknown {
    if (typeof data === "string") return this.text(data);
    if (foreign && (typeof data === "number" || typeof data === "bigint"))
      return this.text(String(data)) === String(data) ? data : hiddenText;
    if (typeof data !== "object" || data === null) return data;
    if (data instanceof Uint8Array) return this.bytes(data);
    if (Array.isArray(data)) {
      const clean = data.map((item: unknown) => this.#any(item, foreign));
      return clean.every((item, index) => item === data[index]) ? data : clean;
    }
    const prototype: unknown = Object.getPrototypeOf(data);
    return data instanceof Error || prototype === Object.prototype || prototype === null ? this.#fields(data, foreign) : data;
  }

  #fields(data: object, foreign: boolean): object {
    const fields = Object.entries(Object.getOwnPropertyDescriptors(data)).map(([name, { enumerable = false }]) => {
      const value: unknown = Reflect.get(data, name);
      const clean = !foreign && ownWords.has(name) ? value : this.#any(value, foreign || name === "values" || name === "computed");
      return { name, value, enumerable, clean, cleanName: foreign ? this.text(name) : name };
    });
    if (fields.every(({ name, value, clean, cleanName }) => clean === value && cleanName === name)) return data;
    const copy = Object.create(Object.getPrototypeOf(data) as object | null) as object;
    for (const { cleanName, clean, enumerable } of fields) {
      Object.defineProperty(copy, cleanName, { value: clean, enumerable, writable: true, configurable: true });
    }
    return copy;
  }

  #automaton(): Automaton | undefined {
    if (this.#forms.size === 0) return undefined;
    this.#patterns ??= new Automaton(this.#forms);
    return this.#patterns;
  }
}
