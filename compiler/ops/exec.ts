// The op exec: runs a process; what it leaves in the filesystem is the next filesystem.
import type { Field } from "../value.ts";
import { lowerExec } from "./exec-lower.ts";
import type { ExecOp, ProxySpec } from "./exec-op.ts";
import { concrete, optional, readRecord, required, standard } from "./fields.ts";
import { device, mount, ulimit } from "./mount.ts";
import { platform } from "./platform.ts";
import { resources } from "./resources.ts";
import type { FieldType, OpSpec, ReadContext } from "./spec.ts";
import { duration, retry } from "./supervision.ts";
import { boolean, content, integer, listOf, mapOf, name, oneOf, string, text } from "./types.ts";
import { showText } from "./use.ts";
import { processVariables } from "./variables.ts";

const address = standard(string, "");

const proxy: FieldType<ProxySpec> = {
  words: "{http, https, ftp, no, all}",
  read: (field, context) => {
    if (concrete(field, context) === undefined) return undefined;
    const fields = { http: address, https: address, ftp: address, no: address, all: address };
    return readRecord("proxy", fields, field, context) as ProxySpec | undefined;
  },
};

export const exec: OpSpec<ExecOp> = {
  do: "exec",
  fields: {
    args: required(listOf(text)),
    env: standard(processVariables, []),
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
    stdin: optional(content),
    timeout: optional(duration),
    retry: optional(retry),
    platform: optional(platform),
    readonly: standard(boolean, false),
    cgroupParent: optional(name),
    resources: optional(resources),
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
      message: op.args.length === 0 ? "Op exec has no args" : 'Op exec has an empty command: args[0] is ""',
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
  if (op.readonly && outputs.length === 0) {
    context.problem({
      code: "wrong-type",
      message: "Op exec leaves nothing when its root is readonly",
      ...place("readonly"),
      hint: "Set output: true at the mount that it writes to",
    });
  }
  for (const [path] of op.mount) {
    if (!/\/\/|(^|\/)\.{1,2}(\/|$)/.test(path) && path !== "/" && path !== "") continue;
    context.problem({
      code: "wrong-type",
      message: `Op exec takes paths below / to mount at, got ${JSON.stringify(path)}`,
      ...place("mount"),
      hint: "Write it as the process sees it, e.g. /src",
    });
  }
}
