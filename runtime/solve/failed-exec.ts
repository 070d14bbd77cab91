// The process of a failed exec, read from the daemon's error: enough to open another one where it failed.
import type { ContainerMount, ContainerSpec } from "./container.ts";
import type { ProcessSpec } from "./process.ts";

/** Where the process ran, its filesystems being those that it left behind, and how it was started. Valid while its build goes on. */
export interface FailedExec {
  readonly container: ContainerSpec;
  readonly process: ProcessSpec;
}

/** Reads `errdefs.Solve` (protojson); undefined when no exec failed, or not through the gateway. */
export function readFailedExec(detail: unknown, mountIds: readonly string[]): FailedExec | undefined {
  const op = object(object(detail)["op"]);
  const exec = object(op["exec"]);
  const meta = object(exec["meta"]);
  const mounts = list(exec["mounts"]);
  if (mounts.length === 0 || mounts.length !== mountIds.length) return undefined;
  const hosts = list(meta["extraHosts"]).map((host) => ({ host: text(object(host)["Host"]), ip: text(object(host)["IP"]) }));
  const platform = object(op["platform"]);
  return {
    container: {
      mounts: mounts.map((mount, index) => toMount(object(mount), mountIds[index] ?? "")),
      network: exec["network"] === "HOST" ? "host" : exec["network"] === "NONE" ? "none" : "sandbox",
      extraHosts: hosts,
      hostname: text(meta["hostname"]),
      ...(text(platform["OS"]) === ""
        ? {}
        : {
            platform: { os: text(platform["OS"]), architecture: text(platform["Architecture"]), variant: text(platform["Variant"]) },
          }),
    },
    process: {
      args: list(meta["args"]).map(text),
      env: list(meta["env"]).map(text),
      cwd: text(meta["cwd"]) || "/",
      user: text(meta["user"]),
      tty: false,
      insecure: exec["security"] === "INSECURE",
      secretEnv: list(exec["secretenv"]).map((secret) => {
        const { ID, name, optional } = object(secret);
        return { id: text(ID), name: text(name), optional: optional === true };
      }),
    },
  };
}

function toMount(mount: Json, result: string): ContainerMount {
  const dest = text(mount["dest"]);
  const place = { dest, result, selector: text(mount["selector"]), readonly: mount["readonly"] === true };
  switch (mount["mountType"]) {
    case "CACHE": {
      const options = object(mount["cacheOpt"]);
      const sharing = options["sharing"] === "PRIVATE" ? "private" : options["sharing"] === "LOCKED" ? "locked" : "shared";
      return { kind: "cache", ...place, id: text(options["ID"]), sharing };
    }
    case "TMPFS":
      return { kind: "tmpfs", dest };
    case "SECRET":
      return { kind: "secret", dest, ...owned(object(mount["secretOpt"])) };
    case "SSH":
      return { kind: "ssh", dest, ...owned(object(mount["SSHOpt"])) };
    default:
      return { kind: "bind", ...place };
  }
}

function owned(options: Json): { id: string; uid: number; gid: number; mode: number; optional: boolean } {
  const { ID, uid, gid, mode, optional } = options;
  return { id: text(ID), uid: number(uid), gid: number(gid), mode: number(mode), optional: optional === true };
}

type Json = Readonly<Record<string, unknown>>;

function object(value: unknown): Json {
  return typeof value === "object" && value !== null ? (value as Json) : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function number(value: unknown): number {
  return typeof value === "number" ? value : 0;
}
