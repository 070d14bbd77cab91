// The timeline of a run: one bar for each step that took time, in the order in which they began.

import type { PageRun, PageRunStep } from "../page-data.ts";
import { formatTime } from "../time.ts";
import { element, make } from "./elements.ts";
import type { Chosen, Selection } from "./selection.ts";

/** Draws the timeline; gives what marks the chosen step in it. */
export function showTimeline(run: PageRun, selection: Selection): (chosen: Chosen | undefined) => void {
  const panel = element("timeline");
  panel.hidden = false;
  const timed = run.steps
    .map((step, index) => ({ step, index }))
    .filter(({ step }) => step.started !== undefined && step.state !== "cached")
    .sort((a, b) => (a.step.started ?? 0) - (b.step.started ?? 0) || a.index - b.index);
  const begin = Math.min(run.began, ...timed.map(({ step }) => step.started ?? run.began));
  const length = Math.max(1, ...timed.map(({ step }) => endOf(step, run) - begin), run.ended - begin);
  const rows = timed.map(({ step }) => row(step, run, begin, length, selection));
  const cached = run.steps.filter(({ state }) => state === "cached").length;
  panel.replaceChildren(
    make("p", "head", make("b", "", "Timeline"), ` ${rows.length} steps took time, ${cached} came from the cache${passes(run)}`),
    axis(length),
    make("div", "rows", ...rows),
  );
  return (chosen) => {
    for (const [at, { step }] of timed.entries()) {
      const mine = chosen?.kind === "step" && chosen.step === step.step;
      rows[at]?.classList.toggle("chosen", mine);
      if (mine) rows[at]?.scrollIntoView({ block: "nearest" });
    }
  };
}

function passes({ passes }: PageRun): string {
  if (passes.length === 0) return "";
  return `; ${passes.length + 1} passes: CUE waited for ${[...new Set(passes.flat())].join(", ")}`;
}

function endOf(step: PageRunStep, run: PageRun): number {
  return step.completed ?? run.ended;
}

function row(step: PageRunStep, run: PageRun, begin: number, length: number, selection: Selection): HTMLButtonElement {
  const started = step.started ?? begin;
  const time = endOf(step, run) - started;
  const bar = make("span", `bar ${step.state}`);
  bar.style.left = `${((started - begin) / length) * 100}%`;
  bar.style.width = `max(2px, ${(time / length) * 100}%)`;
  const words = `${step.component === "" ? "" : `${step.component}: `}${step.name}`;
  const made = make("button", "bar-row", make("span", "label", words), make("span", "track", bar), make("span", "time", formatTime(time)));
  made.title = `${words}: ${formatTime(time)} from ${formatTime(started - begin)} on`;
  const number = step.step;
  if (number === undefined) made.disabled = true;
  else made.addEventListener("click", () => selection.choose({ kind: "step", step: number }));
  return made;
}

function axis(length: number): HTMLElement {
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((part) => {
    const tick = make("span", "", formatTime(length * part));
    tick.style.left = `${part * 100}%`;
    return tick;
  });
  return make("div", "axis", make("span", "label"), make("span", "track", ...ticks), make("span", "time"));
}
