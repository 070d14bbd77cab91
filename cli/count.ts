// Numbers in flags.
import { UsageError } from "./failure.ts";

/** A whole number of at most nine digits. Throws UsageError. */
export function count(flag: string, text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new UsageError({
    code: "bad-flag-value",
    message: `Cannot read ${flag} ${JSON.stringify(text)}: expected a number`,
    at: [],
    hint: `Write for example ${flag} 100`,
  });
}
