// What a component gives, or does to the world, beside making files.
import type { Job, Vertex } from "../../compiler/index.ts";

/** What a component gives, or does to the world. */
export interface Effect {
  readonly kind: "value" | "save" | "archive" | "push" | "always" | "host";
  /** CUE path of the value, directory or file on this machine, reference of the image, or the words of a step that runs always, or on this machine. */
  readonly what: string;
}

/** Of one component with its vertices. Without the name of the run that the job was compiled for, steps that run always are not told. */
export function effectsOf(job: Job, component: string, own: readonly Vertex[], run?: string): Effect[] {
  const always = own
    .filter((vertex) => isAlways(vertex, run))
    .map(({ kind, meta }): Effect => ({ kind: kind === "host" ? "host" : "always", what: meta.name }));
  const values = job.values.filter(({ path }) => path === component).map(({ path }) => ({ kind: "value" as const, what: path }));
  const dirs = job.dirs.filter(({ path }) => ownerOf(path) === component).map(({ dest }) => ({ kind: "save" as const, what: dest }));
  const images = job.images
    .filter((image) => image.component === component)
    .map(({ target }): Effect => (target.kind === "push" ? { kind: "push", what: target.ref } : { kind: "archive", what: target.dest }));
  return [...always, ...values, ...dirs, ...images];
}

/** The component of an op's path. */
function ownerOf(path: string): string {
  return path.replace(/[.]?#up\b.*$/, "");
}

/** A step that runs always carries the name of its run. */
export function isAlways(vertex: Vertex, run: string | undefined): boolean {
  if (vertex.kind === "host") return true;
  if (vertex.kind !== "exec" || run === undefined) return false;
  return vertex.mounts.some((mount) => mount.kind === "secret" && mount.id.endsWith(run));
}
