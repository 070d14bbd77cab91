// Makes file vertices: the shape that `copy`, `mkdir`, `write-file` and their like share.
import type { FileAction, Output, Ref, VertexMeta } from "../graph/vertex.ts";

type Copy = Extract<FileAction, { kind: "copy" }>;

/** `actions` on `base`, oldest first. */
export function fileOutput(base: Ref, actions: readonly FileAction[], meta: VertexMeta): Output {
  return { vertex: { kind: "file", base, actions, meta }, index: 0 };
}

/** A copy as client/llb makes it without options, but for those given. */
export function copyAction(from: Ref, src: string, dest: string, options: Partial<Copy> = {}): Copy {
  return {
    kind: "copy",
    from,
    src,
    dest,
    followSymlinks: false,
    dirCopyContents: false,
    attemptUnpack: false,
    createDestPath: false,
    allowWildcard: false,
    allowEmptyWildcard: false,
    include: [],
    exclude: [],
    alwaysReplaceExistingDestPaths: false,
    requiredPaths: [],
    ...options,
  };
}

/** Everything in the directory `src`, without the directory itself, into `dest`. */
export function copyContents(from: Ref, src: string, dest: string, options: Partial<Copy> = {}): Copy {
  return copyAction(from, src, dest, { dirCopyContents: true, createDestPath: true, ...options });
}

/** `{ key: value }` when there is a value: for optional properties. */
export function given<Key extends string, T>(key: Key, value: T | undefined): { readonly [K in Key]?: T } {
  return (value === undefined ? {} : { [key]: value }) as { readonly [K in Key]?: T };
}
