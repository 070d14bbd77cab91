// What an encoded op wants of the client's session and of the daemon while it runs.
import { MountType, NetMode, Op, SecurityMode } from "../../proto/gen/github.com/moby/buildkit/solver/pb/ops.ts";

export interface SessionNeeds {
  readonly secrets: readonly { readonly id: string; readonly optional: boolean }[];
  readonly ssh: readonly { readonly id: string; readonly optional: boolean }[];
  /** What the daemon must allow beyond the ordinary. */
  readonly entitlements: readonly ("network.host" | "security.insecure")[];
}

/** Secrets and SSH agents that an op mounts, or has in its environment; none unless it is an exec. */
export function execSessionNeeds(bytes: Uint8Array): SessionNeeds {
  const { op } = Op.decode(bytes);
  if (op?.$case !== "exec") return { secrets: [], ssh: [], entitlements: [] };
  const { mounts, secretenv, network, security } = op.value;
  const of = (type: MountType): { id: string; optional: boolean }[] =>
    mounts
      .filter((mount) => mount.mountType === type)
      .map(({ secretOpt, SSHOpt }) => ({ id: (secretOpt ?? SSHOpt)?.ID ?? "", optional: (secretOpt ?? SSHOpt)?.optional ?? false }));
  const inEnv = secretenv.map(({ ID, optional }) => ({ id: ID, optional }));
  // An agent without a name is the usual one.
  const ssh = of(MountType.SSH).map(({ id, optional }) => ({ id: id || "default", optional }));
  const entitlements: SessionNeeds["entitlements"] = [
    ...(network === NetMode.HOST ? (["network.host"] as const) : []),
    ...(security === SecurityMode.INSECURE ? (["security.insecure"] as const) : []),
  ];
  return { secrets: [...of(MountType.SECRET), ...inEnv], ssh, entitlements };
}
