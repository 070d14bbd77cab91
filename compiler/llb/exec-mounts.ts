// Where the process of an exec has filesystems mounted, whoever made the exec.
import { MountType, Op } from "../../proto/gen/github.com/moby/buildkit/solver/pb/ops.ts";
import type { Vertex } from "../graph/vertex.ts";

/** A mount as far as people are told of it. */
export interface ExecMount {
  readonly dest: string;
  /** `bind`, `cache`, `tmpfs`, `secret` or `ssh`. */
  readonly kind: string;
  /** The path below its filesystem. */
  readonly selector?: string;
  /** Of a cache, a secret, or an SSH agent. */
  readonly id?: string;
}

const kinds: Readonly<Partial<Record<MountType, string>>> = {
  [MountType.CACHE]: "cache",
  [MountType.TMPFS]: "tmpfs",
  [MountType.SECRET]: "secret",
  [MountType.SSH]: "ssh",
};

/** The root first, then as the exec has them; undefined for all that is no exec. */
export function execMounts(vertex: Vertex): readonly ExecMount[] | undefined {
  if (vertex.kind === "exec") return [{ dest: "/", kind: "bind" }, ...vertex.mounts];
  if (vertex.kind !== "raw" || vertex.op !== "exec") return undefined;
  const { op } = Op.decode(vertex.bytes);
  if (op?.$case !== "exec") return undefined;
  const mounts = op.value.mounts.map(({ dest, mountType, selector, secretOpt, SSHOpt }) => {
    const id = (secretOpt ?? SSHOpt)?.ID;
    return { dest, kind: kinds[mountType] ?? "bind", selector, ...(id === undefined ? {} : { id }) };
  });
  return [...mounts.filter(({ dest }) => dest === "/"), ...mounts.filter(({ dest }) => dest !== "/")];
}
