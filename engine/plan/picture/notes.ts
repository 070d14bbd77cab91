// What a picture says of components: a few lines for each, and words for what goes between them.

import type { ComponentBox, ComponentGraph, Link } from "./components.ts";
import { shorten, sizes } from "./drawing.ts";
import type { Note, Sketch, SketchBox, SketchLine } from "./sketch/sketch.ts";

/** `stepName`: the words of a step, by its number. */
export function sketchComponents({ boxes, links }: ComponentGraph, stepName: (id: number) => string): Sketch {
  return {
    boxes: boxes.map((box): SketchBox => {
      const { path, title, doc, at, state, hook, steps } = box;
      const about = steps.map(stepName).join("\n");
      const sort = hook === undefined ? "component" : "hook";
      return { path, title, sort, notes: notesOf(box), faint: state !== "built", doc, about, ...(at === undefined ? {} : { at }) };
    }),
    lines: links.map(lineOf),
  };
}

/** The graph as plain data. */
export function componentData({ boxes, links }: ComponentGraph): object {
  const components = boxes.map((box) => ({
    ...box,
    needs: links.filter(({ to }) => to === box.path).map(({ from, kinds }) => ({ path: from, kinds })),
  }));
  return { components };
}

/** Files are what components usually take: only other things are named. */
function lineOf({ from, to, kinds, implied }: Link): SketchLine {
  const label = kinds.length === 1 && kinds[0] === "artifact" ? "" : kinds.join(", ");
  const kind = kinds.some((one) => one.startsWith("on ")) ? "hook" : kinds.includes("artifact") ? undefined : "value";
  return { from, to, label, implied, ...(kind === undefined ? {} : { kind }) };
}

/** What a box says below its name, one line each. */
function notesOf({ path, state, trigger, hook, effects, counted, only, kind }: ComponentBox): Note[] {
  const when =
    trigger === undefined ? [] : [{ kind: "trigger", text: `waits: ${trigger.kind === "schedule" ? trigger.schedule : trigger.kind}` }];
  const follows = hook === undefined ? [] : [{ kind: "trigger", text: `on ${hook.on}${hook.of.length === 0 ? " of the run" : ""}` }];
  const count =
    counted === 0 && only === undefined
      ? []
      : [{ kind, text: shorten(only?.replace("docker.io/library/", "") ?? `${counted} steps`, sizes.note) }];
  const later = state === "deferred" ? [{ kind: "deferred", text: "waits for values" }] : [];
  const gives = effects.map(({ kind, what }) => ({ kind, text: `${words[kind]} ${kind === "value" ? within(what, path) : what}`.trim() }));
  const notes = [...when, ...follows, ...later, ...count, ...gives];
  return notes.length === 0 ? [{ kind: "steps", text: "only hands on" }] : notes;
}

/** The path of a value as it is called inside of its component. */
function within(what: string, path: string): string {
  if (what === path) return "its value";
  return what.startsWith(`${path}.`) ? what.slice(path.length + 1) : what;
}

const words = { value: "gives", save: "saves", archive: "saves", push: "pushes", always: "always", host: "" } as const;
