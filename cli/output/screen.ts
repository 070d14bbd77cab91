// The last lines of a terminal, drawn again and again in place. Everything printed above stays in the scroll-back.
import type { Out } from "../io.ts";
import { width } from "./width.ts";

const hideCursor = "\x1b[?25l";
const showCursor = "\x1b[?25h";
const clearBelow = "\x1b[J";
const clearLine = "\x1b[K";
const colourCodes = /\x1b\[[0-9;]*m/g;

export class Screen {
  readonly #out: Out;
  #drawn: readonly string[] = [];
  #hidden = false;

  constructor(out: Out) {
    this.#out = out;
  }

  /** Replaces the picture. */
  draw(lines: readonly string[]): void {
    const start = this.#hidden ? "" : hideCursor;
    this.#hidden = true;
    this.#out.write(`${start}${this.#home()}${lines.map((line) => `${line}${clearLine}\n`).join("")}${clearBelow}`);
    this.#drawn = lines;
  }

  /** Prints text above the picture; the next `draw` puts that below it. */
  print(text: string): void {
    this.#out.write(`${this.#home()}${clearBelow}${text}`);
    this.#drawn = [];
  }

  /** Leaves the picture where it is and gives the cursor back. */
  release(): void {
    if (this.#hidden) this.#out.write(showCursor);
    this.#hidden = false;
    this.#drawn = [];
  }

  /** To the first line of the picture. A terminal that became narrower has wrapped the lines of before. */
  #home(): string {
    const { columns } = this.#out.size();
    const rows = this.#drawn.reduce((sum, line) => sum + Math.max(1, Math.ceil(width(line.replace(colourCodes, "")) / columns)), 0);
    return rows === 0 ? "" : `\r\x1b[${rows}A`;
  }
}
