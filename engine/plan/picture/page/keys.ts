// What keys do: going from step to step, moving and zooming.
import type { PageData } from "../page-data.ts";
import { element, make } from "./elements.ts";
import type { Selection } from "./selection.ts";
import type { View } from "./view.ts";

const help: readonly (readonly [keys: string, meaning: string])[] = [
  ["/", "search; ↓ ↑ Enter choose, Esc clears"],
  ["← →", "to what the step needs, to what needs it"],
  ["↑ ↓", "to the step before and after, in build order"],
  ["Shift + arrows", "move the drawing"],
  ["+ −", "zoom"],
  ["0", "show all"],
  ["c", "the component of the step"],
  ["t", "light or dark"],
  ["Esc", "choose nothing"],
];

export function followKeys(data: PageData, selection: Selection, view: View): void {
  const dialog = element("keys") as HTMLDialogElement;
  dialog.append(
    make("h2", "", "Keys"),
    ...help.map(([keys, meaning]) => make("p", "", make("kbd", "", keys), meaning)),
    make("p", "soft", "Esc closes this"),
  );
  const open = (): void => dialog.showModal();
  element("help").addEventListener("click", open);
  element("in").addEventListener("click", () => view.zoom(1.3));
  element("out").addEventListener("click", () => view.zoom(1 / 1.3));
  element("fit").addEventListener("click", () => view.fit());
  element("theme").addEventListener("click", changeTheme);

  const actions: Readonly<Record<string, () => void>> = {
    "/": () => element("search").focus(),
    "+": () => view.zoom(1.3),
    "=": () => view.zoom(1.3),
    "-": () => view.zoom(1 / 1.3),
    "0": () => view.fit(),
    "?": open,
    t: changeTheme,
    c: () => chooseBox(data, selection),
    Escape: () => selection.choose(undefined),
    ArrowLeft: () => go(selection, "needs"),
    ArrowRight: () => go(selection, "users"),
    ArrowUp: () => go(selection, "before"),
    ArrowDown: () => go(selection, "after"),
  };
  const moves: Readonly<Record<string, readonly [number, number]>> = {
    ArrowLeft: [80, 0],
    ArrowRight: [-80, 0],
    ArrowUp: [0, 80],
    ArrowDown: [0, -80],
  };
  document.addEventListener("keydown", (event) => {
    const inField = event.target instanceof HTMLInputElement;
    if (inField || dialog.open || event.ctrlKey || event.metaKey || event.altKey) return;
    const move = event.shiftKey ? moves[event.key] : undefined;
    const action = move === undefined ? actions[event.key] : () => view.move(...move);
    // Lists scroll with the same keys.
    const scrolls = event.key.startsWith("Arrow") && event.target instanceof Element && event.target.closest("aside, #timeline") !== null;
    if (action === undefined || scrolls) return;
    event.preventDefault();
    action();
  });
}

function chooseBox(data: PageData, selection: Selection): void {
  const { chosen } = selection;
  if (chosen?.kind !== "step") return;
  const box = data.boxes.findIndex(({ steps }) => steps.includes(chosen.step));
  if (box !== -1) selection.choose({ kind: "box", box });
}

/** To the nearest step in a direction that is drawn; to the first one when none is chosen. */
function go(selection: Selection, where: "needs" | "users" | "before" | "after"): void {
  const drawn = [...selection.drawnSteps.keys()].sort((a, b) => a - b);
  const { chosen } = selection;
  const id = chosen?.kind === "step" ? chosen.step : undefined;
  const next = id === undefined ? drawn[0] : neighbour(selection, id, where, drawn);
  if (next !== undefined) selection.choose({ kind: "step", step: next });
}

function neighbour(selection: Selection, id: number, where: string, drawn: readonly number[]): number | undefined {
  if (where === "needs") return selection.step(id)?.inputs.find((input) => selection.drawn(input));
  if (where === "users") return selection.users(id).find((user) => selection.drawn(user));
  return drawn[drawn.indexOf(id) + (where === "before" ? -1 : 1)];
}

function changeTheme(): void {
  const root = document.documentElement;
  const dark = root.dataset["theme"] === undefined ? matchMedia("(prefers-color-scheme: dark)").matches : root.dataset["theme"] === "dark";
  root.dataset["theme"] = dark ? "light" : "dark";
}
