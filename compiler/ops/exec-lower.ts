// An exec op as an exec vertex: its process and its mounts.

import type { State } from "../graph/state.ts";
import { addEnv } from "../graph/state.ts";
import type { ExecVertex, Mount, Output } from "../graph/vertex.ts";
import { execOutputIndex, resolvePath } from "../llb/index.ts";
import { commandLine } from "./exec-helper.ts";
import type { ExecOp } from "./exec-op.ts";
import { given } from "./files.ts";
import type { MountSpec } from "./mount.ts";
import { toResources } from "./resources.ts";
import type { LowerContext, ToolName } from "./spec.ts";

export function lowerExec(op: ExecOp, state: State, context: LowerContext, words: string): State {
  if (op.network === "host") context.entitlement("network.host");
  if (op.insecure) context.entitlement("security.insecure");
  if (op.devices.length > 0) context.entitlement("device");
  const platform = op.platform ?? state.platform;
  const { env, secretEnv } = environment(op, state, context);
  const plainEnv = env.flatMap(([name, value]) => (typeof value === "string" ? [[name, value] as const] : []));
  const { args, mounts: helperMounts } = commandLine(op, env, context, platform);
  const cwd = resolvePath(state.dir, op.dir ?? ".");
  const mounts = op.mount.map(([dest, mount]) => lowerMount(mountPath(dest, cwd), mount, op, context));
  const limits = given("resources", op.resources && toResources(op.resources));
  const vertex: ExecVertex = {
    kind: "exec",
    args,
    env: plainEnv,
    cwd,
    user: op.user ?? state.user,
    ...given("hostname", op.hostname),
    extraHosts: op.hosts.map(([host, ip]) => ({ host, ip })),
    network: op.network,
    insecure: op.insecure,
    validExitCodes: op.validExitCodes,
    ulimits: op.ulimits.map(([name, limit]) => ({ name, ...limit })),
    devices: op.devices,
    ...given("proxy", op.proxy),
    secretEnv,
    root: state.fs,
    ...(op.readonly ? { rootReadonly: true } : {}),
    ...given("cgroupParent", op.cgroupParent),
    mounts: [...mounts, ...helperMounts, ...unrepeated(op, context)],
    platform,
    meta: { ...context.meta(op, words), ...(op.always && context.never === undefined ? { ignoreCache: true } : {}), ...limits },
  };
  return { ...state, fs: outputOf(vertex, op) };
}

/** A relative path starts where the process does, as in a Dockerfile. */
function mountPath(dest: string, cwd: string): string {
  return dest.startsWith("/") ? dest : resolvePath(cwd, dest);
}

/** What the process finds in its environment: a secret takes the place of a text of the same name. */
function environment(op: ExecOp, state: State, context: LowerContext): { env: State["env"]; secretEnv: ExecVertex["secretEnv"] } {
  const secretEnv: ExecVertex["secretEnv"][number][] = [];
  const texts: State["env"][number][] = [];
  for (const [name, value] of op.env) {
    if (typeof value === "string" || "kind" in value) {
      texts.push([name, value]);
      continue;
    }
    context.secret(value.secret, value.optional, op.place.at);
    secretEnv.push({ id: value.secret, name, optional: value.optional });
  }
  const hidden = new Set(secretEnv.map(({ name }) => name));
  return { env: addEnv(state.env, texts).filter(([name]) => !hidden.has(name)), secretEnv };
}

/**
 * Makes an `always` step one that no earlier run has made: its cache key holds the name of a secret that is never there, so that nothing
 * is mounted. See docs/decisions/always.md.
 */
function unrepeated({ always }: ExecOp, { never }: LowerContext): Mount[] {
  if (!always || never === undefined) return [];
  return [{ kind: "secret", dest: "/.dagger/never", id: never, uid: 0, gid: 0, mode: 0o400, optional: true }];
}

/** What later ops see: the root, or the mount that the op names. */
function outputOf(vertex: ExecVertex, op: ExecOp): Output {
  const named = op.mount.find(([, mount]) => mount.kind === "bind" && mount.output);
  return { vertex, index: execOutputIndex(vertex, named === undefined ? "/" : mountPath(named[0], vertex.cwd)) };
}

/** "" stands for all of a filesystem. */
function selectorOf(path: string): string {
  return path === "/" ? "" : path;
}

/** There are programs for the platform of the job only: they are built with dagger itself. */
function toolFor(tool: ToolName, op: ExecOp, context: LowerContext): Output {
  const { platform = context.platform, place } = op;
  if (platform.architecture !== context.runPlatform.architecture) {
    context.problem({
      code: "tool-platform",
      message: `There is no ${tool} for ${platform.os}/${platform.architecture} here`,
      path: `${place.path}.mount`,
      at: place.fields.get("mount") ?? place.at,
      hint: "Leave out the platform, so that the process runs as the job does",
    });
  }
  return context.tool(tool, context.runPlatform);
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
        selector: mount.path === undefined ? "" : selectorOf(resolvePath("/", mount.path)),
        ...(mount.readonly === true ? { readonly: true } : {}),
      };
    }
    case "bind": {
      const { dir, fs } = context.load(mount.from);
      const { readonly, output } = mount;
      const cached = given("contentCache", mount.contentCache);
      return { kind: "bind", dest, from: fs, selector: selectorOf(resolvePath(dir, mount.path)), readonly, output, ...cached };
    }
    case "tool":
      return { kind: "bind", dest, from: toolFor(mount.tool, op, context), selector: `/${mount.tool}`, readonly: true, output: false };
    case "secret": {
      context.secret(mount.secret, mount.optional, op.place.at);
      return { kind: "secret", dest, id: mount.secret, uid: mount.uid, gid: mount.gid, mode: mount.mode, optional: mount.optional };
    }
    case "stream":
      context.ssh(mount.stream, mount.optional, op.place.at);
      return { kind: "ssh", dest, id: mount.stream, uid: mount.uid, gid: mount.gid, mode: mount.mode, optional: mount.optional };
    case "ssh":
      context.ssh(mount.ssh, mount.optional, op.place.at);
      return { kind: "ssh", dest, id: mount.ssh, uid: mount.uid, gid: mount.gid, mode: mount.mode, optional: mount.optional };
  }
}
