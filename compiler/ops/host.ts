// The op host: as exec, but the process runs on the client's machine, in a directory that holds the filesystem.
import { emptyState } from "../graph/state.ts";
import { resolvePath } from "../llb/index.ts";
import type { Field } from "../value.ts";
import { optional, required, standard } from "./fields.ts";
import { copyContents, fileOutput, given } from "./files.ts";
import type { HostProcess, OpSpec, ReadContext } from "./spec.ts";
import type { Retry } from "./supervision.ts";
import { duration, milliseconds, retry } from "./supervision.ts";
import { content, integer, listOf, name, text } from "./types.ts";
import type { OpBase, SecretRef, Text } from "./use.ts";
import { showText } from "./use.ts";
import { processVariables } from "./variables.ts";

export interface HostOp extends OpBase<"host"> {
  readonly args: readonly Text[];
  readonly env: readonly (readonly [name: string, value: Text | SecretRef])[];
  /** Relative to the current directory of the filesystem. */
  readonly dir?: string;
  readonly stdin?: Text | Uint8Array;
  readonly validExitCodes: readonly number[];
  /** Of one try. */
  readonly timeout?: string;
  readonly retry?: Retry;
}

export const host: OpSpec<HostOp> = {
  do: "host",
  fields: {
    args: required(listOf(text)),
    env: standard(processVariables, []),
    dir: optional(name),
    stdin: optional(content),
    validExitCodes: standard(listOf(integer(0, 255)), []),
    timeout: optional(duration),
    retry: optional(retry),
  },
  words: (op) => `host ${op.args.map(showText).join(" ")}`,
  check: checkHost,
  lower: (op, state, context) => {
    for (const [, value] of op.env)
      if (typeof value !== "string" && !("kind" in value)) context.secret(value.secret, value.optional, op.place.at);
    const files = context.host(op, state, toProcess(op, state.dir));
    // The environment and the user of an image are those of its containers.
    const { fs: _, ...rest } = { ...emptyState(state.platform), dir: state.dir };
    if (files === undefined) return { ...rest, fs: null };
    const { meta } = files.vertex;
    return { ...rest, fs: fileOutput(null, [copyContents(files, "/", "/")], { ...meta, name: `${meta.name} (copy)` }) };
  },
};

function toProcess(op: HostOp, dir: string): HostProcess {
  const { retry } = op;
  return {
    line: hostLine(op),
    args: op.args,
    env: op.env,
    dir: resolvePath(dir, op.dir ?? "."),
    validExitCodes: op.validExitCodes,
    ...given("stdin", op.stdin),
    ...(op.timeout === undefined ? {} : { timeout: milliseconds(op.timeout) }),
    ...(retry === undefined ? {} : { retry: { count: retry.count, backoff: milliseconds(retry.backoff) } }),
  };
}

/** All that decides what runs, as a shell would take it: what a person agrees to. Values of the job and secrets stand there by name. */
export function hostLine({ args, env, stdin }: Pick<HostOp, "args" | "env" | "stdin">): string {
  const variables = env.map(
    ([name, value]) => `${name}=${typeof value === "string" || "kind" in value ? word(value) : `{secret ${value.secret}}`}`,
  );
  const input = stdin === undefined ? [] : ["<<<", stdin instanceof Uint8Array ? word(Buffer.from(stdin).toString("base64")) : word(stdin)];
  return [...variables, ...args.map(word), ...input].join(" ");
}

function word(text: Text): string {
  const shown = showText(text);
  return typeof text !== "string" || /^[\w%+,./:=@-]+$/.test(shown) ? shown : `'${shown.replaceAll("'", "'\\''")}'`;
}

function checkHost(op: HostOp, field: Field, context: ReadContext): void {
  if (op.args.length > 0 && op.args[0] !== "") return;
  context.problem({
    code: "empty-args",
    message: op.args.length === 0 ? "Op host has no args" : 'Op host has an empty command: args[0] is ""',
    path: `${field.path}.args`,
    at: field.value.fields.get("args")?.at ?? field.at,
    hint: `Give the command and its arguments, e.g. args: ["make", "test"]`,
  });
}
