// The embedded daemon's log file: kept small, its end quoted in errors, read and followed by `dagger engine logs`.
import { copyFile, open, readFile, stat, truncate } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { Location } from "./location.ts";

const rotateAbove = 10 * 1024 * 1024;

/**
 * Moves a log that grew too long to `<log>.1`. The daemon keeps its file open for appending, so the file is copied and
 * emptied, not renamed. Call it under the daemon's lock.
 */
export async function rotateLog(location: Location, limit: number = rotateAbove): Promise<void> {
  const size = await stat(location.log).then(
    (found) => found.size,
    () => 0,
  );
  if (size <= limit) return;
  await copyFile(location.log, `${location.log}.1`);
  await truncate(location.log);
}

/** Whether `rotateLog` has something to do; cheap, needs no lock. */
export async function logIsLong(location: Location): Promise<boolean> {
  return stat(location.log).then(
    (found) => found.size > rotateAbove,
    () => false,
  );
}

/** The last lines of the log from byte `from` on. */
export async function logTail(location: Location, lines: number, from = 0): Promise<string> {
  const text = await readFile(location.log).catch(() => Buffer.alloc(0));
  return text
    .subarray(from <= text.length ? from : 0)
    .toString("utf8")
    .trimEnd()
    .split("\n")
    .slice(-lines)
    .join("\n");
}

/**
 * The log's bytes from its start; with `follow`, then whatever is added, until `signal` aborts (which ends it without an
 * error). A rotation in between starts over with the new content. Nothing when there is no log yet.
 */
export async function* readLog(
  location: Pick<Location, "log">,
  options: { follow: boolean; signal?: AbortSignal | undefined },
): AsyncGenerator<Uint8Array> {
  let offset = 0;
  while (options.signal?.aborted !== true) {
    const chunk = await readFrom(location.log, offset);
    if (chunk.rotated) offset = 0;
    else if (chunk.data.byteLength > 0) {
      offset += chunk.data.byteLength;
      yield chunk.data;
    } else if (!options.follow) return;
    else await sleep(200, undefined, { signal: options.signal }).catch(() => undefined);
  }
}

async function readFrom(file: string, offset: number): Promise<{ data: Uint8Array; rotated: boolean }> {
  const nothing = { data: new Uint8Array(), rotated: false };
  const handle = await open(file, "r").catch(() => undefined);
  if (handle === undefined) return nothing;
  try {
    if ((await handle.stat()).size < offset) return { ...nothing, rotated: true };
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(65_536), 0, 65_536, offset);
    return { data: buffer.subarray(0, bytesRead), rotated: false };
  } finally {
    await handle.close();
  }
}
