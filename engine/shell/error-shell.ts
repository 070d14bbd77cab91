// --shell-on-error: one shell for a run, where its first command failed; everything else waits for it before the run ends.
import { UserError } from "../../compiler/index.ts";
import type { Build } from "../../runtime/solve/index.ts";
import { SolveError } from "../../runtime/solve/index.ts";
import type { UpEvent } from "../events.ts";
import type { ReadSecret } from "../secrets/provider.ts";
import type { ShellWish } from "./shell.ts";
import { shellAfter } from "./shell.ts";

export class ErrorShell {
  readonly #wish: ShellWish | undefined;
  readonly #secrets: ReadSecret;
  readonly #onEvent: (event: UpEvent) => void;
  #opened: Promise<void> | undefined;

  constructor(wish: ShellWish | undefined, secrets: ReadSecret, onEvent: (event: UpEvent) => void) {
    this.#wish = wish;
    this.#secrets = secrets;
    this.#onEvent = onEvent;
  }

  get wanted(): boolean {
    return this.#wish !== undefined;
  }

  /** Does work of `build`, which must go through the gateway. Rejects as the work does, once the shell that its failure opened is left. */
  async watch<T>(build: Build, work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      if (this.#wish !== undefined && error instanceof SolveError && error.failure.exec !== undefined) {
        this.#opened ??= shellAfter(build, error.failure.exec, this.#wish, this.#secrets).catch((why: unknown) => this.#noShell(why));
      }
      await this.#opened;
      throw error;
    }
  }

  /** What keeps a shell from being opened must not hide why one was wanted. */
  #noShell(why: unknown): void {
    const detail = why instanceof UserError ? why.diagnostics.flatMap(({ hint }) => hint ?? []) : [];
    const message = why instanceof Error ? why.message : String(why);
    this.#onEvent({ type: "warning", message: `No shell could be opened: ${message}`, detail, at: [] });
  }
}
