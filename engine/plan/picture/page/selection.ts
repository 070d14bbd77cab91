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
  #lit: Element[] = [];

  constructor(data: PageData, world: Element, overlay: Element, onChange: OnChange) {
    this.#data = data;
    this.#world = world;
    this.#overlay = overlay;
    this.#onChange = onChange;
    for (const g of world.querySelectorAll<SVGGElement>("g.step")) this.#steps.set(Number(g.dataset["step"]), g);
    for (const g of world.querySelectorAll<SVGGElement>("g.box")) this.#boxes.set(Number(g.dataset["box"]), g);
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
    for (const lit of this.#lit) lit.classList.remove("chosen", "near");
    this.#lit = [];
    this.#overlay.replaceChildren();
    this.chosen = chosen;
    if (chosen?.kind === "step") this.#light(chosen.step);
    if (chosen?.kind === "box") this.#mark(this.#boxes.get(chosen.box), "chosen");
    this.#world.classList.toggle("choosing", chosen !== undefined);
    this.#onChange(chosen, this.#area(chosen));
  }

  #light(id: number): void {
    const own = this.#steps.get(id);
    this.#mark(own, "chosen");
    const inputs = this.step(id)?.inputs ?? [];
    for (const near of [...inputs, ...this.users(id)]) this.#mark(this.#steps.get(near), "near");
    const lines = [...inputs.map((input) => [input, id] as const), ...this.users(id).map((user) => [id, user] as const)];
    for (const [from, to] of lines) this.#line(from, to);
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
    const same = a.x === b.x;
    const [x, y] = [same ? a.x : a.x + a.width, a.y + a.height / 2];
    const [u, v] = [b.x, b.y + b.height / 2];
    const bend = same ? -12 : Math.max(30, Math.abs(u - x) / 2);
    const path = `M${x} ${y} C${x + bend} ${y} ${same ? u + bend : u - bend} ${v} ${u} ${v}`;
    this.#overlay.append(shape("path", { class: "lit", d: path }));
  }

  #area(chosen: Chosen | undefined): Area | undefined {
    if (chosen === undefined) return undefined;
    return areaOf(chosen.kind === "step" ? this.#steps.get(chosen.step) : this.#boxes.get(chosen.box));
  }
}

/** Where the rectangle of a step or box lies in the drawing. */
export function areaOf(g: Element | undefined): Area | undefined {
  const rectangle = g?.querySelector("rect");
  if (rectangle === null || rectangle === undefined) return undefined;
  const read = (name: string): number => Number(rectangle.getAttribute(name));
  return { x: read("x"), y: read("y"), width: read("width"), height: read("height") };
}
