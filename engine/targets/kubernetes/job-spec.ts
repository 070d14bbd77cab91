// The Job of some tasks: a pod that runs them one after the other, hands on what they leave, and waits for daemons that they need.
import { handOn, placeOf } from "../hand-on.ts";
import { partsOf } from "../names.ts";
import { about, type TargetNode, type TargetOutput } from "../target.ts";
import type { Cluster } from "./cluster.ts";
import { type Container, containerOf, podOf, type Volume, volumesOf } from "./container.ts";
import type { JobPlan } from "./jobs.ts";
import { plain } from "./text.ts";

/** Spec of a Job. */
export function jobSpec(plan: JobPlan, cluster: Cluster): object {
  const { tasks, last } = plan;
  const waited = new Set<TargetNode>();
  const steps = tasks.flatMap((task) => [...waitsOf(task, waited, cluster), containerOf(task, cluster), ...handOnOf(task, cluster)]);
  const volumes = tasks.flatMap((task) => [...volumesOf(task, cluster), ...givenVolumes(task)]);
  const isKeeping = cluster.graph.storage !== undefined && keptOutputs(plan).length > 0;
  const kept = isKeeping ? [{ name: keptVolume, persistentVolumeClaim: { claimName: partsOf(last.name).outputs } }] : [];
  const containers = steps.slice(-1);
  const initContainers = steps.slice(0, -1);
  const retries = Math.max(...tasks.map(({ process }) => process.retries));
  const template = {
    metadata: {
      labels: cluster.metadata(last.name).labels,
      // What `kubectl logs` shows when nobody says which container.
      annotations: { "kubectl.kubernetes.io/default-container": last.name },
    },
    spec: {
      restartPolicy: retries === 0 ? "Never" : "OnFailure",
      ...podOf(tasks, cluster),
      ...(initContainers.length === 0 ? {} : { initContainers }),
      containers,
      ...(volumes.length + kept.length === 0 ? {} : { volumes: [...volumes, ...kept] }),
    },
  };
  return { backoffLimit: retries, ...deadline(plan, cluster), template };
}

/** A Job has one limit for all that it does. */
function deadline({ tasks, last }: JobPlan, { told }: Cluster): object {
  const limits = tasks.flatMap(({ process: { timeout, retries } }) => (timeout === undefined ? [] : [timeout * (retries + 1)]));
  if (limits.length === tasks.length) return { activeDeadlineSeconds: Math.ceil(limits.reduce((sum, one) => sum + one, 0) / 1000) };
  for (const task of tasks.filter(({ process }) => process.timeout !== undefined)) {
    told.loss(
      about(task, "target-loss", `The time limit of ${task.path} does not hold in Kubernetes: the Job ${last.name} has tasks without any`),
    );
  }
  return {};
}

/** For the daemons that a task needs, but for those that a task before it has `waited` for. */
function waitsOf(task: TargetNode, waited: Set<TargetNode>, { graph: { helper }, told }: Cluster): Container[] {
  const daemons = task.needs.filter((need) => need.kind === "daemon" && !waited.has(need));
  return daemons.flatMap((daemon) => {
    const { name, path, ports } = daemon;
    waited.add(daemon);
    const port = ports.find(({ protocol }) => protocol === "tcp")?.container;
    if (port !== undefined) {
      return [{ name: partsOf(name).wait, image: helper, command: ["sh", "-euc", `until nc -z ${name} ${port}; do sleep 1; done`] }];
    }
    told.loss(about(task, "target-loss", `${task.path} does not wait for ${path} in Kubernetes: nothing says a port of it`));
    return [];
  });
}

const keptVolume = "kept";

function handOnOf(task: TargetNode, { graph: { helper, storage }, told }: Cluster): Container[] {
  if (task.outputs.length === 0) return [];
  const kept = storage === undefined ? [] : task.outputs.filter(isKept);
  const given = task.outputs.filter(({ taken }) => taken);
  for (const { path, at, save } of task.outputs) {
    if (save !== undefined) told.loss({ code: "target-loss", message: `${path} is not saved to ${save}`, path, at });
  }
  if (storage === undefined) {
    for (const { path, at } of task.outputs.filter(isKept)) {
      told.loss({ code: "target-loss", message: `${path} is gone when its pod has ended: give the target storage`, path, at });
    }
  }
  const handed = [
    ...given.map((output) => ({ from: output.from, to: placeOf(output) })),
    ...kept.map(({ from, volume }) => ({ from, to: `/kept/${volume}` })),
  ];
  if (handed.length === 0) return [];
  return [
    {
      name: partsOf(task.name).outputs,
      image: helper,
      command: handOn(task.name, handed).map(plain),
      securityContext: { runAsUser: 0 },
      volumeMounts: [
        { name: partsOf(task.name).out, mountPath: "/out" },
        ...given.map((output) => ({ name: output.volume, mountPath: placeOf(output) })),
        ...(kept.length === 0 ? [] : [{ name: keptVolume, mountPath: "/kept" }]),
      ],
    },
  ];
}

/** Outputs that should outlive the pod. */
export function keptOutputs({ tasks }: JobPlan): TargetOutput[] {
  return tasks.flatMap(({ outputs }) => outputs.filter(isKept));
}

/** What nobody in the Job takes, and what a run would save. */
function isKept({ taken, save }: TargetOutput): boolean {
  return !taken || save !== undefined;
}

function givenVolumes(task: TargetNode): Volume[] {
  return task.outputs.filter(({ taken }) => taken).map(({ volume }) => ({ name: volume, emptyDir: {} }));
}
