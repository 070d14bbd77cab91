// Ends a service, whoever looks after it; and gives its log.
import { open, stat } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { removeContainer } from "./engine.ts";
import {
  findState,
  isRunning,
  isUnderway,
  listStates,
  logFile,
  type ProcessMark,
  readState,
  type ServiceState,
  writeState,
} from "./state.ts";

/** Looks for the end of a process every so many milliseconds. */
const pause = 30;
/** How long a supervisor may take to end beside what its service may. */
const patience = 15_000;

/** Returns when nothing of it runs any more. `grace` is what the service has to end by itself, milliseconds. */
export async function endService(dir: string, state: ServiceState, grace: number): Promise<void> {
  const { supervisor, process: own } = state;
  if (isRunning(supervisor)) await end(supervisor, "SIGTERM", grace + patience);
  if (isRunning(supervisor)) await end(supervisor, "SIGKILL", patience);
  const process = readState(dir)?.process ?? own;
  if (isRunning(process)) await endGroup(process, grace);
  const { container = state.container } = readState(dir) ?? {};
  if (container !== undefined) await removeContainer(container, dir);
  const now = readState(dir);
  if (now !== undefined && (isUnderway(now) || now.status === "lost")) {
    const { process: _, supervisor: __, why: ___, ...rest } = now;
    await writeState(dir, { ...rest, status: "stopped", since: Date.now() });
  }
}

/** Of one whose supervisor was killed. */
async function endGroup(process: ProcessMark | undefined, grace: number): Promise<void> {
  if (process === undefined) return;
  const group = { ...process, pid: process.pid };
  await end(group, "SIGTERM", grace, -group.pid);
  await end(group, "SIGKILL", patience, -group.pid);
}

async function end(mark: ProcessMark | undefined, name: "SIGTERM" | "SIGKILL", within: number, target = mark?.pid ?? 0): Promise<void> {
  if (mark === undefined) return;
  try {
    process.kill(target, name);
  } catch {
    return;
  }
  for (let waited = 0; waited < within && isRunning(mark); waited += pause) await sleep(pause);
}

export interface ServicesRequest {
  /** Absolute directory in the workspace. */
  readonly cwd: string;
}

/** The services of the workspace around a directory, by name. Throws UserError (2) `no-workspace`. */
export function listServices({ cwd }: ServicesRequest): Promise<ServiceState[]> {
  return listStates(cwd);
}

/** Ends the services of these names, or all; gives those that ran. Throws UserError (2) `no-workspace`, `unknown-service`. */
export async function stopServices({ cwd, names }: ServicesRequest & { readonly names: readonly string[] | "all" }): Promise<string[]> {
  const wanted = names === "all" ? (await listStates(cwd)).map(({ name }) => name) : names;
  const found = await Promise.all(wanted.map((name) => findState(cwd, name)));
  const stopped = await Promise.all(
    found.map(async ({ dir, state }) => {
      const runs = isUnderway(state) || isRunning(state.process);
      if (runs || state.status === "lost") await endService(dir, state, 60_000);
      return runs ? [state.name] : [];
    }),
  );
  return stopped.flat();
}

/** The log of a service; with `follow` until the signal aborts or the service has ended. Throws UserError (2) `unknown-service`. */
export async function* serviceLogs({
  cwd,
  name,
  follow,
  signal,
}: ServicesRequest & { readonly name: string; readonly follow: boolean; readonly signal: AbortSignal }): AsyncGenerator<Uint8Array> {
  const { dir } = await findState(cwd, name);
  const file = logFile(dir);
  yield* read(`${file}.1`, 0);
  let at = 0;
  for (;;) {
    const state = readState(dir);
    const size = (await stat(file).catch(() => undefined))?.size ?? 0;
    // It was begun anew.
    if (size < at) at = 0;
    for await (const data of read(file, at)) {
      at += data.length;
      yield data;
    }
    if (!follow || signal.aborted || state === undefined || !isUnderway(state)) return;
    await sleep(200, undefined, { signal }).catch(() => undefined);
  }
}

async function* read(file: string, start: number): AsyncGenerator<Uint8Array> {
  const handle = await open(file).catch(() => undefined);
  if (handle === undefined) return;
  try {
    for await (const data of handle.createReadStream({ start, autoClose: false })) yield data as Buffer;
  } finally {
    await handle.close();
  }
}
