// Runs that are remembered, as people read them.
import type { RecordedRun, RunDiff, ShownRun } from "../../engine/index.ts";
import { changedText } from "./change.ts";
import { unifiedDiff } from "./diff.ts";
import { clean } from "./lines.ts";
import type { Style } from "./style.ts";
import { formatTable } from "./table.ts";
import { bytes, duration, plural } from "./units.ts";

/** What a summary may say; all of it is missing for a run that was killed. */
interface Summary {
  readonly steps?: { readonly total: number; readonly cached: number };
  readonly definition?: string;
  readonly errors?: readonly { readonly code: string; readonly message: string }[];
}

export function formatRuns(runs: readonly RecordedRun[], style: Style): string {
  if (runs.length === 0) return "No runs\n";
  return formatTable(
    runs.map((run) => [run.id, timeText(run.created), clean(placeText(run)), stateText(run, style), tookText(run), stepsText(run)]),
  );
}

export function formatRun({ run, components, config }: ShownRun, style: Style): string {
  const { versions } = run;
  const summary = (run.summary ?? {}) as Summary;
  const rows = [
    ["run", run.id],
    ["of", clean(placeText(run))],
    ["state", stateText(run, style)],
    ["started", timeText(run.created)],
    ...triggerRows(run),
    ...(tookText(run) === "" ? [] : [["took", tookText(run)]]),
    ["versions", `dagger ${versions.dagger}, CUE ${versions.cue}, BuildKit ${versions.buildkit}`],
    ...(run.passes > 0 ? [["passes", String(run.passes)]] : []),
    ...(stepsText(run) === "" ? [] : [["steps", stepsText(run)]]),
    ...(summary.definition === undefined ? [] : [["definition", summary.definition]]),
    ...(run.config === undefined ? [] : [["config", run.config]]),
    ...(config?.inputs ?? []).map((input) => ["input", clean(input)]),
  ];
  const errors = (summary.errors ?? []).map(({ code, message }) => `${style.red(`error[${code}]`)}: ${clean(message)}\n`);
  const parts = components.map((component) => [
    clean(component.path),
    component.state,
    duration(component.ms),
    plural(component.steps, "step"),
    component.error === undefined ? "" : clean(component.error.split("\n")[0] ?? ""),
  ]);
  return `${formatTable(rows)}${errors.join("")}${parts.length === 0 ? "" : `\n${formatTable(parts)}`}`;
}

/** Of a run that began because of a change. */
function triggerRows({ request }: RecordedRun): string[][] {
  const { trigger } = (request ?? {}) as {
    readonly trigger?: { readonly kind: string; readonly changed: string[]; readonly more: number };
  };
  if (trigger === undefined) return [];
  return [["trigger", `${trigger.kind}: ${changedText(trigger)}`]];
}

export function formatDiff(diff: RunDiff, style: Style): string {
  const { before, after, files, facts, components } = diff;
  if (files.length + facts.length + components.length === 0) return "No difference\n";
  const said = (value: unknown): string => (value === undefined ? "" : typeof value === "string" ? clean(value) : JSON.stringify(value));
  const lines = (name: string, a: unknown, b: unknown): string =>
    `${name}:\n${a === undefined ? "" : `${style.red(`  - ${said(a)}`)}\n`}${b === undefined ? "" : `${style.green(`  + ${said(b)}`)}\n`}`;
  return [
    `${style.dim(`${before.id} → ${after.id}`)}\n`,
    ...facts.map((fact) => lines(fact.name, fact.before, fact.after)),
    ...components.map((one) => lines(clean(one.path), outcomeOf(one.before), outcomeOf(one.after))),
    ...files.map(fileText),
  ].join("");
}

function fileText({ name, before, after }: RunDiff["files"][number]): string {
  const file = clean(name);
  const names = [before === undefined ? "/dev/null" : file, after === undefined ? "/dev/null" : file] as const;
  return unifiedDiff(file, before ?? "", after ?? "", names).replaceAll(/^.*$/gm, (line) => clean(line));
}

/** What stands where logs were cut. */
export function cutText(cut: { readonly lines: number; readonly bytes: number }): string {
  return `[${plural(cut.lines, "line")} (${bytes(cut.bytes)}) left out here: the run wrote more than is kept]`;
}

export function placeText({ stack, env }: Pick<RecordedRun, "stack" | "env">): string {
  return stack === "" ? env : `${stack}/${env}`;
}

/** `2026-11-21 09:30:07`, in the time of this machine. */
export function timeText(time: number): string {
  const at = new Date(time);
  const two = (number: number): string => String(number).padStart(2, "0");
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

function outcomeOf(component: RunDiff["components"][number]["before"]): string | undefined {
  if (component === undefined) return undefined;
  const { state, error, outputs } = component;
  return [state, ...(error === undefined ? [] : [error]), ...(outputs === undefined ? [] : [JSON.stringify(outputs)])].join(" ");
}

function stateText({ state, reason }: RecordedRun, style: Style): string {
  const text = reason === undefined || reason === "" || state === "done" ? state : `${state} (${clean(reason)})`;
  if (state === "done") return style.green(text);
  return state === "failed" || state === "interrupted" ? style.red(text) : style.yellow(text);
}

function tookText({ created, ended }: RecordedRun): string {
  return ended === undefined ? "" : duration(ended - created);
}

function stepsText({ summary }: RecordedRun): string {
  const { steps } = (summary ?? {}) as Summary;
  return steps === undefined ? "" : `${plural(steps.total, "step")}, ${steps.cached} cached`;
}
