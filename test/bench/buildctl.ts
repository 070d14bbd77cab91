// The flags with which buildctl can run a Definition that dagger compiled: the same local directories and image layouts.

import { join } from "node:path";
import { Definition, Op } from "../../proto/gen/github.com/moby/buildkit/solver/pb/ops.ts";

export interface Places {
  /** Directory of the config: what its `local` ops are relative to. */
  readonly dir: string;
  readonly dataDir: string;
  /** Where the result is written. */
  readonly out: string;
}

/** `buildctl build` with every source of the Definition that only a client can serve. */
export function buildctlArgs(definition: Uint8Array, { dir, dataDir, out }: Places): string[] {
  const flags = new Set<string>();
  for (const bytes of Definition.decode(definition).def) {
    const { op } = Op.decode(bytes);
    if (op?.$case !== "source") continue;
    const local = /^local:\/\/(.*)$/.exec(op.value.identifier)?.[1];
    if (local !== undefined) flags.add(`--local=${local}=${join(dir, "src")}`);
    const store = op.value.attrs["oci.store"];
    if (store !== undefined) flags.add(`--oci-layout=${store}=${join(dataDir, "images")}`);
  }
  return ["build", "--progress=plain", ...flags, `--output=type=local,dest=${out}`];
}
