// The log of a process in the background: the last of what it said, in two files of a limited size.
import { appendFileSync, renameSync, statSync } from "node:fs";

/** Bytes after which a file is full. */
const full = 5 * 1024 * 1024;

export class BoundedLog {
  readonly #file: string;
  readonly #limit: number;
  #size: number;

  /** Goes on with what is there. */
  constructor(file: string, limit: number = full) {
    this.#file = file;
    this.#limit = limit;
    this.#size = sizeOf(file);
  }

  /** A full disk takes the log, not the process. */
  write(text: string | Uint8Array): void {
    try {
      const size = typeof text === "string" ? Buffer.byteLength(text) : text.byteLength;
      if (this.#size > 0 && this.#size + size > this.#limit) {
        renameSync(this.#file, `${this.#file}.1`);
        this.#size = 0;
      }
      appendFileSync(this.#file, text, { mode: 0o600 });
      this.#size += size;
    } catch {
      // The next piece may fit again, also when somebody has removed the file meanwhile.
      this.#size = sizeOf(this.#file);
    }
  }
}

const sizeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0;
