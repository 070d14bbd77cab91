// The picture of a run at one moment: lines that fit a terminal. Pure: what is known, the clock and the size go in, lines come out.
import { clean } from "./lines.ts";
import type { StepTable, TrackedStep } from "./steps.ts";
import { elapsed, formatStatus } from "./steps.ts";
import type { Style } from "./style.ts";
import { duration } from "./units.ts";
import { expandTabs, truncate, width } from "./width.ts";

export interface FrameInput {
  readonly table: StepTable;
  /** The word of the header, e.g. `Running`. */
  readonly title: string;
  /** Id in the history; "" where it has none. */
  readonly run: string;
  /** Milliseconds since 1970 at which the run began. */
  readonly began: number;
  readonly now: number;
  readonly columns: number;
  /** Lines that may be used; Infinity for the last picture, which stays. */
  readonly rows: number;
  readonly style: Style;
}

/** One component, as far as it was seen: folded into a single line when all its known steps have ended. */
interface Group {
  readonly name: string;
  readonly component: string;
  /** Steps that ended, as they were first seen. */
  readonly ended: TrackedStep[];
  /** Steps that have a line of their own while the component runs: those that run, wait or failed. */
  readonly open: TrackedStep[];
  running: boolean;
  /** Milliseconds since 1970: the first start (Infinity before it), and the last end. */
  began: number;
  completed: number;
}

interface Detail {
  readonly logs: number;
  readonly statuses: number;
  /** A component with one step that runs takes one line for both. */
  readonly folded: boolean;
}

/** Where there is no room for anything else. */
const least: Detail = { logs: 0, statuses: 0, folded: true };

/** How much is shown of steps that run; less when the terminal is low. */
const details: readonly Detail[] = [
  { logs: 6, statuses: 8, folded: false },
  { logs: 6, statuses: 3, folded: false },
  { logs: 3, statuses: 2, folded: false },
  { logs: 1, statuses: 1, folded: false },
  { logs: 1, statuses: 1, folded: true },
  { logs: 0, statuses: 1, folded: true },
  least,
];

/** The name under which the steps go that dagger adds itself. */
const ownGroup = "internal";

/** A line that is not written out yet: how many there are decides which of them there is room for. */
type Line = () => string;

const written = (lines: readonly Line[]): string[] => lines.map((line) => line());

export function renderFrame(input: FrameInput): string[] {
  const { table, style } = input;
  const count = table.total > 0 ? ` (${table.finished}/${table.total})` : "";
  const title = `[+] ${input.title} ${duration(input.now - input.began)}${count}`;
  const header = style.bold(truncate(input.run === "" ? title : `${title} run ${input.run}`, input.columns));
  const groups = grouped(table);
  const running = groups.filter((group) => group.running);
  const room = input.rows - 1;
  // Counted first, drawn once: a terminal has rarely room for all that many components could show.
  for (const detail of details) {
    const height = running.reduce((sum, group) => sum + heightOf(group, detail), 0);
    if (height > room) continue;
    // What has ended can be left out first: the header counts it.
    const ended = groups.filter((group) => !group.running).sort((a, b) => a.completed - b.completed);
    const shown = ended.slice(Math.max(0, ended.length - (room - height)));
    return [
      header,
      ...shown.map((group) => endedLine(group, input)),
      ...running.flatMap((group) => written(runningLines(group, detail, input))),
    ];
  }
  return [header, ...firstOf(running, room, input)];
}

/** As many as there is room for when each takes as little as it can, and how many there are more. */
function firstOf(running: readonly Group[], room: number, input: FrameInput): string[] {
  const shown: Line[] = [];
  for (const [index, group] of running.entries()) {
    const block = runningLines(group, least, input);
    if (shown.length + block.length > room - 1) {
      const more = input.style.dim(truncate(` => … and ${running.length - index} more`, input.columns));
      return room > 1 ? [...written(shown), more] : written(block.slice(0, room));
    }
    shown.push(...block);
  }
  return written(shown);
}

/** Components by the time they were first seen. */
function grouped(table: StepTable): Group[] {
  const groups = new Map<string, Group>();
  for (const tracked of table.steps.values()) {
    const { state, started, completed } = tracked;
    if (state === "waiting" && tracked.statuses.size === 0 && tracked.log.length === 0) continue;
    const { component } = tracked.step;
    const name = component || ownGroup;
    let group = groups.get(name);
    if (group === undefined) {
      group = { name, component, ended: [], open: [], running: false, began: Infinity, completed: 0 };
      groups.set(name, group);
    }
    const runs = state === "started" || state === "waiting";
    if (!runs) group.ended.push(tracked);
    if (runs || state === "error") group.open.push(tracked);
    group.running ||= runs;
    if (started !== 0) group.began = Math.min(group.began, started);
    group.completed = Math.max(group.completed, completed);
  }
  return [...groups.values()];
}

function endedLine(group: Group, input: FrameInput): string {
  const { style } = input;
  const [failed] = group.open;
  if (failed !== undefined) return row(input, 1, style.red, "ERROR ", `${group.name}: ${failed.step.name}`, time(group, input));
  const has = (state: TrackedStep["state"]): boolean => group.ended.some((tracked) => tracked.state === state);
  if (has("canceled")) return row(input, 1, style.yellow, "CANCELED ", group.name, time(group, input));
  if (!has("done")) return row(input, 1, style.green, "CACHED ", group.name, time(group, input));
  return row(input, 1, style.blue, "", group.name, time(group, input));
}

/** The only step that such a component shows, where it shares the component's line. */
function folded({ open: [only, ...others] }: Group, detail: Detail): TrackedStep | undefined {
  return detail.folded && others.length === 0 && only?.state !== "error" ? only : undefined;
}

/** How many lines `runningLines` gives. */
function heightOf(group: Group, detail: Detail): number {
  let height = folded(group, detail) === undefined ? 1 + group.open.length : 1;
  for (const tracked of group.open) if (tracked.state !== "error") height += movingIn(tracked, detail);
  return height;
}

/** How many lines `stepLines` gives. */
function movingIn({ statuses, log, streams }: TrackedStep, detail: Detail): number {
  let open = 0;
  for (const { completed } of statuses.values()) if (!completed) open++;
  const logs = log.length + (streams[1].partial === "" ? 0 : 1) + (streams[2].partial === "" ? 0 : 1);
  return Math.min(open, detail.statuses) + Math.min(logs, detail.logs);
}

function runningLines(group: Group, detail: Detail, input: FrameInput): Line[] {
  const { ended, open } = group;
  // A step that failed has ended, and is shown.
  const known = ended.length + open.filter(({ state }) => state !== "error").length;
  const count = `${ended.length}/${Math.max(input.table.planned(group.component), known)}`;
  const only = folded(group, detail);
  if (only !== undefined) {
    const line: Line = () => row(input, 1, input.style.bold, "", `${group.name} ${count} ${only.step.name}`, time(group, input));
    return [line, ...stepLines(only, detail, 2, input)];
  }
  const lines: Line[] = [() => row(input, 1, input.style.bold, "", `${group.name} ${count}`, time(group, input))];
  for (const tracked of open) {
    const failed = tracked.state === "error";
    const [paint, mark] = failed ? [input.style.red, "ERROR "] : [plain, ""];
    lines.push(() => row(input, 2, paint, mark, tracked.step.name, duration(elapsed(tracked, input.now))));
    if (!failed) lines.push(...stepLines(tracked, detail, 3, input));
  }
  return lines;
}

const plain = (text: string): string => text;

/** What moves in a step: transfers, and the end of its log. */
function stepLines(tracked: TrackedStep, detail: Detail, depth: number, input: FrameInput): Line[] {
  const { columns, style } = input;
  const open = [...tracked.statuses].filter(([, { completed }]) => !completed).slice(0, detail.statuses);
  return [
    ...open.map(
      ([id, status]): Line =>
        () =>
          row(input, depth, style.dim, "", formatStatus({ id, ...status, name: clean(status.name) }), ""),
    ),
    ...logWindow(tracked, detail.logs).map(
      (log): Line =>
        () =>
          style.dim(truncate(` => => # ${expandTabs(clean(log))}`, columns)),
    ),
  ];
}

function logWindow(tracked: TrackedStep, limit: number): string[] {
  const partials = [tracked.streams[1].partial, tracked.streams[2].partial].filter((line) => line !== "");
  const lines = [...tracked.log.last(limit), ...partials];
  return lines.slice(Math.max(0, lines.length - limit));
}

/** Time from the first start to the last end of a component's steps. */
function time(group: Group, { now }: FrameInput): string {
  return duration(group.began === Infinity ? 0 : (group.running ? now : group.completed) - group.began);
}

/** ` => => name                 0.3s`: the name is cut before the time is. */
function row(input: FrameInput, depth: number, paint: (text: string) => string, mark: string, name: string, time: string): string {
  const lead = `${" =>".repeat(depth)} ${mark}`;
  const room = input.columns - width(lead) - (time === "" ? 0 : width(time) + 1);
  if (room < 4) return truncate(`${lead}${name}`, input.columns);
  const text = truncate(name, room);
  const gap = time === "" ? "" : " ".repeat(room - width(text) + 1);
  return `${paint(`${lead}${text}`)}${gap}${time}`;
}
