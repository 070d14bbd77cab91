// A clock for durations.

/** Milliseconds since some moment; never goes back. Says what performance.now() does, for which Node loads a dozen modules first. */
export function elapsed(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
