// An exec op as an exec vertex: its mounts, and the helper that brings computed values into the process.

import type { State } from "../graph/state.ts";
import { addEnv } from "../graph/state.ts";
import type { ExecVertex, Mount, Output } from "../graph/vertex.ts";
import { execOutputIndex, resolvePath } from "../llb/index.ts";
import type { Value } from "../value.ts";
import type { ExecOp } from "./exec-op.ts";
import { given } from "./files.ts";
import type { MountSpec } from "./mount.ts";
import type { LowerContext } from "./spec.ts";
import type { Computed } from "./use.ts";

const HELPER = "/.dagger/run";
const VALUES = "/.dagger/values";

export function lowerExec(op: ExecOp, state: State, context: LowerContext, words: string): State {
  if (op.network === "host") context.entitlement("network.host");
  if (op.insecure) context.entitlement("security.insecure");
  if (op.devices.length > 0) context.entitlement("device");
  const platform = op.platform ?? state.platform;
  const values = new MountedValues(context);
  const env = addEnv(state.env, op.env);
  const plainEnv = env.flatMap(([name, value]) => (typeof value === "string" ? [[name, value] as const] : []));
  const command = commandLine(op, env, values);
  const mounts = op.mount.map(([dest, mount]) => lowerMount(dest, mount, op, context));
  const vertex: ExecVertex = {
    kind: "exec",
    args: command,
    env: plainEnv,
    cwd: resolvePath(state.dir, op.dir ?? "."),
    user: op.user ?? state.user,
    ...given("hostname", op.hostname),
    extraHosts: op.hosts.map(([host, ip]) => ({ host, ip })),
    network: op.network,
    insecure: op.insecure,
    validExitCodes: op.validExitCodes,
    ulimits: op.ulimits.map(([name, limit]) => ({ name, ...limit })),
    devices: op.devices,
    ...given("proxy", op.proxy),
    secretEnv: [],
    root: state.fs,
    mounts: [...mounts, ...values.mounts(platform)],
    platform,
    meta: { ...context.meta(op, words), ...(op.always ? { ignoreCache: true } : {}) },
  };
  return { ...state, fs: outputOf(vertex, op) };
}

/** What later ops see: the root, or the mount that the op names. */
function outputOf(vertex: ExecVertex, op: ExecOp): Output {
  const named = op.mount.find(([, mount]) => mount.kind === "bind" && mount.output);
  return { vertex, index: execOutputIndex(vertex, named?.[0] ?? "/") };
}

/** The args as they are, or behind the helper that fills computed values in. */
function commandLine(op: ExecOp, env: State["env"], values: MountedValues): string[] {
  const fills: string[] = [];
  for (const [name, value] of env) {
    if (typeof value !== "string") fills.push("--env", `${name}=${values.file(value)}`);
  }
  const args = op.args.map((arg, index) => {
    if (typeof arg === "string") return arg;
    fills.push("--arg", `${index}=${values.file(arg)}`);
    return "";
  });
  return fills.length === 0 ? args : [HELPER, ...fills, "--", ...args];
}

/** The files of computed values that one exec needs, each once. */
class MountedValues {
  readonly #context: LowerContext;
  readonly #values = new Map<Value, Computed>();

  constructor(context: LowerContext) {
    this.#context = context;
  }

  /** Path in the container of the file that holds the value. */
  file(text: Computed): string {
    if (!this.#values.has(text.value)) this.#values.set(text.value, text);
    return `${VALUES}/${[...this.#values.keys()].indexOf(text.value)}`;
  }

  mounts(platform: NonNullable<ExecVertex["platform"]>): Mount[] {
    if (this.#values.size === 0) return [];
    const helper = readonlyFile(HELPER, this.#context.helper(platform), "/dagger-run");
    return [helper, ...[...this.#values.values()].map((text) => readonlyFile(this.file(text), this.#context.computed(text), "/value"))];
  }
}

function readonlyFile(dest: string, from: Extract<Mount, { kind: "bind" }>["from"], selector: string): Mount {
  return { kind: "bind", dest, from, selector, readonly: true, output: false };
}

function lowerMount(dest: string, mount: MountSpec, op: ExecOp, context: LowerContext): Mount {
  switch (mount.kind) {
    case "tmpfs":
      return { kind: "tmpfs", dest, size: mount.size };
    case "cache": {
      const id = mount.cache ?? `${context.cacheScope}${context.component}:${dest}`;
      return {
        kind: "cache",
        dest,
        id,
        sharing: mount.sharing,
        from: mount.from === undefined ? null : context.load(mount.from).fs,
        selector: "",
      };
    }
    case "bind": {
      const { dir, fs } = context.load(mount.from);
      const selector = resolvePath(dir, mount.path);
      return { kind: "bind", dest, from: fs, selector: selector === "/" ? "" : selector, readonly: mount.readonly, output: mount.output };
    }
    case "secret": {
      context.secret(mount.secret, mount.optional, op.place.at);
      return { kind: "secret", dest, id: mount.secret, uid: mount.uid, gid: mount.gid, mode: mount.mode, optional: mount.optional };
    }
    case "ssh":
      context.ssh(mount.ssh);
      return { kind: "ssh", dest, id: mount.ssh, uid: mount.uid, gid: mount.gid, mode: mount.mode, optional: mount.optional };
  }
}
