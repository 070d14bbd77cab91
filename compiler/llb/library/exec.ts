// Commands: the vertex of a run, and what lies at its mounts afterwards.
import type { ExecVertex, Mount, Platform } from "../../graph/vertex.ts";
import { outputIndexOf } from "../mounts.ts";
import { resolvePath } from "../paths.ts";
import {
  type ExtraHost,
  type Filesystem,
  fresh,
  type Made,
  type NetworkMode,
  type SecurityMode,
  type Ulimit,
  type Values,
} from "./filesystem.ts";
import { canonicalIp } from "./ip.ts";
import type { MountSpec } from "./mounts.ts";
import { invalid, type OpOptions, platformField, toBase } from "./options.ts";

/** Environment, directory and the like are for this command only; a state's own are for all that follow. */
export interface RunOptions extends OpOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Relative to the state's directory. */
  readonly dir?: string;
  readonly user?: string;
  readonly hostname?: string;
  readonly network?: NetworkMode;
  readonly security?: SecurityMode;
  readonly cgroupParent?: string;
  readonly extraHosts?: readonly ExtraHost[];
  readonly ulimits?: readonly Ulimit[];
  readonly mounts?: readonly MountSpec[];
  /** Secrets of the session as environment variables, by their names. */
  readonly secretEnv?: Readonly<Record<string, string | { readonly id?: string; readonly optional?: boolean }>>;
  /** CDI devices, e.g. `nvidia.com/gpu=all`. */
  readonly devices?: readonly (string | { readonly name: string; readonly optional?: boolean })[];
  /** The root filesystem cannot be changed: what follows goes on from it as it was. */
  readonly readonlyRoot?: boolean;
  /** Exit codes that are no failure; only 0 unless said. */
  readonly validExitCodes?: readonly number[];
  /** Proxies for the command; they are no part of the cache key. */
  readonly proxy?: ProxyOptions;
}

export interface ProxyOptions {
  readonly http?: string;
  readonly https?: string;
  readonly ftp?: string;
  readonly no?: string;
  readonly all?: string;
}

/** A command in the graph. */
export interface Exec {
  readonly vertex: ExecVertex;
  readonly base: Made;
  /** The platform that was asked for this command. */
  readonly platform?: Platform;
  /** What each mount takes its files from. */
  readonly sources: ReadonlyMap<Mount, Made>;
}

/** Values of a state with those of one command. */
export function runValues(values: Values, options: RunOptions): Values {
  let env = values.env;
  for (const [name, value] of Object.entries(options.env ?? {})) env = env.with(name, value);
  const { user = values.user, hostname = values.hostname, network = values.network, security = values.security } = options;
  return {
    ...values,
    env,
    user,
    hostname,
    network,
    security,
    dir: options.dir === undefined ? values.dir : nextDir(values.dir, options.dir),
    cgroupParent: options.cgroupParent ?? values.cgroupParent,
    extraHosts: [...values.extraHosts, ...(options.extraHosts ?? []).map(toHost)],
    ulimits: options.ulimits === undefined ? values.ulimits : [...values.ulimits, ...options.ulimits],
  };
}

/** An absolute directory is taken as it is written. */
export function nextDir(dir: string, next: string): string {
  return next.startsWith("/") ? next : resolvePath(dir, next);
}

/** Throws UserError `llb-invalid` when the address is none. */
export function toHost({ host, ip }: ExtraHost): ExtraHost {
  const canonical = canonicalIp(ip);
  if (canonical === undefined) throw invalid(`The host ${JSON.stringify(host)} has no valid IP address: ${JSON.stringify(ip)}`);
  return { host, ip: canonical };
}

export function makeExec(base: Made, args: readonly string[], options: RunOptions, made: ReadonlyMap<Filesystem, Made>): Exec {
  const values = runValues(base.values, options);
  const asked = platformField(options.platform);
  const sources = new Map<Mount, Made>();
  const mounts = (options.mounts ?? []).map((spec) => toMount(spec, made, sources));
  const vertex: ExecVertex = {
    kind: "exec",
    ...toBase(options),
    args,
    env: values.env.entries,
    cwd: values.dir,
    user: values.user,
    hostname: values.hostname,
    cgroupParent: values.cgroupParent,
    extraHosts: values.extraHosts,
    network: values.network,
    insecure: values.security === "insecure",
    validExitCodes: options.validExitCodes ?? [],
    ulimits: values.ulimits,
    devices: (options.devices ?? []).map((device) => (typeof device === "string" ? { name: device, optional: false } : toDevice(device))),
    secretEnv: Object.entries(options.secretEnv ?? {}).map(([name, from]) => toSecretEnv(name, from)),
    root: base.out,
    rootReadonly: options.readonlyRoot ?? false,
    mounts,
    ...(options.proxy === undefined ? {} : { proxy: toProxy(options.proxy) }),
    ...(values.platform === undefined ? {} : { platform: values.platform }),
    ...asked,
  };
  return { vertex, base, sources, ...asked };
}

/** The root filesystem after the command. */
export function rootResult({ vertex, base, platform }: Exec): Pick<Made, "out" | "platform"> {
  return vertex.rootReadonly === true ? base : { out: { vertex, index: outputIndexOf(vertex) }, ...platformField(platform) };
}

/** What lies at `dest` after the command; throws UserError `llb-invalid` when nothing can. */
export function mountResult(exec: Exec, dest: string): Made {
  const { vertex, sources, platform } = exec;
  const root = rootResult(exec);
  if (dest === "/") return fresh(root.out, root.platform);
  const mount = vertex.mounts.find((candidate) => candidate.dest === dest && candidate.kind !== "secret" && candidate.kind !== "ssh");
  if (mount === undefined) throw invalid(`The command ${JSON.stringify(vertex.args)} has no mount with files at ${JSON.stringify(dest)}`);
  if ("readonly" in mount && mount.readonly) return fresh(sources.get(mount)?.out ?? null, sources.get(mount)?.platform);
  if (mount.kind !== "bind" || !mount.output) {
    throw invalid(`The mount at ${JSON.stringify(dest)} is thrown away: nothing can start from it`, "mount a state there, with output");
  }
  return fresh({ vertex, index: outputIndexOf(vertex, mount) }, platform);
}

function toMount(spec: MountSpec, made: ReadonlyMap<Filesystem, Made>, sources: Map<Mount, Made>): Mount {
  switch (spec.kind) {
    case "bind": {
      const { readonly = false, selector = "", output = true, ...rest } = spec.options;
      const from = made.get(spec.from)!;
      const mount: Mount = { kind: "bind", dest: spec.dest, from: from.out, selector, readonly, output, ...rest };
      sources.set(mount, from);
      return mount;
    }
    case "cache": {
      const { sharing = "shared", selector = "", from, ...rest } = spec.options;
      const source = from === undefined ? fresh(null) : made.get(from)!;
      const mount: Mount = { kind: "cache", dest: spec.dest, id: spec.id, sharing, from: source.out, selector, ...rest };
      sources.set(mount, source);
      return mount;
    }
    case "tmpfs":
      return { kind: "tmpfs", dest: spec.dest, size: spec.size };
    case "secret": {
      const { uid = 0, gid = 0, mode = 0o400, optional = false } = spec.options;
      return { kind: "secret", dest: spec.dest, id: spec.id, uid, gid, mode, optional };
    }
    case "ssh": {
      const { uid = 0, gid = 0, mode = 0o600, optional = false, dest = "" } = spec.options;
      return { kind: "ssh", dest, id: spec.id, uid, gid, mode, optional };
    }
  }
}

/** The states that mounts take files from. */
export function mountSources(mounts: readonly MountSpec[] = []): Filesystem[] {
  return mounts.flatMap((mount) => {
    if (mount.kind === "bind") return [mount.from];
    return mount.kind === "cache" && mount.options.from !== undefined ? [mount.options.from] : [];
  });
}

function toDevice({ name, optional = false }: { readonly name: string; readonly optional?: boolean }): ExecVertex["devices"][number] {
  return { name, optional };
}

type SecretEnvSpec = NonNullable<RunOptions["secretEnv"]>[string];

function toSecretEnv(name: string, from: SecretEnvSpec): ExecVertex["secretEnv"][number] {
  if (typeof from === "string") return { id: from, name, optional: false };
  return { id: from.id ?? name, name, optional: from.optional ?? false };
}

function toProxy({ http = "", https = "", ftp = "", no = "", all = "" }: ProxyOptions): NonNullable<ExecVertex["proxy"]> {
  return { http, https, ftp, no, all };
}
