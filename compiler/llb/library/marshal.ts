// State → Definition.
import type { Platform, Ref } from "../../graph/vertex.ts";
import { buildOrder } from "../../graph/walk.ts";
import type { Definition } from "../../job.ts";
import type { MarshalOptions as EncodeOptions, OpDefaults } from "../codec.ts";
import { marshal as encode } from "../marshal.ts";
import { madeOf } from "./filesystem.ts";
import { resolve } from "./lazy.ts";
import { invalid, toPlatform } from "./options.ts";
import type { State } from "./state.ts";

export interface MarshalOptions extends Omit<EncodeOptions, "platform" | "localUniqueId" | "defaults"> {
  /** The platform of all that names none: usually the daemon's own, as `Client.listWorkers` tells it. */
  readonly platform: Platform | string;
  /**
   * Keeps the directories of two builds apart that run at the same time: a fresh one for every build, e.g. `randomUUID()`. It is no part
   * of a cache key. Needed when the graph has a `local` without `uniqueId` and `session`.
   */
  readonly localUniqueId?: string;
  /** What every op is told that does not say otherwise. */
  readonly defaults?: Omit<OpDefaults, "workerFilters"> & { readonly require?: readonly string[] };
}

/**
 * The Definition that a daemon solves; empty for scratch, which it cannot. Resolvers are asked now, all at the same time.
 * Byte for byte what the official Go library makes of the same graph. Throws UserError `llb-invalid` for what LLB cannot say.
 */
export async function marshal(state: State, options: MarshalOptions): Promise<Definition> {
  const { platform: given, localUniqueId, defaults, ...rest } = options;
  const platform = toPlatform(given);
  const { out } = await resolve(madeOf(state), { platform });
  if (localUniqueId === undefined) checkLocals(out);
  const { require, ...common } = defaults ?? {};
  return encode(out, {
    ...rest,
    platform,
    localUniqueId: localUniqueId ?? "",
    ...(defaults === undefined ? {} : { defaults: { ...common, ...(require === undefined ? {} : { workerFilters: require }) } }),
  });
}

function checkLocals(out: Ref): void {
  for (const vertex of buildOrder([out])) {
    if (vertex.kind !== "source" || !vertex.identifier.startsWith("local://")) continue;
    if ("local.session" in vertex.attrs || "local.unique" in vertex.attrs) continue;
    const name = JSON.stringify(vertex.identifier.slice("local://".length));
    throw invalid(`The directory ${name} needs an id of this build`, "give marshal a fresh localUniqueId, e.g. randomUUID()");
  }
}
