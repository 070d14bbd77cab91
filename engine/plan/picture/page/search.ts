// Search: as one types, what fits is listed and stays bright in the drawing.
import type { PageData } from "../page-data.ts";
import { element, make } from "./elements.ts";
import type { Selection } from "./selection.ts";

const listed = 60;

/** All words of what one types have to occur in a step's words, component, kind or fields. */
export function followSearch(data: PageData, selection: Selection): void {
  const field = element("search") as HTMLInputElement;
  const found = element("found");
  const texts = data.steps.map(({ name, component, kind, fields = "" }) => `${component} ${name} ${kind}\n${fields}`.toLowerCase());
  let hits: number[] = [];
  let active = -1;

  const close = (): void => {
    found.hidden = true;
    field.setAttribute("aria-expanded", "false");
  };
  const activate = (index: number): void => {
    active = Math.max(0, Math.min(index, Math.min(hits.length, listed) - 1));
    for (const [at, option] of [...found.querySelectorAll("[role=option]")].entries()) {
      option.setAttribute("aria-selected", String(at === active));
      if (at !== active) continue;
      option.scrollIntoView({ block: "nearest" });
      field.setAttribute("aria-activedescendant", option.id);
    }
  };
  const take = (): void => {
    const id = hits[active];
    if (id !== undefined) selection.choose({ kind: "step", step: id });
  };
  const search = (): void => {
    const wanted = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    hits =
      wanted.length === 0
        ? []
        : data.steps.flatMap(({ id }, at) => (wanted.every((word) => texts[at]?.includes(word)) && selection.drawn(id) ? [id] : []));
    const fitting = new Set(hits);
    for (const [id, g] of selection.drawnSteps) g.classList.toggle("dim", wanted.length > 0 && !fitting.has(id));
    for (const box of document.querySelectorAll("g.box"))
      box.classList.toggle("hit", fitting.size > 0 && box.querySelector("g.step:not(.dim)") !== null);
    found.replaceChildren(...hits.slice(0, listed).map((id, at) => option(id, at)));
    const rest = hits.length > listed ? `${listed} of ${hits.length} are listed` : "";
    const note = wanted.length > 0 && hits.length === 0 ? "Nothing found" : rest;
    if (note !== "") found.append(make("p", "soft", note));
    found.hidden = wanted.length === 0;
    field.setAttribute("aria-expanded", String(!found.hidden));
    if (hits.length > 0) activate(0);
  };
  const option = (id: number, at: number): HTMLElement => {
    const step = data.steps[id - 1];
    const made = make("div", "", make("b", "", step?.component ?? ""), ` ${step?.name ?? ""}`);
    made.id = `found-${at}`;
    made.setAttribute("role", "option");
    made.addEventListener("pointerdown", (event) => {
      // The field keeps the focus.
      event.preventDefault();
      activate(at);
      take();
      close();
    });
    return made;
  };

  field.setAttribute("role", "combobox");
  field.addEventListener("input", search);
  field.addEventListener("focus", () => {
    if (field.value !== "") search();
  });
  field.addEventListener("blur", close);
  field.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") activate(active + 1);
    else if (event.key === "ArrowUp") activate(active - 1);
    else if (event.key === "Enter") {
      take();
      close();
      element("graph").focus();
    } else if (event.key === "Escape") {
      field.value = "";
      search();
      element("graph").focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });
}
