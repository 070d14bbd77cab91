// The log of a service: bounded, and without secrets.
import { appendFileSync, renameSync, statSync } from "node:fs";
import { Scrubber } from "../secrets/scrubber.ts";
import type { ScrubStream } from "../secrets/stream.ts";

/** At this size (bytes) a log becomes NAME.1, and the one before is gone. */
const longest = 5 << 20;

export class ServiceLog {
  readonly #file: string;
  readonly #scrubber = new Scrubber();
  readonly #streams: Readonly<Record<1 | 2, ScrubStream>>;
  #size: number;

  constructor(file: string, secrets: readonly string[]) {
    this.#file = file;
    for (const secret of secrets) this.#scrubber.learn(Buffer.from(secret));
    this.#streams = { 1: this.#scrubber.stream(), 2: this.#scrubber.stream() };
    this.#size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
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

  /** A disk that is full must not end the service. */
  #append(data: Uint8Array): void {
    if (data.length === 0) return;
    try {
      if (this.#size > longest) {
        renameSync(this.#file, `${this.#file}.1`);
        this.#size = 0;
      }
      appendFileSync(this.#file, data, { mode: 0o600 });
      this.#size += data.length;
    } catch {
      // The next piece may fit again.
    }
  }
}
