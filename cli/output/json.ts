// Progress as one JSON object per line, for programs.
import { TextDecoder } from "node:util";
import type { Step, UpEvent } from "../../engine/index.ts";
import type { Out } from "../io.ts";
import type { Outcome, ProgressPrinter } from "./progress.ts";

export class JsonProgress implements ProgressPrinter {
  readonly #out: Out;
  readonly #now: () => number;
  /** Characters may be cut between two pieces of a log: one decoder per step and stream. */
  readonly #decoders = new Map<string, TextDecoder>();
  #finished = false;

  constructor(out: Out, now: () => number) {
    this.#out = out;
    this.#now = now;
  }

  event(event: UpEvent): void {
    if (event.type === "log") {
      const text = this.#decoder(event.step, event.stream).decode(event.data, { stream: true });
      if (text !== "") this.#line({ type: "log", time: event.time, step: reference(event.step), stream: event.stream, text });
      return;
    }
    const time = this.#now();
    if (event.type === "step" || event.type === "status") {
      const { type, step, ...rest } = event;
      this.#line({ type, time, step: reference(step), ...rest });
      return;
    }
    // The same again, for who wants it as the daemon told it: `rawjson`.
    if (event.type === "solve") return;
    const { type, ...rest } = event;
    this.#line({ type, time, ...rest });
  }

  finish(outcome: Outcome): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#line({ type: "end", time: this.#now(), outcome });
  }

  #decoder(step: Step, stream: 1 | 2): TextDecoder {
    const key = `${step.digest} ${stream}`;
    let decoder = this.#decoders.get(key);
    if (decoder === undefined) {
      decoder = new TextDecoder("utf-8", { ignoreBOM: true });
      this.#decoders.set(key, decoder);
    }
    return decoder;
  }

  #line(data: object): void {
    this.#out.write(`${JSON.stringify(data)}\n`);
  }
}

/** Positions are told once, in the plan. */
function reference(step: Step): { digest: string; name: string; component: string } {
  return { digest: step.digest, name: step.name, component: step.component };
}
