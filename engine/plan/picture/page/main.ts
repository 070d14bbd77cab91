// The script of a graph's page: everything that moves in it. The drawing is there already when it starts.

import type { PageData } from "../page-data.ts";
import { formatTime } from "../time.ts";
import { showDetails } from "./details.ts";
import { element, shape } from "./elements.ts";
import { followKeys } from "./keys.ts";
import { followSearch } from "./search.ts";
import { areaOf, Selection } from "./selection.ts";
import { showTimeline } from "./timeline.ts";
import { followPointer, View } from "./view.ts";

const data = JSON.parse(element("data").textContent ?? "") as PageData;
const [graph, world] = [element("graph"), element("world")];
const content = (world as Element as SVGGElement).getBBox();
const view = new View(graph, world, content);

const onChange: ((chosen: Selection["chosen"]) => void)[] = [];
const selection = new Selection(data, world, element("overlay"), (chosen, area) => {
  for (const tell of onChange) tell(chosen);
  // The panel takes room away when it opens.
  if (area !== undefined) view.show(area);
});
onChange.push((chosen) => showDetails(chosen, data, selection));
if (data.run !== undefined) onChange.push(showTimeline(data.run, selection));

addLargeNames();
followSearch(data, selection);
followKeys(data, selection, view);
const wasMoved = followPointer(graph, view);
graph.addEventListener("click", (event) => {
  if (wasMoved()) return;
  const target = event.target as Element;
  const step = target.closest<SVGGElement>("g.step");
  const box = target.closest<SVGGElement>("g.box");
  if (step !== null) selection.choose({ kind: "step", step: Number(step.dataset["step"]) });
  else if (box !== null) selection.choose({ kind: "box", box: Number(box.dataset["box"]) });
  else selection.choose(undefined);
});
graph.addEventListener("dblclick", (event) => view.zoom(1.6, event));

const sorts = [...new Set(data.boxes.map(({ sort }) => sort))];
const counts = sorts.map((sort) => plural(data.boxes.filter((box) => box.sort === sort).length, sort)).join(" and ");
element("count").textContent = data.level === undefined ? `${plural(selection.drawnSteps.size, "step")} in ${counts}` : counts;
if (data.run !== undefined)
  element("run").textContent =
    `Run of ${new Date(data.run.began).toLocaleString()}: ${data.run.outcome ?? "not ended"}, ${formatTime(data.run.ended - data.run.began)}`;
view.fit();
new ResizeObserver(() => {
  if (selection.chosen === undefined) view.fit();
}).observe(graph);

/** From afar a box shows its name as large as it can. */
function addLargeNames(): void {
  for (const [index, { title }] of data.boxes.entries()) {
    const box = world.querySelector(`g.box[data-box="${index}"]`);
    const area = areaOf(box ?? undefined);
    if (box === null || area === undefined) continue;
    const size = Math.max(13, Math.min(90, area.height * 0.6, (area.width - 16) / (title.length * 0.62)));
    const name = shape("text", {
      class: "large",
      x: area.x + area.width / 2,
      y: area.y + area.height / 2,
      "text-anchor": "middle",
      "dominant-baseline": "central",
    });
    name.style.fontSize = `${size}px`;
    name.textContent = title;
    box.append(name);
  }
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}
