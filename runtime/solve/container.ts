// Containers of a build's gateway: made of results of the build.
import {
  NewContainerRequest,
  NewContainerResponse,
  ReleaseContainerRequest,
  ReleaseContainerResponse,
} from "../../proto/gen/github.com/moby/buildkit/frontend/gateway/pb/gateway.ts";
import { type Mount, MountType, NetMode } from "../../proto/gen/github.com/moby/buildkit/solver/pb/ops.ts";
import { RpcError } from "../grpc/status.ts";
import { newId } from "../session/index.ts";
import { type FileTree, fileTree } from "./gateway-files.ts";
import { bridgeMethod, type GatewayCall } from "./gateway-methods.ts";
import { Process, type ProcessSpec } from "./process.ts";

const methods = {
  create: bridgeMethod("NewContainer", NewContainerRequest, NewContainerResponse),
  release: bridgeMethod("ReleaseContainer", ReleaseContainerRequest, ReleaseContainerResponse),
};

/**
 * What is mounted where. `result` is the id of a result (`ResultRef.id`, or one of a failure's `mounts`); empty means an empty filesystem.
 * Writes never change the result: they are lost with the container, except in caches.
 */
export type ContainerMount =
  | { readonly kind: "bind"; readonly dest: string; readonly result: string; readonly selector?: string; readonly readonly?: boolean }
  | {
      readonly kind: "cache";
      readonly dest: string;
      readonly id: string;
      readonly sharing: "shared" | "private" | "locked";
      readonly result: string;
      readonly selector?: string;
      readonly readonly?: boolean;
    }
  | { readonly kind: "tmpfs"; readonly dest: string }
  | {
      readonly kind: "secret" | "ssh";
      readonly dest: string;
      readonly id: string;
      readonly uid: number;
      readonly gid: number;
      readonly mode: number;
      readonly optional: boolean;
    };

export interface ContainerSpec {
  /** One of them must be a bind at `/`. */
  readonly mounts: readonly ContainerMount[];
  readonly network: "sandbox" | "host" | "none";
  readonly platform?: { readonly os: string; readonly architecture: string; readonly variant?: string };
  readonly extraHosts?: readonly { readonly host: string; readonly ip: string }[];
  readonly hostname?: string;
}

export class Container {
  readonly id: string;
  /** Looks into the running container: paths are below its mount number `mountIndex` (0: the first). */
  readonly files: FileTree;
  readonly #call: GatewayCall;

  private constructor(id: string, call: GatewayCall) {
    this.id = id;
    this.#call = call;
    this.files = fileTree(call, id, "container");
  }

  static async create(call: GatewayCall, spec: ContainerSpec): Promise<Container> {
    const id = newId();
    const request = NewContainerRequest.fromPartial({
      ContainerID: id,
      Mounts: spec.mounts.map(toMount),
      Network: { sandbox: NetMode.UNSET, host: NetMode.HOST, none: NetMode.NONE }[spec.network],
      extraHosts: (spec.extraHosts ?? []).map(({ host, ip }) => ({ Host: host, IP: ip })),
      hostname: spec.hostname ?? "",
      ...(spec.platform === undefined
        ? {}
        : { platform: { OS: spec.platform.os, Architecture: spec.platform.architecture, Variant: spec.platform.variant ?? "" } }),
    });
    await call.connection.unary(methods.create, request, call.options);
    return new Container(id, call);
  }

  /** Starts a process; the first one is the container's init. Never throws: `ended` tells what went wrong. */
  start(spec: ProcessSpec): Process {
    return new Process(this.id, spec, this.#call);
  }

  /** Ends what runs in it and forgets it. The daemon answers with how its processes ended, which is no error here. */
  async release(): Promise<void> {
    try {
      await this.#call.connection.unary(methods.release, { ContainerID: this.id }, this.#call.options);
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
    }
  }
}

const sharings = { shared: 0, private: 1, locked: 2 } as const;

function toMount(mount: ContainerMount): Partial<Mount> {
  switch (mount.kind) {
    case "bind":
      return { mountType: MountType.BIND, dest: mount.dest, ...resultOf(mount) };
    case "cache":
      return {
        mountType: MountType.CACHE,
        dest: mount.dest,
        ...resultOf(mount),
        cacheOpt: { ID: mount.id, sharing: sharings[mount.sharing] },
      };
    case "tmpfs":
      return { mountType: MountType.TMPFS, dest: mount.dest };
    case "secret":
      return { mountType: MountType.SECRET, dest: mount.dest, secretOpt: ownedBy(mount) };
    case "ssh":
      return { mountType: MountType.SSH, dest: mount.dest, SSHOpt: ownedBy(mount) };
  }
}

function resultOf(mount: { readonly result: string; readonly selector?: string; readonly readonly?: boolean }): Partial<Mount> {
  return { resultID: mount.result, selector: mount.selector ?? "", readonly: mount.readonly ?? false };
}

function ownedBy(mount: Extract<ContainerMount, { kind: "secret" | "ssh" }>): NonNullable<Mount["secretOpt"]> {
  return { ID: mount.id, uid: mount.uid, gid: mount.gid, mode: mount.mode, optional: mount.optional };
}
