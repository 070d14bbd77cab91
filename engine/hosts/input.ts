// What a process on this machine starts with: the filesystem and the texts that the graph made for it, brought here by a Solve of its own.
import { mkdirSync } from "node:fs";
import type { HostStep } from "../../compiler/index.ts";
import { createArchiveReceiver, createReceiver } from "../../runtime/session/index.ts";
import type { OpenBuild } from "../build/connect.ts";
import { solveImage } from "../build/exports.ts";

/** Fills the directory `root`; gives the texts by the names of their files. Throws UserError. */
export async function bringInput(
  step: HostStep,
  root: string,
  opening: Promise<OpenBuild>,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Buffer>> {
  const { input, files, name, component, at } = step;
  // In a thread it takes longer than to wait for it.
  mkdirSync(root);
  if (input === undefined) return new Map();
  const open = await opening;
  await open.check(input);
  const receiver = createReceiver({ memory: ["values"], dirs: files ? [{ prefix: "root", dest: root, at }] : [] });
  const build = await open.beside({ exporters: [{ type: "local", attrs: {}, output: receiver }], signal }, { name, component, at });
  try {
    await build.finish(input.encoded);
    await receiver.commit();
    return receiver.values;
  } catch (error) {
    receiver.rollback();
    throw error;
  } finally {
    await build.abort();
  }
}

/** Brings the image of a step to the archive `dest`, named `ref` there; gives its digest. Throws UserError. */
export async function bringImage(
  { image, name, component, at }: HostStep,
  dest: string,
  ref: string,
  opening: Promise<OpenBuild>,
  signal: AbortSignal,
): Promise<string> {
  if (image === undefined) return "";
  const open = await opening;
  await open.check(image.definition);
  const archive = createArchiveReceiver({ dest, at });
  const exporters = [{ type: "docker", attrs: { name: ref }, output: archive }];
  const build = await open.beside({ exporters, platforms: [image.platform], signal }, { name, component, at });
  try {
    const { exporterResponse } = await build.finish(await solveImage(build, { platforms: [image], after: undefined }));
    await archive.commit();
    return exporterResponse["containerimage.config.digest"] ?? exporterResponse["containerimage.digest"] ?? "";
  } catch (error) {
    archive.rollback();
    throw error;
  } finally {
    await build.abort();
  }
}
