// Brings a service to where a job wants it: started, left alone, or replaced; and waits until it is ready.

import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { closeSync, openSync, readSync, statSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type HostService, type HostStep, inputError, UserError } from "../../compiler/index.ts";
import { processBeside } from "../../runtime/beside.ts";
import { changing } from "../workspace/lock.ts";
import { type Contained, contained } from "./container.ts";
import { findEngine, forgetImage, loadImage } from "./engine.ts";
import type { ServiceOrder } from "./order.ts";
import type { StartRequest } from "./request.ts";
import { isRunning, isUnderway, logFile, readState, type ServiceState, serviceDir } from "./state.ts";
import { endService } from "./stop.ts";
import { digestTree } from "./tree.ts";

/** How often the state of a service that gets ready is looked at. Milliseconds. */
const pause = 30;
/** How long a supervisor may take to write down that it is there. */
const patience = 30_000;
/** How much of its log tells why a service is not ready. Bytes. */
const tail = 4_000;

/** True when it was started, false when it ran already. Throws UserError: 1 when it does not get ready, 2 without a workspace. */
export async function bringUp(request: StartRequest): Promise<boolean> {
  const { root, service, step } = request;
  if (root === undefined) {
    throw inputError({
      code: "no-workspace",
      message: `The service ${service.name} has no workspace to belong to`,
      path: step.component,
      at: step.at,
      hint: "Make one with `dagger init`: there it is found again by `dagger ps`",
    });
  }
  const dir = serviceDir(root, service.name);
  // One at a time: two runs want the same service.
  return changing({ state: dir }, async () => {
    const fingerprint = await fingerprintOf(request);
    const before = readState(dir);
    if (before !== undefined && isUnderway(before) && before.fingerprint === fingerprint) {
      await untilReady(dir, request, undefined);
      return false;
    }
    // While the one before still runs: it is not ended for one that cannot be started.
    const container = await inContainer(request);
    if (before !== undefined) {
      if (isUnderway(before) || isRunning(before.process)) request.say(`the service ${service.name} has changed: it is replaced`);
      await endService(dir, before, service.grace);
    }
    const supervisor = await start(dir, request, fingerprint, container);
    await untilReady(dir, request, supervisor);
    if (before?.container !== undefined && before.container.image !== request.image?.ref) await forgetImage(before.container, dir);
    return true;
  });
}

/** Brings the image to the engine. Throws UserError (3) when there is none. */
async function inContainer(request: StartRequest): Promise<Contained | undefined> {
  const { image, surroundings, files, signal } = request;
  if (image === undefined) return undefined;
  const engine = await findEngine(surroundings, signal);
  await loadImage(engine, image.archive, files, signal);
  return contained(request, image.ref, engine);
}

/** Secrets are no part of it: whoever reads it could try which ones fit. */
async function fingerprintOf({ step, service, files, args, env, secretNames, image }: StartRequest): Promise<string> {
  const open = Object.entries(env).filter(
    ([name]) => !secretNames.includes(name) && !(name in { DAGGER_ROOT: 0, DAGGER_CALLER_DIR: 0, PWD: 0 }),
  );
  const parts = [service, args, open.sort(), step.dir, image === undefined ? await digestTree(files) : image.digest];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}

async function start(dir: string, request: StartRequest, fingerprint: string, container: Contained | undefined): Promise<ChildProcess> {
  const { step, files, config, secretNames } = request;
  const { service, args, env } = container ?? request;
  const root = join(dir, "files");
  await rm(root, { recursive: true, force: true });
  await rename(files, root).catch(() => moveAcross(files, root));
  for (const old of ["log", "log.1", "service.json"]) await rm(join(dir, old), { force: true });
  await writeFile(logFile(dir), "", { mode: 0o600 });
  const cwd = join(root, container === undefined ? step.dir : "/").replace(/\/+$/, "");
  await mkdir(cwd, { recursive: true });
  const order: ServiceOrder = {
    ...{ dir, service, config, fingerprint, args, cwd },
    said: request.service,
    component: step.component,
    line: step.line,
    env: { ...env, DAGGER_ROOT: root, PWD: cwd },
    ...(container === undefined ? {} : { container: container.place, remove: container.remove }),
    secrets: secretNames.flatMap((name) => request.env[name] ?? []),
  };
  const child = spawn(process.execPath, processBeside(import.meta.url, "supervisor-process"), {
    cwd: dir,
    env: {},
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  child.on("error", () => undefined);
  child.stdin?.on("error", () => undefined);
  child.stdin?.end(JSON.stringify(order));
  child.unref();
  return child;
}

/** From another file system. */
async function moveAcross(from: string, to: string): Promise<void> {
  const { cp } = await import("node:fs/promises");
  await cp(from, to, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
  await rm(from, { recursive: true, force: true });
}

async function untilReady(dir: string, { step, service, signal }: StartRequest, started: ChildProcess | undefined): Promise<void> {
  const begin = Date.now();
  for (;;) {
    const state = readState(dir);
    if (state?.status === "ready") return;
    const gone = started !== undefined && (started.exitCode !== null || started.signalCode !== null);
    if (state === undefined ? gone || Date.now() - begin > patience : !isUnderway(state)) throw notReady(dir, step, service, state);
    if (signal.aborted) {
      // Nobody would know of one that is half started.
      if (started !== undefined && state !== undefined) await endService(dir, state, service.grace);
      throw new UserError(130, [{ code: "interrupted", message: "Interrupted", at: [] }]);
    }
    await sleep(pause);
  }
}

function notReady(dir: string, { component, at }: HostStep, { name }: HostService, state: ServiceState | undefined): UserError {
  const last = lastLines(logFile(dir));
  return new UserError(1, [
    {
      code: "service-not-ready",
      message: `The service ${name} is not ready: ${state?.why ?? "its supervisor did not start"}${last === "" ? "" : `\n${last}`}`,
      path: component,
      at,
      hint: `\`dagger logs ${name}\` has all that it said`,
    },
  ]);
}

/** At most ten, as the error shows them. */
function lastLines(file: string): string {
  try {
    const { size } = statSync(file);
    const bytes = Buffer.alloc(Math.min(size, tail));
    const open = openSync(file, "r");
    readSync(open, bytes, 0, bytes.length, size - bytes.length);
    closeSync(open);
    const lines = bytes.toString("utf8").trimEnd().split("\n").slice(-10);
    return lines
      .filter((line) => line !== "")
      .map((line) => `  ${line}`)
      .join("\n");
  } catch {
    return "";
  }
}
