// The daemon leaves out what a step writes beyond a limit, and says so inside the log: here this becomes words of ours.
import type { Step, UpEvent } from "../events.ts";

/** As the daemon writes it, at the end of the last piece before the gap. */
const mark = /\n\[output clipped, log limit (\S+) reached\]\n$/;
const longestMark = 80;

/** The piece of a log without the daemon's remark; `limit` (`2 MiB`, `200 KiB/s`) where there was one. */
export function withoutMark(data: Uint8Array): { readonly data: Uint8Array; readonly limit?: string } {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  if (bytes.at(-1) !== 0x0a || bytes.at(-2) !== 0x5d) return { data };
  const [whole = "", size = ""] = mark.exec(bytes.subarray(-longestMark).toString("latin1")) ?? [];
  if (whole === "") return { data };
  const limit = size.replace(/^(\d+)(?=[A-Z])/i, "$1 ");
  const gap = `\n[output left out: the daemon passes on ${limit} of a log]\n`;
  return { data: Buffer.concat([bytes.subarray(0, -whole.length), Buffer.from(gap)]), limit };
}

/** Told once per step. */
export function clippedWarning({ name, component, at }: Step, limit: string): UpEvent {
  const of = component === "" ? "" : ` of ${component}`;
  return {
    type: "warning",
    message: `Parts of the log of \`${name}\`${of} are missing: the daemon passes on ${limit} of it, and its last 256 KiB`,
    detail: [
      "For the whole log, let the step write it to a file and save that,",
      "or start the daemon with BUILDKIT_STEP_LOG_MAX_SIZE=-1 and BUILDKIT_STEP_LOG_MAX_SPEED=-1",
    ],
    at,
  };
}
