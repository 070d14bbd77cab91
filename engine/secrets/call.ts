// Secrets that the program around the engine gives by a function: `call:NAME`. On the command line there are none.
import { UserError } from "../../compiler/index.ts";
import type { SecretsProvider } from "./provider.ts";

export const callProvider: SecretsProvider = {
  read: async (name, { secretCalls, signal }) => {
    const call = secretCalls?.get(name);
    if (call === undefined) return undefined;
    try {
      const value = await call(signal);
      return typeof value === "string" ? Buffer.from(value) : value;
    } catch (cause) {
      // What the function says may hold the value, or a part of it.
      throw new UserError(3, [{ code: "secret-call-failed", message: `The function for secret ${JSON.stringify(name)} failed`, at: [] }], {
        cause,
      });
    }
  },
};
