// What a target is: another system that tasks and daemons are written for. A new one is a file here, and a line of the table in index.ts.
import type { Diagnostic, PublishedPort, Workload, WorkloadOutput } from "../../compiler/index.ts";

/** Writes a graph in the words of another system. */
export interface Target {
  /** What it is called, for people. */
  readonly title: string;
  readonly render: (graph: TargetGraph, told: Told) => Rendered;
}

/** The documents of the text, in their order, and the lines that come before as comments. */
export interface Rendered {
  readonly documents: readonly object[];
  readonly notes: readonly string[];
}

/** Told by whoever renders: `problem` for what would be something else there, `loss` for what is left out. */
export interface Told {
  readonly problem: (diagnostic: Diagnostic) => void;
  readonly loss: (diagnostic: Diagnostic) => void;
}

/** The graph of a config, with the names that all of it has in another system. */
export interface TargetGraph {
  /** A label of host names. */
  readonly name: string;
  readonly namespace?: string;
  /** Each after its needs. */
  readonly nodes: readonly TargetNode[];
  /** Reference of an image with a shell, cp and nc. */
  readonly helper: string;
  readonly storage?: { readonly size: string; readonly class?: string };
  /** What is said of secrets, by their ids. */
  readonly secrets: ReadonlyMap<string, SecretPlace>;
}

/** Where the value of a secret comes from there. */
export interface SecretPlace {
  readonly env?: string;
  readonly file?: string;
  readonly name?: string;
  readonly key?: string;
}

export interface TargetNode extends Omit<Workload, "needs" | "outputs" | "mounts" | "name"> {
  /** A label of host names, of this node only. */
  readonly name: string;
  readonly ref: string;
  readonly replicas: number;
  /** That a daemon takes connections at. Others reach it by its name at those of its container. */
  readonly ports: readonly PublishedPort[];
  readonly needs: readonly TargetNode[];
  readonly outputs: readonly TargetOutput[];
  readonly mounts: readonly TargetMount[];
}

export interface TargetOutput extends WorkloadOutput {
  /** A label of host names, of this output only. */
  readonly volume: string;
  /** Whether another node takes it. */
  readonly taken: boolean;
}

/** As those of a workload; of an output the volume is known. */
export type TargetMount =
  | Exclude<Workload["mounts"][number], { kind: "output" }>
  | { readonly kind: "output"; readonly dest: string; readonly volume: string };

/** Tells of a node at its place. */
export function about(
  node: Pick<TargetNode, "path" | "at">,
  code: "target-loss" | "target-step",
  message: string,
  hint?: string,
): Diagnostic {
  return { code, message, path: node.path, at: node.at, ...(hint === undefined ? {} : { hint }) };
}
