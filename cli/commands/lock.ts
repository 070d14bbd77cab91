// dagger lock update and check.
import type { LockEntry, LockRequest, LockState } from "../../engine/index.ts";
import type { Context, DaemonFlags, OutputFormat, ReadingFlags } from "../context.ts";
import { daemonOf, readingOf, surroundings } from "../context.ts";
import { clean } from "../output/lines.ts";
import { formatJson, formatTable } from "../output/table.ts";
import { plural } from "../output/units.ts";
import { placeOf } from "../stack.ts";

export interface LockFlags extends ReadingFlags, DaemonFlags {
  readonly secret?: readonly string[];
  readonly allowHost?: boolean;
  readonly ssh?: readonly string[];
  readonly output: OutputFormat;
}

export async function lockUpdateCommand(
  context: Context,
  dir: string | undefined,
  names: readonly string[],
  flags: LockFlags,
): Promise<void> {
  const { updateLock } = await import("../../engine/index.ts");
  const state = await updateLock({ ...(await requestOf(context, dir, flags)), names });
  if (flags.output === "json") context.io.stdout.write(formatJson(state));
  else {
    const changed = state.entries.filter(({ locked, now }) => locked !== now);
    context.io.stdout.write(
      formatTable(changed.map((entry) => [changeOf(entry, "update"), clean(entry.name), short(entry.now ?? entry.locked)])),
    );
    const total = state.entries.filter(({ now }) => now !== undefined).length;
    context.io.stdout.write(`${state.file} has ${plural(total, "entry", "entries")}, ${changed.length} changed\n`);
  }
  tellWaiting(context, state);
}

/** Exit code 1, without findings of its own, when the lock does not say what is. */
export async function lockCheckCommand(context: Context, dir: string | undefined, flags: LockFlags): Promise<void> {
  const { checkLock, UserError } = await import("../../engine/index.ts");
  const state = await checkLock(await requestOf(context, dir, flags));
  const differing = state.entries.filter(({ locked, now }) => locked !== now);
  if (flags.output === "json") context.io.stdout.write(formatJson({ ok: differing.length === 0, ...state }));
  else context.io.stdout.write(formatTable(differing.map((entry) => [changeOf(entry, "check"), clean(entry.name), arrow(entry)])));
  tellWaiting(context, state);
  if (differing.length === 0) return;
  context.io.stderr.write(`${plural(differing.length, "difference")} to ${state.file}: run \`dagger lock update\`\n`);
  throw new UserError(1, []);
}

function changeOf({ locked, now }: LockEntry, command: "update" | "check"): string {
  if (locked === undefined) return command === "update" ? "added" : "missing";
  if (now === undefined) return command === "update" ? "removed" : "unused";
  return command === "update" ? "updated" : "moved";
}

function arrow({ locked, now }: LockEntry): string {
  return locked === undefined || now === undefined ? short(now ?? locked) : `${short(locked)} -> ${short(now)}`;
}

/** As much as one tells digests apart by. */
function short(value = ""): string {
  return value.replace(/^(sha256:)?([0-9a-f]{12})[0-9a-f]*$/, "$1$2");
}

function tellWaiting({ io }: Context, { waiting }: LockState): void {
  if (waiting.length === 0) return;
  io.stderr.write(`Not locked: what these fetch, which wait for values of the run: ${waiting.map((path) => clean(path)).join(", ")}\n`);
}

async function requestOf(context: Context, dir: string | undefined, flags: LockFlags): Promise<LockRequest> {
  return {
    ...surroundings(context),
    ...readingOf(flags),
    ...daemonOf(flags),
    ...(await placeOf(context, dir, flags)),
    allowHost: flags.allowHost === true,
    signal: context.signal,
  };
}
