// The log of a service: bounded, and without secrets.
import { BoundedLog } from "../bounded-log.ts";
import { Scrubber } from "../secrets/scrubber.ts";
import type { ScrubStream } from "../secrets/stream.ts";

export class ServiceLog {
  readonly #log: BoundedLog;
  readonly #scrubber = new Scrubber();
  readonly #streams: Readonly<Record<1 | 2, ScrubStream>>;

  constructor(file: string, secrets: readonly string[]) {
    this.#log = new BoundedLog(file);
    for (const secret of secrets) this.#scrubber.learn(Buffer.from(secret));
    this.#streams = { 1: this.#scrubber.stream(), 2: this.#scrubber.stream() };
  }

  write(stream: 1 | 2, data: Uint8Array): Uint8Array {
    const shown = this.#streams[stream].push(data);
    this.#append(shown);
    return shown;
  }

  /** Of the supervisor itself. */
  say(text: string): void {
    this.end();
    this.#append(Buffer.from(`dagger: ${this.#scrubber.text(text)}\n`));
  }

  /** What was kept back because it may have been the begin of a secret. */
  end(): void {
    for (const stream of [1, 2] as const) this.#append(this.#streams[stream].end());
  }

  #append(data: Uint8Array): void {
    if (data.length > 0) this.#log.write(data);
  }
}
