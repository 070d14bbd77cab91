// What all objects of a rendering for Kubernetes need.
import type { TargetGraph, TargetNode, Told } from "../target.ts";
import type { KubernetesSecrets } from "./secrets.ts";

export interface Cluster {
  readonly graph: TargetGraph;
  readonly told: Told;
  readonly secrets: KubernetesSecrets;
  /** Metadata of an object, or of the pods that it makes. */
  readonly metadata: (name: string, node?: TargetNode) => { readonly name: string; readonly labels: Readonly<Record<string, string>> };
}
