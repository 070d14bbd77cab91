// Runs a program to its end and gives what it printed.
import { type ExecFileOptions, execFile } from "node:child_process";
import { promisify } from "node:util";

/** Rejects as promisify(execFile) does. That is made at each call: child_process is not loaded by runs that start no program. */
export async function runProgram(
  file: string,
  args: readonly string[],
  options: ExecFileOptions = {},
): Promise<{ stdout: string; stderr: string }> {
  return promisify(execFile)(file, args, { ...options, encoding: "utf8" });
}
