// The panel beside the drawing: all that is known of the chosen step or component.

import type { Excerpt, PageBox, PageData, PageRunStep, PageStep } from "../page-data.ts";
import { formatTime } from "../time.ts";
import { element, link, make } from "./elements.ts";
import type { Chosen, Selection } from "./selection.ts";

/** Shows what is chosen, or nothing. */
export function showDetails(chosen: Chosen | undefined, data: PageData, selection: Selection): void {
  const panel = element("details");
  panel.hidden = chosen === undefined;
  panel.replaceChildren();
  if (chosen === undefined) return;
  const close = link("×", () => selection.choose(undefined));
  close.classList.add("close");
  close.setAttribute("aria-label", "Close");
  panel.append(close);
  const step = chosen.kind === "step" ? selection.step(chosen.step) : undefined;
  const box = chosen.kind === "box" ? data.boxes[chosen.box] : undefined;
  if (step !== undefined) panel.append(...aboutStep(step, data, selection));
  if (box !== undefined) panel.append(...aboutBox(box, data, selection));
  panel.scrollTop = 0;
}

function aboutStep(step: PageStep, data: PageData, selection: Selection): Node[] {
  const ran = step.ran === undefined ? undefined : data.run?.steps[step.ran];
  const box = data.boxes.findIndex(({ steps }) => steps.includes(step.id));
  const owner = data.boxes[box];
  return [
    make(
      "p",
      "over",
      make("span", `badge ${step.kind}`, step.kind),
      data.level === undefined ? ` step ${step.id}` : "",
      ...(step.platform === undefined ? [] : [` · ${step.platform}`]),
    ),
    make("h2", "", step.name),
    ...(owner === undefined
      ? []
      : [
          make(
            "p",
            "",
            "In ",
            link(owner.title, () => selection.choose({ kind: "box", box })),
          ),
        ]),
    ...aboutPlace(step.at, step.source),
    ...(ran === undefined ? [] : aboutRun(ran)),
    ...(data.level === undefined ? steps("Needs", step.inputs, selection) : owners("Needs", step.inputs, selection)),
    ...(data.level === undefined
      ? steps("Needed by", selection.users(step.id), selection)
      : owners("Needed by", selection.users(step.id), selection)),
    ...aboutFields(step, data),
    ...(step.digest === undefined ? [] : [make("p", "soft digest", step.digest)]),
  ];
}

/** What a page tells of a box besides its rows. */
const headings = { components: "Steps", data: "Command" } as const;

function aboutFields(step: PageStep | undefined, { level }: PageData): Node[] {
  if (step?.fields === undefined || ["", "{}"].includes(step.fields)) return [];
  return [make("h3", "", level === undefined ? "Op" : headings[level]), make("pre", "", step.fields)];
}

function aboutBox(box: PageBox, data: PageData, selection: Selection): Node[] {
  const others = (paths: readonly string[]): Node[] =>
    paths.map((path) => {
      const index = data.boxes.findIndex((other) => other.path === path);
      return make(
        "li",
        "",
        index === -1 ? path : link(data.boxes[index]?.title ?? path, () => selection.choose({ kind: "box", box: index })),
      );
    });
  const [row = 0] = box.steps;
  const first = selection.step(row);
  const users = data.boxes.filter(({ needs }) => needs.includes(box.path)).map(({ path }) => path);
  return [
    make("p", "over", make("span", "badge", box.sort)),
    make("h2", "", box.title),
    ...(box.doc === undefined ? [] : [make("p", "doc", box.doc)]),
    ...aboutPlace(box.at, data.level === "data" ? first?.source : undefined),
    ...list("Needs", others(box.needs)),
    ...list("Needed by", others(users)),
    // What rows say of a source or node can be seen in its box.
    ...(data.level === "data" ? aboutFields(first, data) : steps("Steps", box.steps, selection)),
  ];
}

function aboutPlace(at: string | undefined, source: Excerpt | undefined): Node[] {
  if (at === undefined) return [];
  const place = make("p", "soft", at);
  if (source === undefined) return [place];
  const lines = source.lines.map((text, index) => {
    const number = source.first + index;
    return make("span", number === source.line ? "line here" : "line", make("i", "", String(number)), `${text}\n`);
  });
  return [place, make("pre", "source", ...lines)];
}

const words: Readonly<Record<string, string>> = {
  done: "Ran",
  cached: "Came from the cache",
  error: "Failed",
  canceled: "Was cancelled",
  started: "Was still running",
  waiting: "Never started",
};

function aboutRun(ran: PageRunStep): Node[] {
  const { state, started, completed, error, log, cut } = ran;
  const time = state === "done" && started !== undefined && completed !== undefined ? ` in ${formatTime(completed - started)}` : "";
  const pass = ran.pass > 1 ? `, pass ${ran.pass}` : "";
  return [
    make("h3", "", "Run"),
    make("p", `state ${state}`, `${words[state] ?? state}${time}${pass}`),
    ...(error === undefined ? [] : [make("p", "error", error)]),
    ...(cut === 0 ? [] : [make("p", "soft", `The first ${cut.toLocaleString("en")} characters of the log are left out`)]),
    ...(log === "" ? [] : [make("pre", "log", log)]),
  ];
}

function steps(title: string, ids: readonly number[], selection: Selection): Node[] {
  return list(
    title,
    ids.flatMap((id) => {
      const step = selection.step(id);
      if (step === undefined) return [];
      const drawn = selection.drawn(id) !== undefined;
      const name = drawn ? link(step.name, () => selection.choose({ kind: "step", step: id })) : step.name;
      return [make("li", "", name, ...(step.component === "" ? [] : [make("span", "soft", ` ${step.component}`)]))];
    }),
  );
}

/** The components of rows that say something about them. */
function owners(title: string, ids: readonly number[], selection: Selection): Node[] {
  return list(
    title,
    ids.map((id) =>
      make(
        "li",
        "",
        link(selection.step(id)?.component ?? "", () => selection.choose({ kind: "step", step: id })),
      ),
    ),
  );
}

function list(title: string, items: readonly Node[]): Node[] {
  return items.length === 0 ? [] : [make("h3", "", title), make("ul", "", ...items)];
}
