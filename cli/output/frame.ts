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
  /** Milliseconds since 1970 at which the run began. */
  readonly began: number;
  readonly now: number;
  readonly columns: number;
  /** Lines that may be used; Infinity for the last picture, which stays. */
  readonly rows: number;
  readonly style: Style;
}

/** One component: folded into a single line when all its known steps have ended. */
interface Group {
  readonly name: string;
  readonly steps: TrackedStep[];
}

interface Detail {
  readonly logs: number;
  readonly statuses: number;
  /** A component with one step that runs takes one line for both. */
  readonly folded: boolean;
}

/** How much is shown of steps that run; less when the terminal is low. */
const details: readonly Detail[] = [
  { logs: 6, statuses: 8, folded: false },
  { logs: 6, statuses: 3, folded: false },
  { logs: 3, statuses: 2, folded: false },
  { logs: 1, statuses: 1, folded: false },
  { logs: 1, statuses: 1, folded: true },
  { logs: 0, statuses: 1, folded: true },
  { logs: 0, statuses: 0, folded: true },
];

/** The name under which the steps go that dagger adds itself. */
const ownGroup = "internal";

/** A line that is not written out yet: how many there are is known before, and decides which of them there is room for. */
type Line = () => string;

const written = (lines: readonly Line[]): string[] => lines.map((line) => line());

export function renderFrame(input: FrameInput): string[] {
  const { table, style } = input;
  const count = table.total > 0 ? ` (${table.finished}/${table.total})` : "";
  const header = style.bold(truncate(`[+] ${input.title} ${duration(input.now - input.began)}${count}`, input.columns));
  const groups = grouped(table);
  const ended = groups
    .filter((group) => !isRunning(group))
    .map(
      (group): Line =>
        () =>
          endedLine(group, input),
    );
  const running = groups.filter(isRunning);
  const room = input.rows - 1;
  let blocks: Line[][] = [];
  for (const detail of details) {
    blocks = running.map((group) => runningLines(group, detail, input));
    const active = blocks.flat();
    // What has ended can be left out first: the header counts it.
    if (active.length <= room) return [header, ...written([...ended.slice(Math.max(0, ended.length - (room - active.length))), ...active])];
  }
  return [header, ...firstOf(blocks, room, input)];
}

/** As many as there is room for, and how many there are more. */
function firstOf(blocks: readonly (readonly Line[])[], room: number, { columns, style }: FrameInput): string[] {
  const shown: Line[] = [];
  for (const [index, block] of blocks.entries()) {
    if (shown.length + block.length > room - 1) {
      const more = style.dim(truncate(` => … and ${blocks.length - index} more`, columns));
      return room > 1 ? [...written(shown), more] : written(block.slice(0, room));
    }
    shown.push(...block);
  }
  return written(shown);
}

/** Components by the time they were first seen; those that ended come first, as they ended. */
function grouped(table: StepTable): Group[] {
  const groups = new Map<string, Group>();
  for (const tracked of table.steps.values()) {
    if (tracked.state === "waiting" && tracked.statuses.size === 0 && tracked.log.length === 0) continue;
    const name = tracked.step.component || ownGroup;
    const group = groups.get(name) ?? { name, steps: [] };
    groups.set(name, group);
    group.steps.push(tracked);
  }
  const end = (group: Group) => Math.max(...group.steps.map((tracked) => tracked.completed));
  return [...groups.values()].sort((a, b) => {
    const [runsA, runsB] = [isRunning(a), isRunning(b)];
    if (runsA !== runsB) return runsA ? 1 : -1;
    return runsA ? 0 : end(a) - end(b);
  });
}

function isRunning(group: Group): boolean {
  return group.steps.some(({ state }) => state === "started" || state === "waiting");
}

function endedLine(group: Group, input: FrameInput): string {
  const has = (state: TrackedStep["state"]) => group.steps.some((tracked) => tracked.state === state);
  const { style } = input;
  if (has("error")) {
    const failed = group.steps.find(({ state }) => state === "error");
    return row(input, 1, style.red, "ERROR ", `${group.name}: ${failed?.step.name ?? ""}`, time(group, input));
  }
  if (has("canceled")) return row(input, 1, style.yellow, "CANCELED ", group.name, time(group, input));
  if (!has("done")) return row(input, 1, style.green, "CACHED ", group.name, time(group, input));
  return row(input, 1, style.blue, "", group.name, time(group, input));
}

function runningLines(group: Group, detail: Detail, input: FrameInput): Line[] {
  const ended = group.steps.filter(({ state }) => state !== "started" && state !== "waiting").length;
  const planned = input.table.planned(group.steps[0]?.step.component ?? "");
  const count = `${ended}/${Math.max(planned, group.steps.length)}`;
  const [only, ...others] = group.steps.filter(({ state }) => state !== "done" && state !== "cached" && state !== "canceled");
  if (detail.folded && only !== undefined && others.length === 0 && only.state !== "error") {
    const line: Line = () => row(input, 1, input.style.bold, "", `${group.name} ${count} ${only.step.name}`, time(group, input));
    return [line, ...stepLines(only, detail, 2, input)];
  }
  const lines: Line[] = [() => row(input, 1, input.style.bold, "", `${group.name} ${count}`, time(group, input))];
  for (const tracked of group.steps) {
    if (tracked.state === "error")
      lines.push(() => row(input, 2, input.style.red, "ERROR ", tracked.step.name, duration(elapsed(tracked, input.now))));
    if (tracked.state !== "started" && tracked.state !== "waiting") continue;
    lines.push(() => row(input, 2, (text) => text, "", tracked.step.name, duration(elapsed(tracked, input.now))));
    lines.push(...stepLines(tracked, detail, 3, input));
  }
  return lines;
}

/** What moves in a step: transfers, and the end of its log. */
function stepLines(tracked: TrackedStep, detail: Detail, depth: number, input: FrameInput): Line[] {
  const { columns, style } = input;
  return [
    ...shownStatuses(tracked, detail.statuses).map(
      (status): Line =>
        () =>
          row(input, depth, style.dim, "", status(), ""),
    ),
    ...logWindow(tracked, detail.logs).map(
      (log): Line =>
        () =>
          style.dim(truncate(` => => # ${expandTabs(clean(log))}`, columns)),
    ),
  ];
}

function shownStatuses(tracked: TrackedStep, limit: number): Line[] {
  const open = [...tracked.statuses].filter(([, status]) => !status.completed);
  return open.slice(0, limit).map(
    ([id, status]): Line =>
      () =>
        formatStatus({ id, ...status, name: clean(status.name) }),
  );
}

function logWindow(tracked: TrackedStep, limit: number): string[] {
  const partials = [tracked.streams[1].partial, tracked.streams[2].partial].filter((line) => line !== "");
  const lines = [...tracked.log.last(limit), ...partials];
  return lines.slice(Math.max(0, lines.length - limit));
}

/** Time from the first start to the last end of a component's steps. */
function time(group: Group, input: FrameInput): string {
  const began = Math.min(...group.steps.map((tracked) => (tracked.started === 0 ? Infinity : tracked.started)));
  if (began === Infinity) return duration(0);
  const ended = isRunning(group) ? input.now : Math.max(...group.steps.map((tracked) => tracked.completed));
  return duration(ended - began);
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
