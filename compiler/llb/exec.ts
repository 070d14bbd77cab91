// pb.ExecOp: a command in a container. Mounts are in mounts.ts.
import { type Meta, NetMode, SecurityMode } from "../../proto/gen/github.com/moby/buildkit/solver/pb/ops.ts";
import type { ExecVertex } from "../graph/vertex.ts";
import { CAPS } from "./caps.ts";
import { InputList, type MarshalOptions, type OpCodec } from "./codec.ts";
import { encodeMounts, fileMounts, mountCaps, mountSource, sshMounts } from "./mounts.ts";

const NETWORK = { sandbox: NetMode.UNSET, host: NetMode.HOST, none: NetMode.NONE } as const;

/** What daemons before `exec.meta.setsdefaultpath` do not set by themselves. */
const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

export const exec: OpCodec<ExecVertex> = {
  validate(vertex) {
    if (vertex.args.length === 0) return "an exec needs arguments";
    if (vertex.cwd === "") return "an exec needs a working directory";
    if (vertex.mounts.some((mount) => mount.kind === "cache" && mount.id === "")) return "a cache mount needs an id";
    return undefined;
  },
  inputs(vertex) {
    return fileMounts(vertex).map(mountSource);
  },
  encode(vertex, context) {
    const inputs = new InputList(context);
    return {
      op: {
        $case: "exec",
        value: {
          meta: encodeMeta(vertex, context.options),
          mounts: encodeMounts(vertex, inputs),
          network: NETWORK[vertex.network],
          security: vertex.insecure ? SecurityMode.INSECURE : SecurityMode.SANDBOX,
          secretenv: vertex.secretEnv.map(({ id, name, optional }) => ({ ID: id, name, optional })),
          cdiDevices: vertex.devices.map(({ name, optional }) => ({ name, optional })),
        },
      },
      inputs: inputs.list,
      platform: vertex.platform ?? context.options.platform,
      caps: [...metaCaps(vertex, context.options), ...mountCaps(vertex)],
    };
  },
};

function encodeMeta(vertex: ExecVertex, options: MarshalOptions): Meta {
  const { proxy } = vertex;
  return {
    args: [...vertex.args],
    env: encodeEnv(vertex, options),
    cwd: vertex.cwd,
    user: vertex.user,
    proxy_env: proxy && {
      http_proxy: proxy.http,
      https_proxy: proxy.https,
      ftp_proxy: proxy.ftp,
      no_proxy: proxy.no,
      all_proxy: proxy.all,
    },
    extraHosts: vertex.extraHosts.map(({ host, ip }) => ({ Host: host, IP: ip })),
    hostname: vertex.hostname ?? "",
    ulimit: vertex.ulimits.map(({ name, soft, hard }) => ({ Name: name, Soft: BigInt(soft), Hard: BigInt(hard) })),
    cgroupParent: vertex.cgroupParent ?? "",
    // client/llb always asks for it.
    removeMountStubsRecursive: true,
    validExitCodes: [...vertex.validExitCodes],
  };
}

/** A variable set twice has its last value, at the place of the last assignment. */
function encodeEnv(vertex: ExecVertex, { caps, platform }: MarshalOptions): string[] {
  const env = new Map<string, string>();
  for (const [name, value] of vertex.env) {
    env.delete(name);
    env.set(name, value);
  }
  const socket = sshMounts(vertex)[0];
  if (socket !== undefined && !env.has("SSH_AUTH_SOCK")) env.set("SSH_AUTH_SOCK", socket.dest);
  // client/llb asks the platform of the job here, not that of the exec.
  const needsPath = caps !== undefined && !caps.has(CAPS.execDefaultPath) && platform.os !== "windows";
  if (needsPath && !env.has("PATH")) env.set("PATH", DEFAULT_PATH);
  return [...env].map(([name, value]) => `${name}=${value}`);
}

function metaCaps(vertex: ExecVertex, options: MarshalOptions): string[] {
  const caps: string[] = [CAPS.exec];
  if (options.caps?.has(CAPS.execDefaultPath)) caps.push(CAPS.execDefaultPath);
  if (vertex.network !== "sandbox") caps.push(CAPS.execNetwork);
  if (vertex.insecure) caps.push(CAPS.execSecurity);
  if (vertex.proxy !== undefined) caps.push(CAPS.execProxy);
  if (vertex.ulimits.length > 0) caps.push(CAPS.execUlimit);
  if (vertex.devices.length > 0) caps.push(CAPS.execDevices);
  if (vertex.meta.resources !== undefined) caps.push(CAPS.execResources);
  if (vertex.validExitCodes.length > 0) caps.push(CAPS.execValidExitCodes);
  return caps;
}
