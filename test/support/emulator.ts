// What a person sees of a terminal: its screen and what was scrolled out of it, after all that was written and every change of its size.
import xterm from "@xterm/headless";

export class Emulator {
  readonly #terminal: xterm.Terminal;

  /** As a pseudo-terminal writes: its lines end with a carriage return, too. */
  constructor(columns: number, rows: number) {
    this.#terminal = new xterm.Terminal({ cols: columns, rows, scrollback: 10_000, allowProposedApi: true });
  }

  write(text: string): Promise<void> {
    return new Promise((done) => this.#terminal.write(text, done));
  }

  /** Wraps its lines anew, as most terminals do. */
  resize(columns: number, rows: number): void {
    this.#terminal.resize(columns, rows);
  }

  /** All rows, the oldest first, without the spaces at their ends; empty ones below the last text are left out. */
  rows(): string[] {
    const { active } = this.#terminal.buffer;
    const rows = Array.from({ length: active.length }, (_, row) => active.getLine(row)?.translateToString(true) ?? "");
    return rows.slice(0, rows.findLastIndex((row) => row !== "") + 1);
  }

  end(): void {
    this.#terminal.dispose();
  }
}
