// The last lines of a terminal, drawn again and again in place. Everything printed above stays in the scroll-back.
import type { Out } from "../io.ts";
import { wrappedRows } from "./width.ts";

const hideCursor = "\x1b[?25l";
const showCursor = "\x1b[?25h";
const clearBelow = "\x1b[J";
const clearLine = "\x1b[K";
const colourCodes = /\x1b\[[0-9;]*m/g;

export class Screen {
  readonly #out: Out;
  #drawn: readonly string[] = [];
  /** Of the terminal when the picture was drawn. */
  #columns = 0;
  #hidden = false;

  constructor(out: Out) {
    this.#out = out;
  }

  /** Replaces the picture. */
  draw(lines: readonly string[]): void {
    const start = this.#hidden ? "" : hideCursor;
    this.#hidden = true;
    const { columns } = this.#out.size();
    // Lines that were wrapped would still belong together, and come apart again with the next width.
    const afresh = columns === this.#columns ? "" : clearBelow;
    // Cleared before it is written: after a line as wide as the terminal, some terminals would clear its last character.
    const picture = lines.map((line) => `${clearLine}${line}\n`).join("");
    this.#out.write(`${start}${this.#home()}${afresh}${picture}${clearBelow}`);
    this.#drawn = lines;
    this.#columns = columns;
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

  /**
   * To the first line of the picture. A terminal that became narrower has wrapped the lines of before; of those that it moved above its first
   * row to make room nothing can be taken back.
   */
  #home(): string {
    const { columns } = this.#out.size();
    const rows = this.#drawn.reduce((sum, line) => sum + wrappedRows(line.replace(colourCodes, ""), columns), 0);
    return rows === 0 ? "" : `\r\x1b[${rows}A`;
  }
}
