// Why a component runs, in words: the answer first, then each thing that is not as it was.
import type { Change, ComponentChanges, Why } from "../../engine/index.ts";
import { unifiedDiff } from "./diff.ts";
import { timeText } from "./history.ts";
import { clean } from "./lines.ts";
import type { Style } from "./style.ts";

/** Letters of a value that are shown. */
const widest = 100;
/** Files, and lines of a text, that are told one by one. */
const most = 20;

/** Ends with a newline. */
export function formatWhy(why: Why, style: Style): string {
  const { changes, inputs } = why;
  const parts = changes.flatMap((one, index) => componentLines(one, index === 0 ? undefined : style.bold(named(one.path)), style));
  const given = inputs.map(({ path, before, after }) => `  input ${clean(path)}: ${arrow(before, after, style)}`);
  const others =
    given.length === 0 || !changes.some((one) => one.changes.some(({ kind }) => kind === "value")) ? [] : ["With other inputs:", ...given];
  return `${[answer(why, style), ...parts, ...others].join("\n")}\n`;
}

function answer({ component, verdict, run, since, waits }: Why, style: Style): string {
  const name = style.bold(named(component));
  const then = since === undefined ? "" : `the run ${since.run} (${timeText(since.time)})`;
  const ran = run === undefined ? "would run" : "ran";
  switch (verdict) {
    case "cached":
      return `${name} ${run === undefined ? "would come" : "came"} from the cache: nothing has changed since ${then}`;
    case "new":
      return `${name} ${ran}: it ${run === undefined ? "has not succeeded in any run" : "had not succeeded in any run before"}`;
    case "failed":
      return `${name} would run: nothing has changed since ${then}, but it failed when it ran after that`;
    case "lost":
      return `${name} ran, though nothing had changed since ${then}: ${run?.noCache === true ? "--no-cache runs everything" : "the daemon no longer had it in its cache"}`;
    case "waits":
      return `${name} waits for ${waits.map((path) => clean(path)).join(", ")}, which no run has given yet`;
    case "changed":
      return `${name} ${run?.state === "cached" ? "came from the cache, though it is not made from what it was in" : `${ran}, since it is not made from what it was in`} ${then}:`;
  }
}

/** Other components than the one that is asked about are named. */
function componentLines({ changes }: ComponentChanges, title: string | undefined, style: Style): string[] {
  return [
    ...(title === undefined ? [] : [`${title}, because:`]),
    ...changes.flatMap((change) => changeLines(change, style)).map((line) => `  ${line}`),
  ];
}

function changeLines(change: Change, style: Style): string[] {
  switch (change.kind) {
    case "value":
      return valueLines(change, style);
    case "source": {
      const [kind = "", ...name] = change.name.split(" ");
      return [`${kind} ${clean(name.join(" "))}: ${arrow(change.before, change.after, style)}`];
    }
    case "directory":
      return directoryLines(change, style);
    case "component":
      return [`it uses ${style.bold(named(change.path))}, which runs`];
    case "always":
      return [`${clean(change.step)} runs always`];
  }
}

function valueLines({ path, before, after, at }: Extract<Change, { kind: "value" }>, style: Style): string[] {
  const place = at === undefined ? "" : style.dim(`  ${clean(at.file)}:${at.line}:${at.column}`);
  const lines = [before, after].every((text) => typeof text === "string") && [before, after].some((text) => String(text).includes("\n"));
  if (!lines) return [`${clean(path)}: ${arrow(before, after, style)}${place}`];
  const [, , ...hunks] = unifiedDiff("", String(before), String(after)).trimEnd().split("\n");
  const shown = hunks.slice(0, most).map((line) => painted(line.slice(0, 1), clean(line), style));
  return [`${clean(path)}:${place}`, ...shown.map((line) => `  ${line}`), ...more(hunks.length - most, "line")];
}

function directoryLines({ name, added, removed, changed }: Extract<Change, { kind: "directory" }>, style: Style): string[] {
  const files = [
    ...changed.map((path) => ["~", path] as const),
    ...added.map((path) => ["+", path] as const),
    ...removed.map((path) => ["-", path] as const),
  ];
  const shown = files.slice(0, most).map(([mark, path]) => `  ${painted(mark, `${mark} ${clean(path)}`, style)}`);
  return [`directory ${clean(name)}:`, ...shown, ...more(files.length - most, "file")];
}

function more(count: number, what: string): string[] {
  return count <= 0 ? [] : [`  and ${count} more ${what}${count === 1 ? "" : "s"}`];
}

function painted(mark: string, text: string, style: Style): string {
  return mark === "+" ? style.green(text) : mark === "-" ? style.red(text) : mark === "~" ? style.yellow(text) : text;
}

function arrow(before: unknown, after: unknown, style: Style): string {
  if (before === undefined) return `${style.green(short(after))} is new`;
  if (after === undefined) return `${style.red(short(before))} is gone`;
  return `${style.red(short(before))} → ${style.green(short(after))}`;
}

/** Digests and commits stand as they are, everything else as JSON. */
function short(value: unknown): string {
  const text = typeof value === "string" && /^(sha256:)?[0-9a-f]{40,}$/.test(value) ? value : clean(JSON.stringify(value));
  return text.length > widest ? `${text.slice(0, widest - 1)}…` : text;
}

function named(path: string): string {
  return path === "" ? "(root)" : clean(path);
}
