// Runs a program of this machine for a check, with nothing but what it is given; it ends, with all that it started, when the check does.
import { spawn } from "node:child_process";
import { UserError } from "../../../compiler/index.ts";
import { noAnswer, problem } from "./reach.ts";

interface Ran {
  readonly ok: boolean;
  /** Exit code, or the signal that ended it. */
  readonly ended: string;
  /** The last 16 KiB. */
  readonly stderr: string;
}

/** `host` is what is asked. Throws UserError: 3 when the program is missing or the host says nothing, 130 when it is interrupted. */
export function runProgram(
  program: "git" | "ssh",
  args: readonly string[],
  host: string,
  scope: { readonly cwd: string; readonly env: Readonly<Record<string, string | undefined>>; readonly signal: AbortSignal },
): Promise<Ran> {
  const { cwd, env, signal } = scope;
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(ended(host, signal));
    // A group of its own: git has helpers that would live on.
    const child = spawn(program, args, { cwd, env, detached: true, stdio: ["ignore", "ignore", "pipe"] });
    const stop = (): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      } catch {
        // It has ended by itself.
      }
    };
    signal.addEventListener("abort", stop, { once: true });
    let stderr = "";
    child.stderr.on("data", (part: Buffer) => {
      stderr = (stderr + part.toString("utf8")).slice(-16_384);
    });
    child.once("error", (cause) => {
      signal.removeEventListener("abort", stop);
      reject(
        problem(
          3,
          `${program}-missing`,
          `Cannot run ${program}: ${cause.message}`,
          `Install ${program === "ssh" ? "OpenSSH's client" : program}`,
          cause,
        ),
      );
    });
    child.once("close", (code, by) => {
      signal.removeEventListener("abort", stop);
      if (signal.aborted) reject(ended(host, signal));
      else resolve({ ok: code === 0, ended: code === null ? String(by) : `exit code ${code}`, stderr });
    });
  });
}

function ended(host: string, { reason }: AbortSignal): UserError {
  const timedOut = reason instanceof Error && reason.name === "TimeoutError";
  return timedOut ? noAnswer(host) : new UserError(130, [{ code: "interrupted", message: "Interrupted", at: [] }]);
}
