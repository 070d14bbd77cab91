// The helper inside the container, dagger-run: it brings computed values and input into a process, ends it in time, and tries it again.
import type { State } from "../graph/state.ts";
import type { Mount, Platform, Ref } from "../graph/vertex.ts";
import type { Value } from "../value.ts";
import type { ExecOp } from "./exec-op.ts";
import { fileOutput } from "./files.ts";
import type { LowerContext } from "./spec.ts";
import type { Computed } from "./use.ts";

const HELPER = "/.dagger/run";
const VALUES = "/.dagger/values";
const INPUT = "/.dagger/stdin";

interface Command {
  readonly args: readonly string[];
  readonly mounts: readonly Mount[];
}

/** The args as they are, or behind the helper. */
export function commandLine(op: ExecOp, env: State["env"], context: LowerContext, platform: Platform): Command {
  const values = new MountedValues(context);
  const options: string[] = [];
  for (const [name, value] of env) {
    if (typeof value !== "string") options.push("--env", `${name}=${values.file(value)}`);
  }
  const args = op.args.map((arg, index) => {
    if (typeof arg === "string") return arg;
    options.push("--arg", `${index}=${values.file(arg)}`);
    return "";
  });
  const input = op.stdin === undefined ? [] : [inputFile(op.stdin, op, context)];
  if (input.length > 0) options.push("--stdin", INPUT);
  options.push(...supervision(op));
  if (options.length === 0) return { args: op.args.map(String), mounts: [] };
  const helper = readonlyFile(HELPER, context.helper(platform), "/dagger-run");
  return { args: [HELPER, ...options, "--", ...args], mounts: [helper, ...values.mounts(), ...input] };
}

/**
 * Takes apart the args of an exec that has run: the command itself (computed args are ""), and what to put before another command so that
 * it gets the same computed environment, from the same mounts.
 */
export function behindHelper(args: readonly string[]): { readonly command: readonly string[]; readonly prefix: readonly string[] } {
  if (args[0] !== HELPER) return { command: args, prefix: [] };
  const end = args.indexOf("--");
  const options = args.slice(1, end);
  const env = options.flatMap((option, index) => (option === "--env" && index % 2 === 0 ? [option, options[index + 1] ?? ""] : []));
  return { command: args.slice(end + 1), prefix: env.length === 0 ? [] : [HELPER, ...env, "--"] };
}

function supervision({ timeout, retry, validExitCodes }: ExecOp): string[] {
  return [
    ...(timeout === undefined ? [] : ["--timeout", timeout]),
    ...(retry === undefined ? [] : ["--retry", String(retry.count), "--backoff", retry.backoff]),
    ...(retry === undefined || validExitCodes.length === 0 ? [] : ["--ok", validExitCodes.join(",")]),
  ];
}

/** What the process reads: a computed value, or a file with the text. */
function inputFile(stdin: NonNullable<ExecOp["stdin"]>, op: ExecOp, context: LowerContext): Mount {
  if (typeof stdin === "object" && "kind" in stdin) return readonlyFile(INPUT, context.computed(stdin), "/value");
  const data = typeof stdin === "string" ? new TextEncoder().encode(stdin) : stdin;
  const file = fileOutput(null, [{ kind: "mkfile", path: "/value", mode: 0o644, data }], context.meta(op, "input of exec"));
  return readonlyFile(INPUT, file, "/value");
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

  mounts(): Mount[] {
    return [...this.#values.values()].map((text) => readonlyFile(this.file(text), this.#context.computed(text), "/value"));
  }
}

function readonlyFile(dest: string, from: Ref, selector: string): Mount {
  return { kind: "bind", dest, from, selector, readonly: true, output: false };
}
