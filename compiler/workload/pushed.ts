// Names of images: which filesystems of a config become images that other systems can fetch.
import type { Program } from "../ops/program.ts";
import type { From } from "../ops/use.ts";
import type { Programs } from "./programs.ts";

export interface NamedImage {
  readonly ref: string;
  /** The archive that it is saved to, where it is pushed nowhere. */
  readonly archive?: string;
}

/** Ops that give something of a filesystem, and leave it as it is. */
const giving = new Set(["export", "save-dir", "save-image", "push-container", "docker-login", "image-config"]);

export function leavesFiles(op: { readonly do: string }): boolean {
  return giving.has(op.do);
}

/** The filesystem that a program is nothing else than: it only loads it. */
export function loadedBy({ ops }: Program): From | undefined {
  const making = ops.filter((op) => !leavesFiles(op));
  const [only] = making;
  return making.length === 1 && only?.do === "load" ? only.from : undefined;
}

/**
 * Images by the identity of the component or ops whose filesystem they hold. Those that components below the path `first` push come before others, and what is pushed
 * before what is saved.
 */
export function namedImages(programs: Programs, first: string | undefined): ReadonlyMap<string, NamedImage> {
  const images = new Map<string, NamedImage>();
  const isFirst = ({ component }: Program): boolean => first !== undefined && component.startsWith(`${first}.`);
  const ordered = [...programs.components.filter(isFirst), ...programs.components.filter((program) => !isFirst(program))];
  for (const kind of ["push-container", "save-image"] as const) {
    for (const program of ordered) {
      const image = imageOf(program, kind);
      for (let one: Program | undefined = program; one !== undefined && image !== undefined; ) {
        const identity = programs.identity(one);
        if (!images.has(identity)) images.set(identity, image);
        const loaded = loadedBy(one);
        one = loaded === undefined ? undefined : programs.of(loaded);
      }
    }
  }
  return images;
}

/** The image of what a program ends with. */
function imageOf({ ops }: Program, kind: "push-container" | "save-image"): NamedImage | undefined {
  const index = ops.findLastIndex((op) => op.do === kind);
  const op = ops[index];
  if (op === undefined || !ops.slice(index).every(leavesFiles)) return undefined;
  if (op.do === "push-container") return { ref: op.ref };
  return op.do === "save-image" ? { ref: op.tag, archive: op.dest } : undefined;
}
