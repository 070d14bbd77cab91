// The terminal of this process as a shell inside a container uses it: keys as they are typed, size, and a way back.
import { spawnSync } from "node:child_process";
import type { ShellTerminal } from "../engine/index.ts";

/** Where stdin and stdout are both a terminal the process gets one; else its input and output are piped. */
export function processTerminal(): ShellTerminal {
  const { stdin, stdout, stderr } = process;
  return {
    tty: stdin.isTTY === true && stdout.isTTY === true,
    stdin,
    stdout,
    stderr,
    size: () => ({ columns: stdout.columns > 0 ? stdout.columns : 80, rows: stdout.rows > 0 ? stdout.rows : 24 }),
    onResize: (callback) => {
      stdout.on("resize", callback);
      return () => stdout.off("resize", callback);
    },
    raw: () => {
      stdin.setRawMode(true);
      // Node's raw mode still turns every newline into two characters, which moves the cursor of programs that draw. Restored with the rest.
      spawnSync("stty", ["-opost"], { stdio: ["inherit", "ignore", "ignore"] });
      return () => {
        stdin.setRawMode(false);
      };
    },
  };
}
