// Kubernetes: tasks that hand things on to each other are one Job, whose pod runs them in order; daemons are Deployments with Services.
import { labelOf, partsOf } from "../names.ts";
import type { Rendered, Target, TargetGraph, TargetNode, Told } from "../target.ts";
import type { Cluster } from "./cluster.ts";
import { keptVolumes } from "./container.ts";
import { deploymentOf, serviceOf } from "./daemon.ts";
import { configMapOf } from "./files.ts";
import { jobSpec, keptOutputs } from "./job-spec.ts";
import { type JobPlan, planJobs } from "./jobs.ts";
import { KubernetesSecrets } from "./secrets.ts";

export const kubernetes: Target = { title: "Kubernetes", render };

function render(graph: TargetGraph, told: Told): Rendered {
  const secrets = new KubernetesSecrets(graph.secrets, told);
  const cluster: Cluster = { graph, told, secrets, metadata: (name, node) => metadata(graph, name, node) };
  const { nodes } = graph;
  const files = nodes.flatMap((node) => configMapOf(node, cluster) ?? []);
  const daemons = nodes
    .filter(({ kind }) => kind === "daemon")
    .flatMap((node) => [deploymentOf(node, cluster), ...serviceOf(node, cluster)]);
  const jobs = planJobs(nodes).flatMap((plan) => [
    ...(keptOutputs(plan).length === 0 ? [] : claimOf(partsOf(plan.last.name).outputs, cluster)),
    jobOf(plan, cluster),
  ]);
  const volumes = [...new Set(nodes.flatMap(keptVolumes))].flatMap((name) => claimOf(labelOf(name), cluster));
  const archives = nodes.flatMap(({ name, ref, image }) =>
    image.archive === undefined ? [] : [`The image of ${name}, ${ref}, is in the archive ${image.archive}: load it into the nodes before`],
  );
  return { documents: [...files, ...volumes, ...daemons, ...jobs], notes: [...archives, ...secrets.notes] };
}

function metadata({ name: whole, namespace }: TargetGraph, name: string, node?: TargetNode): ReturnType<Cluster["metadata"]> {
  const labels = { "app.kubernetes.io/name": name, "app.kubernetes.io/part-of": whole, "app.kubernetes.io/managed-by": "dagger" };
  // Paths of CUE may have characters that no label has.
  const from = node === undefined || node.path === "" ? {} : { annotations: { "cuellb.dev/component": node.path } };
  return { name, ...(namespace === undefined ? {} : { namespace }), labels, ...from };
}

/** A volume that outlives pods, where the target has storage for it. */
function claimOf(name: string, { graph: { storage }, metadata }: Cluster): object[] {
  if (storage === undefined) return [];
  const { size, class: storageClassName } = storage;
  const spec = {
    accessModes: ["ReadWriteOnce"],
    resources: { requests: { storage: size } },
    ...(storageClassName === undefined ? {} : { storageClassName }),
  };
  return [{ apiVersion: "v1", kind: "PersistentVolumeClaim", metadata: metadata(name), spec }];
}

function jobOf(plan: JobPlan, cluster: Cluster): object {
  const { last } = plan;
  const { trigger } = last;
  const spec = jobSpec(plan, cluster);
  const meta = cluster.metadata(last.name, last);
  if (trigger.kind !== "schedule") {
    return {
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: meta,
      spec: { ...(trigger.kind === "manual" ? { suspend: true } : {}), ...spec },
    };
  }
  const { schedule, timezone } = trigger;
  return {
    apiVersion: "batch/v1",
    kind: "CronJob",
    metadata: meta,
    spec: { schedule, timeZone: timezone, concurrencyPolicy: "Forbid", jobTemplate: { spec } },
  };
}
