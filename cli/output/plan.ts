// A plan in words: one line per component, with the reasons below it, and what is known of the whole.
import { relative } from "node:path";
import type { Effect, Plan, PlannedComponent } from "../../engine/index.ts";
import { hookText } from "./hook.ts";
import { clean } from "./lines.ts";
import type { Style } from "./style.ts";
import { triggerText } from "./trigger.ts";
import { plural } from "./units.ts";

export interface PlanOptions {
  readonly style: Style;
  /** Files are shown relative to it. */
  readonly cwd: string;
}

/** Ends with a newline. */
export function formatPlan(plan: Plan, options: PlanOptions): string {
  const { style } = options;
  const wide = Math.max(0, ...plan.components.map(({ path }) => named(path).length));
  return `${[...plan.components.flatMap((component) => lines(component, wide, options)), ...ending(plan, style)].join("\n")}\n`;
}

function lines(component: PlannedComponent, wide: number, { style, cwd }: PlanOptions): string[] {
  const { path, state, steps, because, effects } = component;
  const paint = { run: style.yellow, cached: style.green, unknown: style.blue, deferred: style.dim }[state];
  const some = steps.run !== undefined && steps.run > 0 && steps.run < steps.total ? `${steps.run} of ` : "";
  const count = state === "deferred" ? "" : `${some}${plural(steps.total, "step")}`;
  const head = `${paint(state.padEnd(8))} ${style.bold(clean(named(path)).padEnd(wide))}  ${count}`.trimEnd();
  const reasons = state === "cached" ? [] : because;
  return [
    head,
    ...reasons.map((reason) => style.dim(`           ${clean(reason)}`)),
    ...effects.map((effect) => `           ${clean(inWords(effect, cwd))}`),
  ];
}

function named(path: string): string {
  return path === "" ? "(root)" : path;
}

function inWords({ kind, what }: Effect, cwd: string): string {
  switch (kind) {
    case "value":
      return `gives the value ${named(what)}`;
    case "save":
      return `saves ${relative(cwd, what) || "."}`;
    case "archive":
      return `saves an image to ${relative(cwd, what)}`;
    case "push":
      return `pushes ${what}`;
    case "always":
      return `always: ${what}`;
    case "host":
      return `on this machine: ${what}`;
  }
}

function ending({ components, passes, steps, waiting, hooks, lacks: { secrets, ssh, allowHost }, known }: Plan, style: Style): string[] {
  const count = (state: PlannedComponent["state"]): number => components.filter((component) => component.state === state).length;
  const states = (["run", "cached", "unknown", "deferred"] as const).flatMap((state) =>
    count(state) > 0 ? [`${count(state)} ${state}`] : [],
  );
  const some = steps.run === undefined ? "" : `, ${steps.run} of them to run`;
  const pass = passes.atLeast === 1 ? "1 pass" : passesText(passes);
  const needs = [...secrets.map((id) => `--secret ${id}`), ...ssh.map((id) => `--ssh ${id}`), ...(allowHost ? ["--allow-host"] : [])];
  const knows =
    known.from === "run"
      ? `Cached means: as of the run of ${new Date(known.began).toISOString()}; the daemon may have forgotten since, and names of images and git refs may have moved`
      : "What is cached is not known: BuildKit tells it only by running. Hold the plan against a run with --run FILE";
  return [
    ...waiting.map((one) => `${style.dim("waits".padEnd(8))} ${style.bold(clean(one.path))}  ${style.dim(clean(triggerText(one)))}`),
    ...hooks.map((hook) => `${style.dim("hook".padEnd(8))} ${style.bold(clean(hook.path))}  ${style.dim(hookText(hook))}`),
    "",
    style.bold(
      `${plural(components.length, "component")}${states.length === 0 ? "" : ` (${states.join(", ")})`}, ${plural(steps.total, "step")}${some}, ${pass}`,
    ),
    ...(needs.length === 0 ? [] : [`It needs ${needs.join(" ")}`]),
    style.dim(knows),
  ];
}

function passesText({ atLeast, because, hosts }: Plan["passes"]): string {
  const why = [
    ...(because.length === 0 ? [] : [`CUE waits for ${because.join(", ")}`]),
    ...(hosts.length === 0 ? [] : [`${hosts.map(named).join(", ")} ${hosts.length === 1 ? "runs" : "run"} on this machine`]),
  ];
  return `${because.length === 0 ? "" : "at least "}${atLeast} passes: ${why.join(", and ")}`;
}
