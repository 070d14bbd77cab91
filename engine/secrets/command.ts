// Secrets that a program of this machine tells: `cmd:pass show token`. It runs only where the user agreed to that.
import { spawn } from "node:child_process";
import { inputError, UserError } from "../../compiler/index.ts";
import { maxSecretSize } from "../../runtime/session/index.ts";
import { isAllowed } from "./consent.ts";
import type { SecretScope, SecretsProvider } from "./provider.ts";

/** The value is what the command prints, without the newline at its end, as in a shell's `$(…)`. */
export const commandProvider: SecretsProvider = {
  read: async (command, scope) => {
    if (scope.allowHost !== true && !(await isAllowed(command, scope))) {
      throw inputError({
        code: "host-not-allowed",
        message: `A secret is to come from the command ${JSON.stringify(command)}, and commands on this machine are not allowed`,
        at: [],
        hint: "Look at the command, and allow it with --allow-host, or for this workspace with `dagger secret allow COMMAND`",
      });
    }
    const { output, code, why } = await run(command, scope);
    if (code === 0) return output.subarray(0, output.at(-1) === 10 ? output.length - (output.at(-2) === 13 ? 2 : 1) : output.length);
    throw new UserError(3, [
      {
        code: "secret-command-failed",
        message: `The command of a secret ended with ${code === null ? "a signal" : `exit code ${code}`}${why === "" ? "" : `: ${why}`}`,
        at: [],
        hint: "Run the command by itself to see what it needs",
      },
    ]);
  },
};

interface Ended {
  readonly output: Buffer;
  readonly code: number | null;
  /** The last line of its stderr. */
  readonly why: string;
}

function run(command: string, { env, cwd, signal }: SecretScope): Promise<Ended> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(interrupted());
    // A group of its own, so that what the shell started ends with it.
    const child = spawn("/bin/sh", ["-c", command], { env: { ...env }, cwd, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    const stop = (): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      } catch {
        // It has ended by itself.
      }
    };
    signal?.addEventListener("abort", stop, { once: true });
    const output: Buffer[] = [];
    let size = 0;
    let told = "";
    child.stdout.on("data", (part: Buffer) => {
      // One byte more tells that it is too much.
      if (size <= maxSecretSize) output.push(part);
      else stop();
      size += part.length;
    });
    child.stderr.on("data", (part: Buffer) => {
      told = (told + part.toString("utf8")).slice(-2000);
    });
    child.once("error", (cause) => {
      const message = `Cannot run the command of a secret: ${cause.message}`;
      reject(new UserError(3, [{ code: "secret-command-failed", message, at: [], hint: "Check that /bin/sh is there" }], { cause }));
    });
    child.once("close", (code) => {
      signal?.removeEventListener("abort", stop);
      if (signal?.aborted === true) return reject(interrupted());
      const why = told.trimEnd().split("\n").at(-1) ?? "";
      resolve({ output: Buffer.concat(output), code: size > maxSecretSize ? 0 : code, why });
    });
  });
}

function interrupted(): UserError {
  return new UserError(130, [{ code: "interrupted", message: "Interrupted", at: [] }]);
}
