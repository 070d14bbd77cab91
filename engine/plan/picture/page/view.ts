// The window on the drawing: moving and zooming it.

/** A place in the drawing. */
export interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Below this scale steps cannot be told apart: boxes show large names instead. */
const readable = 0.3;
const smallest = 0.02;
const largest = 4;

export class View {
  readonly #graph: Element;
  readonly #world: Element;
  readonly #all: Area;
  #x = 0;
  #y = 0;
  #scale = 1;
  #waiting = false;

  /** `all` is the area of the whole drawing. */
  constructor(graph: Element, world: Element, all: Area) {
    this.#graph = graph;
    this.#world = world;
    this.#all = all;
  }

  get scale(): number {
    return this.#scale;
  }

  /** Shows all of it, never larger than life. */
  fit(): void {
    const { width, height } = this.#graph.getBoundingClientRect();
    const { x, y, width: wide, height: high } = this.#all;
    const scale = Math.max(smallest, Math.min(1, (width - 24) / wide, (height - 24) / high));
    this.#set((width - wide * scale) / 2 - x * scale, (height - high * scale) / 2 - y * scale, scale);
  }

  move(right: number, down: number): void {
    this.#set(this.#x + right, this.#y + down, this.#scale);
  }

  /** Zooms; the place at `at` (in pixels of the window, its middle without) stays where it is. */
  zoom(factor: number, at?: { readonly x: number; readonly y: number }): void {
    const { left, top, width, height } = this.#graph.getBoundingClientRect();
    const [x, y] = at === undefined ? [width / 2, height / 2] : [at.x - left, at.y - top];
    const scale = Math.min(largest, Math.max(smallest, this.#scale * factor));
    const change = scale / this.#scale;
    this.#set(x - (x - this.#x) * change, y - (y - this.#y) * change, scale);
  }

  /** Brings an area into the window: readable, and moved only where it has to be. */
  show({ x, y, width, height }: Area): void {
    const window = this.#graph.getBoundingClientRect();
    const scale = Math.max(this.#scale, Math.min(0.9, (window.width - 40) / width));
    const [left, top] = [x * scale + this.#x, y * scale + this.#y];
    const fits =
      scale === this.#scale &&
      left >= 20 &&
      top >= 20 &&
      left + width * scale <= window.width - 20 &&
      top + height * scale <= window.height - 20;
    if (fits) return;
    this.#set(window.width / 2 - (x + width / 2) * scale, window.height / 2 - (y + height / 2) * scale, scale);
  }

  #set(x: number, y: number, scale: number): void {
    this.#x = x;
    this.#y = y;
    this.#scale = scale;
    if (this.#waiting) return;
    this.#waiting = true;
    // Many moves may come between two pictures.
    requestAnimationFrame(() => {
      this.#waiting = false;
      this.#world.setAttribute("transform", `translate(${this.#x} ${this.#y}) scale(${this.#scale})`);
      this.#graph.classList.toggle("far", this.#scale < readable);
    });
  }
}

/** Lets a pointer move the view, and a wheel zoom it. Gives back whether the last press was a move rather than a click. */
export function followPointer(graph: HTMLElement, view: View): () => boolean {
  let moved = 0;
  const pressed = new Map<number, { x: number; y: number }>();
  graph.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
      view.zoom(Math.exp((-event.deltaY * lines) / (event.ctrlKey ? 120 : 500)), event);
    },
    { passive: false },
  );
  graph.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    if (pressed.size === 0) moved = 0;
    pressed.set(event.pointerId, { x: event.clientX, y: event.clientY });
  });
  graph.addEventListener("pointermove", (event) => {
    const before = pressed.get(event.pointerId);
    if (before === undefined) return;
    const now = { x: event.clientX, y: event.clientY };
    const other = [...pressed].find(([id]) => id !== event.pointerId)?.[1];
    moved += Math.hypot(now.x - before.x, now.y - before.y);
    // Captured only once it moves: else a click would be one on the whole graph.
    if (moved > 4) graph.setPointerCapture(event.pointerId);
    if (other === undefined) view.move(now.x - before.x, now.y - before.y);
    else view.zoom(distance(now, other) / Math.max(1, distance(before, other)), { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 });
    pressed.set(event.pointerId, now);
  });
  for (const end of ["pointerup", "pointercancel"] as const) graph.addEventListener(end, (event) => void pressed.delete(event.pointerId));
  return () => moved > 4;
}

function distance(a: { x: number; y: number }, b: { x: number; y: number }): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}
