// What each step wrote last, for whoever asks when it has failed.
import { TextDecoder } from "node:util";
import type { UpEvent } from "../events.ts";

/** Of each step: so many lines, and not more than so many bytes of them. */
const mostLines = 20;
const mostBytes = 4_000;

export class LastLines {
  readonly #tails = new Map<string, string>();
  readonly #decoders = new Map<string, TextDecoder>();

  take(event: UpEvent): void {
    if (event.type !== "log") return;
    const { digest } = event.step;
    const key = `${digest} ${event.stream}`;
    const decoder = this.#decoders.get(key) ?? new TextDecoder();
    this.#decoders.set(key, decoder);
    const text = (this.#tails.get(digest) ?? "") + decoder.decode(event.data, { stream: true });
    this.#tails.set(digest, text.slice(-mostBytes));
  }

  of(digest: string): string {
    return (this.#tails.get(digest) ?? "").trimEnd().split("\n").slice(-mostLines).join("\n");
  }
}
