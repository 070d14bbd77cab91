// How long registries and stores of cache may be silent before a run gives up on them.
import { inputError } from "../../compiler/index.ts";

const units: Readonly<Record<string, number>> = { s: 1_000, m: 60_000 };

/** Milliseconds, from DAGGER_NETWORK_TIMEOUT (`30s`, `5m`). Throws UserError (2) `bad-timeout`. */
export function parsePatience(env: Readonly<Record<string, string | undefined>>): { readonly patience?: number } {
  const text = env["DAGGER_NETWORK_TIMEOUT"] ?? "";
  if (text === "") return {};
  const [, count = "", unit = ""] = /^([1-9]\d{0,5})(s|m)$/.exec(text) ?? [];
  const patience = Number(count) * (units[unit] ?? 0);
  if (patience > 0) return { patience };
  throw inputError({
    code: "bad-timeout",
    message: `Cannot read DAGGER_NETWORK_TIMEOUT ${JSON.stringify(text)}`,
    at: [],
    hint: "Write for example 90s or 5m",
  });
}
