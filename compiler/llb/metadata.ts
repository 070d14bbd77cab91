// pb.OpMetadata: what a vertex carries beside its bytes: name, progress group, capabilities, cache and resource hints.
import type { OpMetadata } from "../../proto/gen/github.com/moby/buildkit/solver/pb/ops.ts";
import type { Resources, VertexMeta } from "../graph/vertex.ts";
import { CAPS } from "./caps.ts";

/** Description that BuildKit's progress shows in place of the op. */
const CUSTOM_NAME = "llb.customname";

export function toMetadata(meta: VertexMeta, caps: readonly string[]): OpMetadata {
  const { name, component } = meta;
  const group = meta.group ?? (component === "" ? undefined : { id: component, name: component });
  return {
    ignore_cache: meta.ignoreCache ?? false,
    description: { ...meta.description, ...(name === "" ? {} : { [CUSTOM_NAME]: name }) },
    export_cache: meta.exportCache === undefined ? undefined : { Value: meta.exportCache },
    caps: Object.fromEntries(caps.map((cap) => [cap, true])),
    progress_group: group && { id: group.id, name: group.name, weak: group.weak ?? false },
    linux_resources: meta.resources && toLinuxResources(meta.resources),
  };
}

/** Metadata of two vertices with equal bytes: the later one wins where both speak. */
export function mergeMetadata(first: OpMetadata, second: OpMetadata): OpMetadata {
  return {
    ignore_cache: first.ignore_cache || second.ignore_cache,
    description: { ...first.description, ...second.description },
    export_cache: second.export_cache ?? first.export_cache,
    caps: { ...first.caps, ...second.caps },
    progress_group: second.progress_group ?? first.progress_group,
    linux_resources: second.linux_resources ?? first.linux_resources,
  };
}

/** Metadata of the terminal op: capabilities that the Definition as a whole needs. */
export function terminalMetadata(all: Iterable<OpMetadata>): OpMetadata {
  const caps: Record<string, boolean> = { [CAPS.constraints]: true, [CAPS.platform]: true };
  for (const metadata of all) {
    if (metadata.ignore_cache) caps[CAPS.ignoreCache] = true;
    if (Object.keys(metadata.description).length > 0) caps[CAPS.description] = true;
    if (metadata.export_cache !== undefined) caps[CAPS.exportCache] = true;
  }
  return { ignore_cache: false, description: {}, export_cache: undefined, caps, progress_group: undefined, linux_resources: undefined };
}

function toLinuxResources(resources: Resources): NonNullable<OpMetadata["linux_resources"]> {
  return {
    memory: resources.memory ?? 0n,
    memorySwap: resources.memorySwap ?? 0n,
    cpuShares: resources.cpuShares ?? 0n,
    cpuPeriod: resources.cpuPeriod ?? 0n,
    cpuQuota: resources.cpuQuota ?? 0n,
    cpusetCpus: resources.cpusetCpus ?? "",
    cpusetMems: resources.cpusetMems ?? "",
  };
}
