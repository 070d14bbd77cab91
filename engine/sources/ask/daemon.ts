// What names of images and addresses stand for, as the daemon of runs knows it. It is only asked when something needs it, and once for all.
import { hostPlatform, imagesDir, openImageStore } from "../../../runtime/images/index.ts";
import { readClientId } from "../../../runtime/session/index.ts";
import { Offer, type OpenBuild, openBuild } from "../../build/connect.ts";
import { StepTracker } from "../../build/steps.ts";
import type { AskDaemon, SourceRequest } from "../versions.ts";

/** Runs `use` with it. */
export async function withDaemon<T>(request: SourceRequest, use: (ask: AskDaemon) => Promise<T>): Promise<T> {
  let opening: Promise<OpenBuild> | undefined;
  const open = (): Promise<OpenBuild> => {
    const { onNotice: _, ...rest } = request;
    const nothing = async (): Promise<undefined> => undefined;
    opening ??= openBuild({ ...rest, extras: {} }, new Offer(), nothing, new StepTracker(() => undefined), readClientId(request.env));
    return opening;
  };
  const images = openImageStore(imagesDir(request.env));
  try {
    return await use({
      image: async (ref) => {
        // Runs take it from there, too.
        const stored = (await images.list()).find((one) => one.ref === ref);
        if (stored !== undefined) return stored.digest;
        return (await (await open()).remoteImage({ ref, platform: hostPlatform(), resolveMode: "pull", at: [] })).digest;
      },
      address: async (url) => {
        const { build } = await open();
        return (await build.gateway((gateway) => gateway.resolveSourceMeta({ identifier: url }))).http?.checksum ?? "";
      },
    });
  } finally {
    await opening?.then((opened) => opened.close()).catch(() => undefined);
  }
}
