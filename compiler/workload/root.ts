// What a process starts in: the image that its ops begin with, and what they add that needs no image of its own.
import type { Position } from "../diagnostic.ts";
import type { Platform } from "../graph/vertex.ts";
import { resolvePath } from "../llb/index.ts";
import type { Op } from "../ops/op.ts";
import type { Text } from "../ops/use.ts";
import type { Programs } from "./programs.ts";
import { leavesFiles, type NamedImage } from "./pushed.ts";
import type { WorkloadFile, WorkloadImage } from "./workload.ts";

/** What the ops before a process leave. Directories are absolute; `dir` is undefined where only the image knows. */
export interface Root {
  readonly ref?: string;
  readonly archive?: string;
  readonly lacks?: NonNullable<WorkloadImage["lacks"]>;
  readonly dirs: readonly string[];
  readonly files: readonly WorkloadFile[];
  readonly env: readonly (readonly [name: string, value: Text])[];
  readonly dir?: string;
  readonly user?: string;
  readonly platform?: Platform;
}

const empty: Root = { dirs: [], files: [], env: [] };

/** Folds ops over what there is, from nothing. */
export function rootOf(ops: readonly Op[], programs: Programs, images: ReadonlyMap<string, NamedImage>): Root {
  let root: Root = { ...empty, lacks: { path: "", at: [], what: "it starts with no image" } };
  for (const op of ops) root = next(root, op, programs, images);
  return root;
}

function next(root: Root, op: Op, programs: Programs, images: ReadonlyMap<string, NamedImage>): Root {
  switch (op.do) {
    case "fetch-container":
      return { ...empty, ref: op.ref, ...(op.platform === undefined ? {} : { platform: op.platform }) };
    case "load": {
      const image = images.get(programs.identity(programs.of(op.from)));
      return image === undefined ? rootOf(programs.of(op.from).ops, programs, images) : { ...empty, ...image };
    }
    case "scratch":
      return rootOf([], programs, images);
    case "push-container":
      return { ...empty, ref: op.ref };
    case "mkdir":
      return { ...root, dirs: [...root.dirs, resolvePath(resolvePath(root.dir ?? "/", op.dir ?? "."), op.path)] };
    case "workdir":
      // Of a relative one only the image knows where it is.
      if (root.dir === undefined && !op.path.startsWith("/"))
        return lacking(root, op, "it starts in a directory that depends on the image's own");
      return { ...root, dir: resolvePath(root.dir ?? "/", op.path) };
    case "env":
      return { ...root, env: [...root.env, ...op.env] };
    case "user":
      return { ...root, user: op.user };
    case "write-file": {
      if (typeof op.content !== "string") return lacking(root, op, "it has a file that a run computes");
      const path = resolvePath(root.dir ?? "/", op.dest);
      return { ...root, files: [...root.files, { path, content: op.content, mode: op.mode }] };
    }
    default:
      return leavesFiles(op) ? root : lacking(root, op, `${op.do} changes its filesystem`);
  }
}

/** What was known of the directory, variables and user stays. */
function lacking({ dirs, env, dir, user }: Root, op: Op, what: string): Root {
  const at: readonly Position[] = op.place.at;
  const rest = { ...(dir === undefined ? {} : { dir }), ...(user === undefined ? {} : { user }) };
  return { ...empty, dirs, env, ...rest, lacks: { path: op.place.path, at, what } };
}
