// How long is waited for what may never come: registries and stores of cache that are silent, hooks after an interrupt.
import { inputError } from "../../compiler/index.ts";

const units: Readonly<Record<string, number>> = { s: 1_000, m: 60_000 };

type Env = Readonly<Record<string, string | undefined>>;

/** How long registries and stores of cache may be silent: milliseconds, from DAGGER_NETWORK_TIMEOUT. Throws UserError (2) `bad-timeout`. */
export function parsePatience(env: Env): { readonly patience?: number } {
  const patience = patienceOf(env, "DAGGER_NETWORK_TIMEOUT");
  return patience === undefined ? {} : { patience };
}

/** Milliseconds, from a variable (`30s`, `5m`); undefined when it is not set. Throws UserError (2) `bad-timeout`. */
export function patienceOf(env: Env, variable: string): number | undefined {
  const text = env[variable] ?? "";
  if (text === "") return undefined;
  const [, count = "", unit = ""] = /^([1-9]\d{0,5})(s|m)$/.exec(text) ?? [];
  const patience = Number(count) * (units[unit] ?? 0);
  if (patience > 0) return patience;
  throw inputError({
    code: "bad-timeout",
    message: `Cannot read ${variable} ${JSON.stringify(text)}`,
    at: [],
    hint: "Write for example 90s or 5m",
  });
}
