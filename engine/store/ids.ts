// Ids of runs: they sort as the runs were created, whatever the clock does.

/** Crockford's base 32: no letter that looks like a digit, and in the order of ASCII. */
const digits = "0123456789abcdefghjkmnpqrstvwxyz";

/**
 * 9 characters of time, 4 of the run's number, 5 of chance. `stamp` (milliseconds since 1970) must never go back; the number decides among
 * runs of one millisecond. Chance tells runs of several stores apart.
 */
export function runId(stamp: number, seq: number, chance: Uint8Array): string {
  return inBase32(stamp, 9) + inBase32(seq, 4) + chanceOf(chance);
}

/** What ends the id of a run: whoever gave the chance knows its run again by it. */
export function chanceOf(chance: Uint8Array): string {
  return inBase32(
    chance.reduce((number, byte) => (number * 256 + byte) % 32 ** 5, 0),
    5,
  );
}

/** The last `length` digits. */
function inBase32(number: number, length: number): string {
  let text = "";
  for (let rest = Math.floor(number); text.length < length; rest = Math.floor(rest / 32)) text = digits[rest % 32] + text;
  return text;
}
