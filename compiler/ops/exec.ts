// `exec`: runs a process in the filesystem; what it leaves there is the next filesystem.
import type { Platform } from "../graph/vertex.ts";
import type { Field } from "../value.ts";
import { concrete, optional, readRecord, required, standard } from "./fields.ts";
import { lowerExec } from "./exec-lower.ts";
import type { MountSpec } from "./mount.ts";
import { device, mount, ulimit } from "./mount.ts";
import { platform } from "./platform.ts";
import type { FieldType, OpSpec, ReadContext } from "./spec.ts";
import { boolean, integer, listOf, mapOf, name, oneOf, string, text } from "./types.ts";
import { showText } from "./use.ts";
import type { OpBase, Text } from "./use.ts";
import { variables } from "./variables.ts";

export interface ExecOp extends OpBase<"exec"> {
  readonly args: readonly Text[];
  readonly env: readonly (readonly [name: string, value: Text])[];
  /** Relative to the current directory. */
  readonly dir?: string;
  readonly user?: string;
  /** Address by host name. */
  readonly hosts: readonly (readonly [host: string, ip: string])[];
  readonly hostname?: string;
  readonly network: "sandbox" | "host" | "none";
  readonly insecure: boolean;
  readonly always: boolean;
  readonly validExitCodes: readonly number[];
  readonly ulimits: readonly (readonly [name: string, limit: { readonly soft: number; readonly hard: number }])[];
  readonly devices: readonly { readonly name: string; readonly optional: boolean }[];
  readonly proxy?: Proxy;
  readonly platform?: Platform;
  /** By path in the container. */
  readonly mount: readonly (readonly [path: string, mount: MountSpec])[];
}

export interface Proxy {
  readonly http: string;
  readonly https: string;
  readonly ftp: string;
  readonly no: string;
  readonly all: string;
}

const address = standard(string, "");

const proxy: FieldType<Proxy> = {
  words: "{http, https, ftp, no, all}",
  read: (field, context) => {
    if (concrete(field, context) === undefined) return undefined;
    const fields = { http: address, https: address, ftp: address, no: address, all: address };
    return readRecord("proxy", fields, field, context) as Proxy | undefined;
  },
};

export const exec: OpSpec<ExecOp> = {
  do: "exec",
  fields: {
    args: required(listOf(text)),
    env: standard(variables, []),
    dir: optional(name),
    user: optional(string),
    hosts: standard(mapOf(name), []),
    hostname: optional(name),
    network: standard(oneOf("sandbox", "host", "none"), "sandbox"),
    insecure: standard(boolean, false),
    always: standard(boolean, false),
    validExitCodes: standard(listOf(integer(0, 255)), []),
    ulimits: standard(mapOf(ulimit), []),
    devices: standard(listOf(device), []),
    proxy: optional(proxy),
    platform: optional(platform),
    mount: standard(mapOf(mount), []),
  },
  words: (op) => `exec ${op.args.map(showText).join(" ")}`,
  check: checkExec,
  lower: (op, state, context) => lowerExec(op, state, context, exec.words(op)),
};

function checkExec(op: ExecOp, field: Field, context: ReadContext): void {
  const place = (label: string): { path: string; at: Field["at"] } => ({
    path: `${field.path}.${label}`,
    at: field.value.fields.get(label)?.at ?? field.at,
  });
  if (op.args.length === 0 || op.args[0] === "") {
    context.problem({
      code: "empty-args",
      message: op.args.length === 0 ? "Op exec has no args" : "Op exec has an empty command: args[0] is \"\"",
      ...place("args"),
      hint: `Give the command and its arguments, e.g. args: ["make", "test"]`,
    });
  }
  const outputs = op.mount.filter(([, mount]) => mount.kind === "bind" && mount.output);
  if (outputs.length > 1) {
    context.problem({
      code: "wrong-type",
      message: `Op exec goes on with one filesystem, got ${outputs.length} mounts with output: ${outputs.map(([path]) => path).join(", ")}`,
      ...place("mount"),
      hint: "Keep output: true at one of them",
    });
  }
  for (const [path] of op.mount) {
    if (path.startsWith("/") && !/\/\/|\/\.{1,2}(\/|$)/.test(path) && path !== "/") continue;
    context.problem({
      code: "wrong-type",
      message: `Op exec takes absolute paths below / to mount at, got ${JSON.stringify(path)}`,
      ...place("mount"),
      hint: "Write it as the process sees it, e.g. /src",
    });
  }
}
