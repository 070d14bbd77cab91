// Hides secrets in what a process of a shell prints where nobody sits at a terminal; a person's terminal gets everything as it comes.
import { finished } from "node:stream/promises";
import type { ShellTerminal } from "../shell/shell.ts";
import type { Scrubber } from "./scrubber.ts";

export interface ScrubbedTerminal {
  readonly terminal: ShellTerminal;
  /** Passes on what was kept back. */
  end(): Promise<void>;
}

export function scrubTerminal(scrubber: Scrubber, terminal: ShellTerminal): ScrubbedTerminal {
  if (terminal.tty) return { terminal, end: async () => undefined };
  const [stdout, stderr] = [scrubber.transform(), scrubber.transform()];
  stdout.pipe(terminal.stdout, { end: false });
  stderr.pipe(terminal.stderr, { end: false });
  return {
    terminal: { ...terminal, stdout, stderr },
    end: async () => {
      await Promise.all([stdout, stderr].map((stream) => finished(stream.end())));
    },
  };
}
