// Asks now and then what names of images, git refs and addresses stand for.
import { hostPlatform } from "../../runtime/images/index.ts";
import { readClientId } from "../../runtime/session/index.ts";
import { Offer, openBuild } from "../build/connect.ts";
import { StepTracker } from "../build/steps.ts";
import type { UpRequest } from "../request.ts";
import type { Remote } from "./model.ts";

/** Digest or commit, by name; what cannot be told is not there: a server that is away for a while has not changed. */
export async function askRemotes(request: UpRequest, remotes: readonly Remote[]): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  const steps = new StepTracker(() => undefined);
  const open = await openBuild({ ...request, extras: {} }, new Offer(), async () => undefined, steps, readClientId(request.env));
  try {
    for (const remote of remotes) {
      const digest = await (remote.kind === "image" ? imageDigest() : sourceDigest()).catch(() => "");
      if (digest !== "") found.set(remote.name, digest);

      async function imageDigest(): Promise<string> {
        return (await open.remoteImage({ ref: remote.name, platform: hostPlatform(), resolveMode: "pull", at: [] })).digest;
      }
      async function sourceDigest(): Promise<string> {
        if (remote.kind === "image") return "";
        const { git, http } = await open.build.gateway((gateway) => gateway.resolveSourceMeta(remote.source));
        return (git === undefined ? http?.checksum : git.commitChecksum || git.checksum) ?? "";
      }
    }
  } finally {
    await open.close();
  }
  return found;
}
