// Checks what a run needs on this machine: Node, the built parts, and a BuildKit daemon or what is needed to start one.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../compiler/index.ts";
import { daemonRequirements, daemonStatus, lookForDaemon } from "../../runtime/daemon/index.ts";
import { type ConnectOptions, connect } from "../../runtime/solve/index.ts";
import { packageRoot } from "../assets.ts";
import type { Surroundings } from "../request.ts";

/** One thing that a run needs. `detail` says what was found, or what is wrong; `fix` what to do when `ok` is false. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
  readonly fix?: string;
}

export interface DoctorRequest extends Surroundings {
  /** The daemon to check, as --buildkit gives it; without it the one that a run would use. */
  readonly buildkit?: string;
  /** Certificates for a daemon at `tcp://`, beside what the environment names. */
  readonly tls?: ConnectOptions["tls"];
  readonly signal?: AbortSignal;
}

/** All checks, the failed ones included. Changes nothing, and starts no daemon. */
export async function doctor(request: DoctorRequest): Promise<readonly Check[]> {
  return [checkNode(process.versions.node), ...checkParts(), ...(await checkBuildkit(request))];
}

const oldestNode = [20, 19] as const;

function checkNode(version: string): Check {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const ok = major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1]);
  const base = { name: "Node.js", ok, detail: `version ${version}` };
  return ok ? base : { ...base, fix: `Install Node.js ${oldestNode.join(".")} or newer` };
}

function checkParts(): Check[] {
  const parts = [
    { name: "CUE", file: "cue.wasm", target: "wasm" },
    { name: "run helper", file: "run/amd64/dagger-run", target: "run-helper" },
  ];
  return parts.map(({ name, file, target }) => {
    const path = join(packageRoot(), "dist", file);
    if (existsSync(path)) return { name, ok: true, detail: path };
    return { name, ok: false, detail: `${path} was not built`, fix: `Run \`make ${target}\` in the clone of dagger` };
  });
}

/** The daemon that a run would use, tried in the same order; the embedded one is not started but what it needs is checked. */
async function checkBuildkit(request: DoctorRequest): Promise<Check[]> {
  const { env, signal } = request;
  const found = await lookForDaemon({ env, cwd: request.cwd, explicit: request.buildkit, ...(signal === undefined ? {} : { signal }) });
  if (found !== undefined) return [await checkDaemon(found.address, names[found.from], request)];
  const status = await daemonStatus({ env });
  if (status.running && status.ready) return [await checkDaemon(status.address, "embedded, running", request)];
  const needs = await daemonRequirements(env);
  const checks = needs.map(({ name, ok, detail, fix }) => ({ name, ok, detail, ...(fix === undefined ? {} : { fix }) }));
  if (!needs.every(({ ok }) => ok)) return checks;
  return [...checks, { name: "BuildKit", ok: true, detail: "embedded, started when it is needed" }];
}

const names = { flag: "--buildkit", env: "BUILDKIT_HOST", standard: "standard socket", docker: "Docker's own" } as const;

async function checkDaemon(address: string, from: string, { env, cwd, tls, signal }: DoctorRequest): Promise<Check> {
  const name = "BuildKit";
  try {
    const client = await connect(address, { env, cwd, tls, signal });
    try {
      const daemon = await client.capabilities(env, signal);
      return { name, ok: true, detail: `${daemon?.name ?? "a daemon that does not tell its version"} at ${address} (${from})` };
    } finally {
      client.close();
    }
  } catch (error) {
    if (!(error instanceof UserError) || error.exit === 130) throw error;
    const [diagnostic] = error.diagnostics;
    return { name, ok: false, detail: `${from}: ${error.message}`, ...(diagnostic?.hint === undefined ? {} : { fix: diagnostic.hint }) };
  }
}
