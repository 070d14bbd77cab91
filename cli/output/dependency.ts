// What becomes of the environments that a run needs, a line each.
import type { UpEvent } from "../../engine/index.ts";
import { clean } from "./lines.ts";
import type { Style } from "./style.ts";

/** Ends with a newline. */
export function formatDependency(event: Extract<UpEvent, { type: "dependency" }>, style: Style): string {
  const { stack, environment, state, because } = event;
  const name = style.bold(`${stack}/${environment}`);
  const why = because.map((reason) => clean(reason)).join("; ");
  switch (state) {
    case "current":
      return `${name} is up to date\n`;
    case "started":
      return `${name} runs first: ${why}\n`;
    case "done":
      return `${name} ${style.green("DONE")}\n`;
    case "failed":
      return `${name} ${style.red("FAILED")}\n`;
    case "skipped":
      return `${name} ${style.yellow("SKIPPED")}: ${why || "the run was interrupted"}\n`;
  }
}
