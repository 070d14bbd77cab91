// The data of an exec op: between reading it (exec.ts) and lowering it (exec-lower.ts).
import type { Platform } from "../graph/vertex.ts";
import type { MountSpec } from "./mount.ts";
import type { ResourceLimits } from "./resources.ts";
import type { Retry } from "./supervision.ts";
import type { OpBase, SecretRef, Text } from "./use.ts";

export interface ExecOp extends OpBase<"exec"> {
  readonly args: readonly Text[];
  readonly env: readonly (readonly [name: string, value: Text | SecretRef])[];
  /** Relative to the current directory. */
  readonly dir?: string;
  readonly user?: string;
  /** Address by host name. */
  readonly hosts: readonly (readonly [host: string, ip: string])[];
  readonly hostname?: string;
  readonly network: "sandbox" | "host" | "none";
  readonly insecure: boolean;
  readonly always: boolean;
  readonly validExitCodes: readonly number[];
  readonly ulimits: readonly (readonly [name: string, limit: { readonly soft: number; readonly hard: number }])[];
  readonly devices: readonly { readonly name: string; readonly optional: boolean }[];
  readonly proxy?: ProxySpec;
  readonly stdin?: Text | Uint8Array;
  /** Of one try. */
  readonly timeout?: string;
  readonly retry?: Retry;
  readonly platform?: Platform;
  /** The root, of which nothing can be gone on from then. */
  readonly readonly: boolean;
  readonly cgroupParent?: string;
  readonly resources?: ResourceLimits;
  /** By path in the container. */
  readonly mount: readonly (readonly [path: string, mount: MountSpec])[];
}

export interface ProxySpec {
  readonly http: string;
  readonly https: string;
  readonly ftp: string;
  readonly no: string;
  readonly all: string;
}
