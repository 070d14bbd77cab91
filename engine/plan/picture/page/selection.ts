// Which step or component is chosen, and what of the drawing shows it: the thing itself, what it needs and what needs it.
import type { PageData, PageStep } from "../page-data.ts";
import { shape } from "./elements.ts";
import type { Area } from "./view.ts";

export type Chosen = { readonly kind: "step"; readonly step: number } | { readonly kind: "box"; readonly box: number };

/** Told what is chosen, and where it lies if it is drawn. */
export type OnChange = (chosen: Chosen | undefined, area: Area | undefined) => void;

export class Selection {
  chosen: Chosen | undefined;
  readonly #data: PageData;
  readonly #world: Element;
  readonly #overlay: Element;
  readonly #onChange: OnChange;
  readonly #steps = new Map<number, SVGGElement>();
  readonly #boxes = new Map<number, SVGGElement>();
  readonly #users = new Map<number, number[]>();
  readonly #lines: readonly SVGPathElement[];
  #lit: Element[] = [];

  constructor(data: PageData, world: Element, overlay: Element, onChange: OnChange) {
    this.#data = data;
    this.#world = world;
    this.#overlay = overlay;
    this.#onChange = onChange;
    for (const g of world.querySelectorAll<SVGGElement>("g.step")) this.#steps.set(Number(g.dataset["step"]), g);
    for (const g of world.querySelectorAll<SVGGElement>("g.box")) this.#boxes.set(Number(g.dataset["box"]), g);
    this.#lines = [...world.querySelectorAll<SVGPathElement>("path.outer")];
    for (const { id, inputs } of data.steps) for (const input of inputs) this.#users.set(input, [...(this.#users.get(input) ?? []), id]);
  }

  step(id: number): PageStep | undefined {
    return this.#data.steps[id - 1];
  }

  /** The element of a step; undefined for one that is not drawn. */
  drawn(id: number): SVGGElement | undefined {
    return this.#steps.get(id);
  }

  get drawnSteps(): ReadonlyMap<number, SVGGElement> {
    return this.#steps;
  }

  users(id: number): readonly number[] {
    return this.#users.get(id) ?? [];
  }

  choose(chosen: Chosen | undefined): void {
    for (const lit of this.#lit) lit.classList.remove("chosen", "near", "lit");
    this.#lit = [];
    this.#overlay.replaceChildren();
    this.chosen = chosen;
    if (chosen?.kind === "step") this.#light(chosen.step);
    if (chosen?.kind === "box") {
      this.#mark(this.#boxes.get(chosen.box), "chosen");
      this.#lightLines(chosen.box);
    }
    this.#world.classList.toggle("choosing", chosen !== undefined);
    this.#onChange(chosen, this.#area(chosen));
  }

  #light(id: number): void {
    const own = this.#steps.get(id);
    this.#mark(own, "chosen");
    const inputs = this.step(id)?.inputs ?? [];
    for (const near of [...inputs, ...this.users(id)]) this.#mark(this.#steps.get(near), "near");
    // A row that says something of its box has no lines of its own.
    if (this.#data.level !== undefined) {
      this.#lightLines(this.#data.boxes.findIndex(({ steps }) => steps.includes(id)));
      return;
    }
    const lines = [...inputs.map((input) => [input, id] as const), ...this.users(id).map((user) => [id, user] as const)];
    for (const [from, to] of lines) this.#line(from, to);
  }

  /** The lines of a box. */
  #lightLines(box: number): void {
    for (const line of this.#lines) if ([line.dataset["from"], line.dataset["to"]].includes(String(box))) this.#mark(line, "lit");
  }

  #mark(element: Element | undefined, name: string): void {
    if (element === undefined) return;
    element.classList.add(name);
    this.#lit.push(element);
  }

  /** A line between two steps, whatever lies between them. */
  #line(from: number, to: number): void {
    const [a, b] = [areaOf(this.#steps.get(from)), areaOf(this.#steps.get(to))];
    if (a === undefined || b === undefined) return;
    this.#overlay.append(shape("path", { class: "lit", d: a.x === b.x ? beside(a, b) : a.x + a.width <= b.x ? across(a, b) : down(a, b) }));
  }

  #area(chosen: Chosen | undefined): Area | undefined {
    if (chosen === undefined) return undefined;
    return areaOf(chosen.kind === "step" ? this.#steps.get(chosen.step) : this.#boxes.get(chosen.box));
  }
}

/** Between rows below each other: around those between them. */
function beside(a: Area, b: Area): string {
  const [y, v] = [a.y + a.height / 2, b.y + b.height / 2];
  return `M${a.x} ${y} C${a.x - 12} ${y} ${b.x - 12} ${v} ${b.x} ${v}`;
}

function across(a: Area, b: Area): string {
  const [x, y, v] = [a.x + a.width, a.y + a.height / 2, b.y + b.height / 2];
  const bend = Math.max(30, (b.x - x) / 2);
  return `M${x} ${y} C${x + bend} ${y} ${b.x - bend} ${v} ${b.x} ${v}`;
}

function down(a: Area, b: Area): string {
  const [x, y, u] = [a.x + a.width / 2, a.y + a.height, b.x + b.width / 2];
  const bend = Math.max(20, Math.abs(b.y - y) / 2);
  return `M${x} ${y} C${x} ${y + bend} ${u} ${b.y - bend} ${u} ${b.y}`;
}

/** Where the rectangle of a step or box lies in the drawing. */
export function areaOf(g: Element | undefined): Area | undefined {
  const rectangle = g?.querySelector("rect");
  if (rectangle === null || rectangle === undefined) return undefined;
  const read = (name: string): number => Number(rectangle.getAttribute(name));
  return { x: read("x"), y: read("y"), width: read("width"), height: read("height") };
}
