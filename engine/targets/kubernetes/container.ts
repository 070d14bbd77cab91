// A node as a container of a pod: its process, what is mounted, and the volumes for that.
import { labelOf, partsOf } from "../names.ts";
import { about, type TargetMount, type TargetNode } from "../target.ts";
import type { Cluster } from "./cluster.ts";
import { filesOf } from "./files.ts";
import { plain } from "./text.ts";

export type Container = { readonly name: string; readonly [field: string]: unknown };
export type Volume = { readonly name: string; readonly [field: string]: unknown };

export function containerOf(node: TargetNode, cluster: Cluster, args: readonly string[] = node.process.args): Container {
  const { dir, limits } = node.process;
  const mounts = mountsOf(node);
  const env = node.process.env.map(([name, value]) => {
    if (typeof value === "string") return { name, value: plain(value) };
    return {
      name,
      valueFrom: { secretKeyRef: { ...cluster.secrets.of(value.secret, node), ...(value.optional ? { optional: true } : {}) } },
    };
  });
  const most = {
    ...(limits.cpus === undefined ? {} : { cpu: String(limits.cpus) }),
    ...(limits.memory === undefined ? {} : { memory: String(limits.memory) }),
  };
  return {
    name: node.name,
    image: node.ref,
    // Without a command it is the image's own.
    ...(args.length === 0 ? {} : { command: args.map(plain) }),
    ...(dir === undefined ? {} : { workingDir: dir }),
    ...(env.length === 0 ? {} : { env }),
    ...(Object.keys(most).length === 0 ? {} : { resources: { limits: most } }),
    ...securityOf(node, cluster),
    ...(mounts.length === 0 ? {} : { volumeMounts: mounts }),
  };
}

function securityOf(node: TargetNode, { told }: Cluster): object {
  const { user = "", insecure, readonly, ulimits } = node.process;
  if (insecure) told.loss(about(node, "target-loss", `${node.path} has all rights of the machine that it runs on`));
  if (ulimits.length > 0) told.loss(about(node, "target-loss", `The ulimits of ${node.path} do not hold in Kubernetes`));
  const ids = /^(\d+)(?::(\d+))?$/.exec(user);
  if (user !== "" && ids === null) {
    const message = `${node.path} runs as ${user}, and Kubernetes knows users by their numbers only`;
    told.problem(about(node, "target-step", message, 'Write the number, such as user: "1000"'));
  }
  const context = {
    ...(ids === null ? {} : { runAsUser: Number(ids[1]) }),
    ...(ids?.[2] === undefined ? {} : { runAsGroup: Number(ids[2]) }),
    ...(insecure ? { privileged: true } : {}),
    ...(readonly ? { readOnlyRootFilesystem: true } : {}),
  };
  return Object.keys(context).length === 0 ? {} : { securityContext: context };
}

function mountsOf(node: TargetNode): object[] {
  const outputs = node.outputs.length === 0 ? [] : [{ name: partsOf(node.name).out, mountPath: "/out" }];
  const dirs = dirsOf(node).map((dir) => ({ name: volumeFor(node, dir), mountPath: dir }));
  const files = filesOf(node).map(({ key, path }) => ({ name: partsOf(node.name).files, mountPath: path, subPath: key, readOnly: true }));
  return [...outputs, ...dirs, ...files, ...node.mounts.flatMap((mount) => mountOf(node, mount))];
}

/** Directories that are made before the process runs, but for that of its outputs. */
function dirsOf({ image: { dirs }, outputs }: TargetNode): string[] {
  return [...new Set(dirs)].filter((dir) => dir !== "/out" || outputs.length === 0);
}

function mountOf(node: TargetNode, mount: TargetMount): object[] {
  switch (mount.kind) {
    case "files":
      return [];
    case "output":
      return [{ name: mount.volume, mountPath: mount.dest, readOnly: true }];
    case "secret":
      return [{ name: volumeFor(node, mount.dest), mountPath: mount.dest, subPath: fileName(mount.dest), readOnly: true }];
    case "tmpfs":
    case "volume":
      return [{ name: volumeFor(node, mount.dest), mountPath: mount.dest }];
    case "cache":
      return [{ name: volumeFor(node, mount.dest), mountPath: mount.dest, ...(mount.readonly ? { readOnly: true } : {}) }];
  }
}

/** Volumes of its mounts, but for outputs of others. */
export function volumesOf(node: TargetNode, cluster: Cluster): Volume[] {
  const files = filesOf(node);
  const items = files.map(({ key, mode }) => ({ key, path: key, mode }));
  const config = { name: partsOf(node.name).files, configMap: { name: partsOf(node.name).files, items } };
  return [
    ...(node.outputs.length === 0 ? [] : [{ name: partsOf(node.name).out, emptyDir: {} }]),
    ...dirsOf(node).map((dir) => ({ name: volumeFor(node, dir), emptyDir: {} })),
    ...(files.length === 0 ? [] : [config]),
    ...node.mounts.flatMap((mount) => volumeOf(node, mount, cluster)),
  ];
}

function volumeOf(node: TargetNode, mount: TargetMount, cluster: Cluster): Volume[] {
  const { secrets, told } = cluster;
  const name = volumeFor(node, mount.dest);
  switch (mount.kind) {
    case "files":
    case "output":
      return [];
    case "volume":
      return [{ name, ...keptIn(node, mount, cluster) }];
    case "tmpfs":
      return [{ name, emptyDir: { medium: "Memory", ...(mount.size === 0 ? {} : { sizeLimit: String(mount.size) }) } }];
    case "cache":
      told.loss(about(node, "target-loss", `The cache at ${mount.dest} of ${node.path} begins empty in every pod`));
      return [{ name, emptyDir: {} }];
    case "secret": {
      const { name: secretName, key } = secrets.of(mount.secret, node);
      if (mount.uid !== 0 || mount.gid !== 0) {
        told.loss(
          about(
            node,
            "target-loss",
            `The file of the secret ${mount.secret} belongs to root in Kubernetes, and everybody in ${node.path} may read it`,
          ),
        );
      }
      const mode = mount.uid === 0 && mount.gid === 0 ? mount.mode : mount.mode | 0o044;
      const items = [{ key, path: fileName(mount.dest), mode }];
      return [{ name, secret: { secretName, items, ...(mount.optional ? { optional: true } : {}) } }];
    }
  }
}

type Kept = Extract<TargetMount, { kind: "volume" }>;

/** Its volumes with names: they outlive its pods where the target has storage. */
export function keptVolumes({ mounts }: TargetNode): string[] {
  return mounts.flatMap((mount) => (mount.kind === "volume" && !mount.what.startsWith("/") ? [mount.what] : []));
}

function keptIn(node: TargetNode, { dest, what }: Kept, { graph: { storage }, told }: Cluster): object {
  if (what.startsWith("/")) {
    told.loss(about(node, "target-loss", `${what}, at ${dest} of ${node.path}, is a directory of the machine that it runs on`));
    return { hostPath: { path: what } };
  }
  if (storage !== undefined) return { persistentVolumeClaim: { claimName: labelOf(what) } };
  told.loss(about(node, "target-loss", `The volume ${what} of ${node.path} is gone with its pod: give the target storage`));
  return { emptyDir: {} };
}

/** What a pod has once for all that run in it. */
export function podOf(nodes: readonly TargetNode[], { told }: Cluster): object {
  const aliases = new Map(
    nodes.flatMap(({ process }) => process.hosts.map(([host, ip]) => [`${ip} ${host}`, { ip, hostnames: [host] }] as const)),
  );
  const machines = [...new Set(nodes.flatMap(({ image: { platform } }) => (platform === undefined ? [] : [platform.architecture])))];
  const [only] = nodes;
  for (const node of nodes) {
    const { network, hostname } = node.process;
    if (machines.length > 1)
      told.problem(
        about(
          node,
          "target-step",
          `Tasks of one pod are for several kinds of machines: ${machines.join(", ")}`,
          "Use images of one platform",
        ),
      );
    if (network === "none") told.loss(about(node, "target-loss", `${node.path} has a network in Kubernetes`));
    if (network === "host" && nodes.length > 1)
      told.loss(about(node, "target-loss", `All tasks of the pod of ${node.path} have the network of its machine`));
    if (hostname !== undefined && nodes.length > 1)
      told.loss(about(node, "target-loss", `The host name of ${node.path} is that of its pod in Kubernetes`));
  }
  return {
    ...(nodes.length === 1 && only?.process.hostname !== undefined ? { hostname: only.process.hostname } : {}),
    ...(nodes.some(({ process }) => process.network === "host") ? { hostNetwork: true } : {}),
    ...(aliases.size === 0 ? {} : { hostAliases: [...aliases.values()] }),
    ...(machines.length === 0 ? {} : { nodeSelector: { "kubernetes.io/arch": machines[0] } }),
  };
}

function volumeFor({ name }: TargetNode, dest: string): string {
  return labelOf(`${name}${dest}`);
}

function fileName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
