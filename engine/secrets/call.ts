// Secrets that the program around the engine gives by a function: `call:NAME`. On the command line there are none.
import { UserError } from "../../compiler/index.ts";
import type { SecretsProvider } from "./provider.ts";

export const callProvider: SecretsProvider = {
  read: async (name, { secretCalls, signal }) => {
    const call = secretCalls?.get(name);
    if (call === undefined) return undefined;
    try {
      const value = await unlessAborted(Promise.resolve(call(signal)), signal);
      return typeof value === "string" ? Buffer.from(value) : value;
    } catch (cause) {
      if (signal?.aborted === true) throw new UserError(130, [{ code: "interrupted", message: "Interrupted", at: [] }]);
      // What the function says may hold the value, or a part of it.
      throw new UserError(3, [{ code: "secret-call-failed", message: `The function for secret ${JSON.stringify(name)} failed`, at: [] }], {
        cause,
      });
    }
  },
};

/** A function that does not heed the signal holds nobody up. */
function unlessAborted<T>(value: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(new Error("aborted"));
    if (signal?.aborted === true) abort();
    signal?.addEventListener("abort", abort, { once: true });
    value.then(resolve, reject).finally(() => signal?.removeEventListener("abort", abort));
  });
}
