// Runs a program in a real pseudo-terminal (util-linux `script`), types into it, resizes it, and reads what it shows.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const quote = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;

/** Milliseconds until something that is not shown will not be shown. */
const late = 120_000;

export interface TerminalOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** 80 × 24 without it. */
  readonly size?: { readonly columns: number; readonly rows: number };
}

export class TestTerminal {
  /** Exit code of the program. */
  readonly ended: Promise<number>;
  /** All that was shown so far. */
  shown = "";
  readonly #child: ChildProcess;
  readonly #dir = mkdtempSync(join(tmpdir(), "terminal-"));
  #seen = 0;

  constructor(args: readonly string[], options: TerminalOptions) {
    const { columns, rows } = options.size ?? { columns: 80, rows: 24 };
    const command = `tty > ${quote(join(this.#dir, "tty"))}; stty cols ${columns} rows ${rows}; exec ${args.map(quote).join(" ")}`;
    this.#child = spawn("script", ["-qefc", command, "/dev/null"], { ...options, stdio: ["pipe", "pipe", "inherit"] });
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.shown += text;
    });
    this.ended = new Promise((done) => {
      this.#child.once("close", (code) => {
        rmSync(this.#dir, { recursive: true, force: true });
        done(code ?? -1);
      });
    });
  }

  type(text: string): void {
    this.#child.stdin?.write(text);
  }

  /** As when a person drags the window's corner. */
  resize(columns: number, rows: number): void {
    execFileSync("stty", ["-F", readFileSync(join(this.#dir, "tty"), "utf8").trim(), "cols", String(columns), "rows", String(rows)]);
  }

  /** Settings of the terminal, as stty tells them. */
  settings(): string {
    const file = join(this.#dir, "tty");
    return existsSync(file) ? execFileSync("stty", ["-a", "-F", readFileSync(file, "utf8").trim()], { encoding: "utf8" }) : "";
  }

  /** Waits until something is shown after what was waited for before. */
  async until(pattern: RegExp): Promise<string> {
    let over = false;
    void this.ended.then(() => {
      over = true;
    });
    for (const begin = Date.now(); ; ) {
      const match = pattern.exec(this.shown.slice(this.#seen));
      if (match !== null) {
        this.#seen += match.index + match[0].length;
        return match[0];
      }
      if (over) throw new Error(`ended before it showed ${pattern}:\n${this.shown.slice(this.#seen)}`);
      if (Date.now() - begin > late) {
        // Whoever still runs in it would keep the test from ending.
        this.kill();
        throw new Error(`it never showed ${pattern}:\n${this.shown.slice(this.#seen)}`);
      }
      await sleep(20);
    }
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }
}
