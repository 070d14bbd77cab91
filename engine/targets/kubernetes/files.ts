// Files whose content a config says: a ConfigMap of a node, and where its pods have them.
import { labelOf, partsOf } from "../names.ts";
import { about, type TargetNode } from "../target.ts";
import type { Cluster } from "./cluster.ts";

/** As much as a ConfigMap holds, in bytes. */
const mostBytes = 1024 * 1024;

interface PlacedFile {
  readonly key: string;
  /** Absolute. */
  readonly path: string;
  readonly content: string;
  readonly mode: number;
}

/** All files of a node, each with a key of its own. */
export function filesOf(node: TargetNode): PlacedFile[] {
  const mounted = node.mounts.flatMap((mount) =>
    mount.kind === "files"
      ? mount.files.map((file) => ({ ...file, path: file.path === "" ? mount.dest : `${mount.dest}/${file.path}` }))
      : [],
  );
  const keys = new Set<string>();
  return [...node.image.files, ...mounted].map((file) => {
    const usual = labelOf(file.path);
    let key = usual;
    for (let count = 2; keys.has(key); count++) key = `${usual}-${count}`;
    keys.add(key);
    return { ...file, key };
  });
}

/** Undefined for a node without files. */
export function configMapOf(node: TargetNode, { metadata, told }: Cluster): object | undefined {
  const files = filesOf(node);
  if (files.length === 0) return undefined;
  const bytes = files.reduce((sum, { content }) => sum + Buffer.byteLength(content), 0);
  if (bytes > mostBytes) {
    const message = `The files of ${node.path} have ${bytes} bytes, and a ConfigMap holds ${mostBytes}`;
    told.problem(about(node, "target-step", message, "Put them into the image"));
  }
  const data = Object.fromEntries(files.map(({ key, content }) => [key, content]));
  return { apiVersion: "v1", kind: "ConfigMap", metadata: metadata(partsOf(node.name).files, node), data };
}
