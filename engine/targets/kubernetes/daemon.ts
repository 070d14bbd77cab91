// A daemon in Kubernetes: a Deployment with its probes, and a Service where it takes connections.
import type { PublishedPort, ReadyProbe } from "../../../compiler/index.ts";
import { partsOf } from "../names.ts";
import { localPort } from "../ports.ts";
import { about, type TargetNode } from "../target.ts";
import type { Cluster } from "./cluster.ts";
import { containerOf, keptVolumes, podOf, volumesOf } from "./container.ts";
import { plain } from "./text.ts";

export function deploymentOf(node: TargetNode, cluster: Cluster): object {
  const { daemon, ports } = node;
  const { labels } = cluster.metadata(node.name);
  const { onStart = [], grace = 0 } = daemon ?? {};
  tellLosses(node, cluster);
  const volumes = volumesOf(node, cluster);
  const container = {
    ...containerOf(node, cluster),
    ...(ports.length === 0
      ? {}
      : { ports: ports.map(({ container, protocol }) => ({ containerPort: container, ...protocolOf(protocol) })) }),
    ...probes(node, cluster),
  };
  const spec = {
    terminationGracePeriodSeconds: Math.ceil(grace / 1000),
    ...podOf([node], cluster),
    ...(onStart.length === 0 ? {} : { initContainers: [{ ...containerOf(node, cluster, onStart), name: partsOf(node.name).start }] }),
    containers: [container],
    ...(volumes.length === 0 ? {} : { volumes }),
  };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: cluster.metadata(node.name, node),
    spec: {
      replicas: node.replicas,
      ...replacing(node, cluster),
      selector: { matchLabels: selecting(labels) },
      template: { metadata: { labels }, spec },
    },
  };
}

/** Two pods cannot have its volumes at the same time: the one before ends first. */
function replacing(node: TargetNode, { graph: { storage } }: Cluster): object {
  return storage !== undefined && keptVolumes(node).length > 0 ? { strategy: { type: "Recreate" } } : {};
}

function tellLosses(node: TargetNode, { told, graph }: Cluster): void {
  const { daemon, path, needs, replicas } = node;
  const lose = (message: string): void => told.loss(about(node, "target-loss", message));
  if (daemon?.restart === "never") lose(`${path} is started again when it ends: Kubernetes has no other daemons`);
  if (daemon !== undefined && daemon.onExit.length > 0) lose(`onExit of ${path} does not run in Kubernetes`);
  for (const need of needs.filter(({ kind }) => kind === "task")) lose(`${path} does not wait for ${need.path} in Kubernetes`);
  // Claims are ReadWriteOnce: pods on a second machine would wait for ever.
  for (const volume of replicas > 1 && graph.storage !== undefined ? keptVolumes(node) : [])
    lose(
      `The ${replicas} pods of ${path} share the volume ${volume}, which one machine of the cluster can have at a time: pods on others do not start`,
    );
}

/** As long as it may take to get ready it is asked whether it has started, and after that whether it is ready. */
function probes(node: TargetNode, { told }: Cluster): object {
  const ready = node.daemon?.ready;
  if (ready === undefined) return {};
  const asked = question(ready);
  if (asked === undefined) {
    told.loss(about(node, "target-loss", `${node.path} counts as ready when it runs: Kubernetes does not look at its output`));
    return {};
  }
  const periodSeconds = Math.max(1, Math.ceil(ready.interval / 1000));
  const failureThreshold = Math.max(1, Math.ceil(ready.timeout / 1000 / periodSeconds));
  return { startupProbe: { ...asked, periodSeconds, failureThreshold }, readinessProbe: { ...asked, periodSeconds } };
}

function question(ready: ReadyProbe): object | undefined {
  if (ready.kind === "log") return undefined;
  if (ready.kind === "command") return { exec: { command: ready.what.map(plain) } };
  const own = localPort(ready);
  const address = new URL(ready.kind === "http" ? ready.what : `tcp://${ready.what}`);
  const port = own ?? Number(address.port || (address.protocol === "https:" ? 443 : 80));
  // Without a host it is the pod that is asked.
  const host = own === undefined ? { host: address.hostname } : {};
  if (ready.kind === "tcp") return { tcpSocket: { ...host, port } };
  return {
    httpGet: { ...host, path: `${address.pathname}${address.search}`, port, ...(address.protocol === "https:" ? { scheme: "HTTPS" } : {}) },
  };
}

/** None for a daemon that takes no connections. */
export function serviceOf(node: TargetNode, cluster: Cluster): object[] {
  const { name, ports } = node;
  if (ports.length === 0) return [];
  const metadata = cluster.metadata(name, node);
  const given = ports.map(({ container: port, protocol }) => {
    const suffix = protocol === "tcp" ? "" : `-${protocol}`;
    return { name: `port-${port}${suffix}`, port, targetPort: port, ...protocolOf(protocol) };
  });
  const spec = { selector: selecting(metadata.labels), ports: given };
  return [{ apiVersion: "v1", kind: "Service", metadata, spec }];
}

/** Without one it is TCP. */
function protocolOf(protocol: PublishedPort["protocol"]): object {
  return protocol === "tcp" ? {} : { protocol: protocol.toUpperCase() };
}

/** What tells its pods from all others. */
function selecting(labels: Readonly<Record<string, string>>): object {
  return Object.fromEntries(Object.entries(labels).filter(([label]) => !label.endsWith("managed-by")));
}
