// What has changed, as one line: before a run that begins because of it, and in the history.
import type { UpEvent } from "../../engine/index.ts";
import { clean } from "./lines.ts";
import type { Style } from "./style.ts";
import { plural } from "./units.ts";

type Change = Extract<UpEvent, { type: "change" }>;

/** `src/main.c, src/lib.c and 12 more`. */
export function changedText({ changed, more }: Pick<Change, "changed" | "more">): string {
  return `${changed.map((one) => clean(one)).join(", ")}${more === 0 ? "" : ` and ${more} more`}`;
}

/** A line with its end. */
export function formatChange(event: Change, style: Style): string {
  const { components } = event;
  const runs =
    components.length === 0 ? "all components run" : components.length > 3 ? `${plural(components.length, "component")} run` : "";
  const named = runs === "" ? `${components.map((one) => clean(one)).join(", ")} ${components.length === 1 ? "runs" : "run"}` : runs;
  return `${style.bold(event.kind === "schedule" ? "scheduled:" : "changed:")} ${changedText(event)}; ${named}\n`;
}
