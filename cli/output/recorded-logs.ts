// Logs of a run that is remembered: bytes as they came, made into lines of their components.
import type { LogLine } from "../../engine/index.ts";
import { clean, LineSplitter } from "./lines.ts";
import type { Style } from "./style.ts";

type Log = Extract<LogLine, { kind: "log" }>;

export class LogWriter {
  readonly #write: (text: string) => void;
  readonly #style: Style;
  readonly #json: boolean;
  /** By step and stream. */
  readonly #open = new Map<string, { readonly lines: LineSplitter; last: Log }>();

  constructor(write: (text: string) => void, style: Style, json: boolean) {
    this.#write = write;
    this.#style = style;
    this.#json = json;
  }

  log(log: Log): void {
    const key = `${log.step} ${log.stream}`;
    const open = this.#open.get(key) ?? { lines: new LineSplitter(), last: log };
    open.last = log;
    this.#open.set(key, open);
    for (const line of open.lines.push(log.data)) this.#line(log, line);
  }

  /** What is no log: said in between. */
  note(text: string, data: object): void {
    this.#write(this.#json ? `${JSON.stringify(data)}\n` : `${this.#style.yellow(text)}\n`);
  }

  /** The rest of what had no line end. */
  end(): void {
    for (const { lines, last } of this.#open.values()) for (const line of lines.end()) this.#line(last, line);
  }

  #line({ component, step, stream, time }: Log, text: string): void {
    if (this.#json) this.#write(`${JSON.stringify({ kind: "log", time, component, step, stream, text })}\n`);
    else this.#write(`${this.#style.blue(`[${clean(component)}]`)} ${clean(text, this.#style.colour)}\n`);
  }
}
