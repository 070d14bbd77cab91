// What a daemon can do, and what to call it. Asked once per version: a daemon that tells its version is remembered on disk.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { InfoRequest, InfoResponse, SolveRequest } from "../../proto/gen/github.com/moby/buildkit/api/services/control/control.ts";
import { dockerVersion } from "../connect/index.ts";
import { cacheDir, type Environment } from "../directories.ts";
import { newId } from "../session/index.ts";
import type { Connection, Method } from "./transport.ts";

export interface DaemonCapabilities {
  /** For messages: `BuildKit v0.32.2`, `Docker 20.10.24`; without a version when the daemon has none to tell. */
  readonly name: string;
  /** Ids of the LLB capabilities that it has. */
  readonly caps: ReadonlySet<string>;
}

const control = "/moby.buildkit.v1.Control";
const info: Method<InfoRequest, InfoResponse> = { path: `${control}/Info`, request: InfoRequest, response: InfoResponse };
const bridge = "/moby.buildkit.v1.frontend.LLBBridge";
const timeout = 10_000;

/** Undefined when the daemon cannot be asked: then it is left to the solve to tell. Costs one short call for a known daemon. */
export async function readCapabilities(
  connection: Connection,
  env: Environment,
  signal: AbortSignal | undefined,
): Promise<DaemonCapabilities | undefined> {
  const { address } = connection;
  try {
    const docker = address.kind === "docker" ? await dockerVersion(address) : undefined;
    const version = await readVersion(connection, signal);
    const name = docker === undefined ? `BuildKit ${version?.text ?? "of an unknown version"}` : `Docker ${docker}`;
    // What a Docker can do also depends on how it stores images, so its version does not tell.
    const file = address.kind === "docker" || version === undefined ? undefined : join(cacheDir(env), "capabilities", `${version.id}.json`);
    const known = file === undefined ? undefined : readKnown(file);
    if (known !== undefined) return { name, caps: known };
    const caps = await askCapabilities(connection, signal);
    if (file !== undefined) await remember(file, caps).catch(() => undefined);
    return { name, caps };
  } catch {
    return undefined;
  }
}

/** Undefined for daemons before 0.11, which do not tell; `id` is there when builds of this version are all the same. */
async function readVersion(connection: Connection, signal: AbortSignal | undefined): Promise<{ text: string; id: string } | undefined> {
  const answer = await connection.unary(info, {}, { timeout, signal }).catch(() => undefined);
  const { version = "", revision = "", package: name = "" } = answer?.buildkitVersion ?? {};
  if (version === "" || version.includes("unknown")) return undefined;
  const id = createHash("sha256")
    .update(JSON.stringify([name, version, revision]))
    .digest("hex");
  return { text: version, id };
}

/** The calls of the gateway that it takes, loaded for daemons that are not known yet. */
async function loadMethods() {
  const gateway = await import("../../proto/gen/github.com/moby/buildkit/frontend/gateway/pb/gateway.ts");
  const { PingRequest, PongResponse, ReturnRequest, ReturnResponse } = gateway;
  return {
    ping: { path: `${bridge}/Ping`, request: PingRequest, response: PongResponse },
    finish: { path: `${bridge}/Return`, request: ReturnRequest, response: ReturnResponse },
  };
}

/** Only a build can be asked: one without a Definition, which ends once it has answered. */
async function askCapabilities(connection: Connection, outer: AbortSignal | undefined): Promise<ReadonlySet<string>> {
  const end = new AbortController();
  const signal = outer === undefined ? end.signal : AbortSignal.any([outer, end.signal]);
  const { ping, finish } = await loadMethods();
  const ref = newId();
  const request = SolveRequest.encode(SolveRequest.fromPartial({ Ref: ref, Internal: true, Cache: {} })).finish();
  const solve = connection.unaryBytes(`${control}/Solve`, [request], { signal });
  const tooEarly = solve.then(() => {
    throw new Error("the build ended before it answered");
  });
  tooEarly.catch(() => undefined);
  try {
    const options = { metadata: { "buildkit-controlapi-buildid": ref }, signal, timeout };
    const { LLBCaps } = await Promise.race([connection.unary(ping, {}, options), tooEarly]);
    // A build that is cancelled instead is an error in the daemon's log.
    await connection.unary(finish, { result: { result: undefined, metadata: {}, attestations: {} }, error: undefined }, options);
    await solve.catch(() => undefined);
    return new Set(LLBCaps.filter((cap) => cap.Enabled).map((cap) => cap.ID));
  } finally {
    end.abort();
    await solve.catch(() => undefined);
  }
}

function readKnown(file: string): ReadonlySet<string> | undefined {
  try {
    const data: unknown = JSON.parse(readFileSync(file, "utf8"));
    return Array.isArray(data) && data.length > 0 && data.every((cap) => typeof cap === "string") ? new Set(data) : undefined;
  } catch {
    return undefined;
  }
}

/** Whole or not at all, whoever else does the same. */
async function remember(file: string, caps: ReadonlySet<string>): Promise<void> {
  await mkdir(join(file, ".."), { recursive: true });
  const temporary = `${file}.${newId()}`;
  await writeFile(temporary, `${JSON.stringify([...caps].sort())}\n`);
  await rename(temporary, file);
}
