// The config of a node's run: its sources, its command and where its results go, as CUE that `up` runs like any other.
import type { TypedInput } from "../inputs/typed-inputs.ts";
import type { Node } from "./node.ts";
import { inArgument, inScript, type Known, variablesOf } from "./parameters.ts";

/** How a version of a source gets into a container: ops, or a directory of this machine. */
export interface Taken {
  readonly known: Known;
  readonly from: { readonly ops: readonly unknown[] } | { readonly dir: string };
  /** What of it is mounted. */
  readonly path: string;
  /** References of secrets that the ops name, as `--secret` takes them. */
  readonly secrets: readonly string[];
}

export interface NodeConfig {
  readonly text: string;
  readonly typedInputs: readonly TypedInput[];
  readonly secrets: readonly string[];
  /** Where each output is saved, relative to the config: in the order of the outputs. */
  readonly saved: readonly string[];
}

const shells = /^(.*\/)?(sh|bash|dash|ash|ksh|zsh)$/;

export function configOf(
  node: Node,
  taken: readonly Taken[],
  outputs: readonly Known[],
  more: { readonly fresh: boolean; readonly secretEnv: readonly string[]; readonly secrets: readonly string[] },
): NodeConfig {
  const known = [...taken.map((one) => one.known), ...outputs];
  const { args, files } = commandOf(node, known);
  const env = { ...variablesOf(known), ...Object.fromEntries(more.secretEnv.map((name) => [name, { secret: `private.${name}` }])) };
  const mounts = taken.map((one, index) => [one.known.root, { from: `\u0000source${index}`, path: one.path, readonly: true }]);
  const image = { do: "fetch-container", ref: node.image, ...(node.platform === undefined ? {} : { platform: node.platform }) };
  const saved = outputs.map((_, index) => `given/${index}`);
  const run = [
    image,
    ...outputs.map(({ root }) => ({ do: "mkdir", path: root, parents: true })),
    ...files,
    { do: "exec", args, env, mount: Object.fromEntries(mounts) as object, ...(more.fresh ? { always: true } : {}) },
    ...outputs.map(({ root }, index) => ({ do: "save-dir", src: root, dest: saved[index] })),
  ];
  const sources = taken.map(({ from }, index) =>
    "ops" in from ? `source${index}: #up: ${cue(from.ops)}\n` : `source${index}: {#up: [...]} @dagger(input)\n`,
  );
  return {
    text: `// Made by dagger for the node ${node.id.slice(0, 8)}.\npackage node\n\n${sources.join("")}run: #up: ${cue(run)}\n`,
    typedInputs: taken.flatMap(({ from }, index) => ("dir" in from ? [{ kind: "dir", text: `source${index}=${from.dir}` }] : [])),
    secrets: [...new Set([...taken.flatMap(({ secrets }) => secrets), ...more.secrets])],
    saved,
  };
}

/** JSON is CUE; a source is named where its mark stands. */
function cue(data: unknown): string {
  return JSON.stringify(data, null, 2).replace(/"\\u0000(source\d+)"/g, "$1");
}

/** Private fields that a command names as variables. */
export function named({ command, script = "" }: Pick<Node, "command" | "script">, names: readonly string[]): readonly string[] {
  const text = [...command, script].join("\n");
  return names.filter((name) => new RegExp(`\\$(\\{${name}\\b|${name}\\b)`).test(text));
}

/** Throws UserError (2) `unknown-parameter`. */
export function commandOf(
  node: Pick<Node, "command" | "script">,
  known: readonly Known[],
): { args: readonly string[]; files: readonly unknown[] } {
  const [program = "", ...rest] = node.command;
  const { script } = node;
  const plain = rest.map((arg) => inArgument(arg, known));
  if (script === undefined) {
    if (rest.length === 0 && /\s/.test(program)) return { args: ["sh", "-ec", inScript(program, known)], files: [] };
    // What a shell is to read is no plain text.
    const at = shells.test(program) ? rest.findIndex((arg) => /^-\w*c$/.test(arg)) : -1;
    const args = plain.map((arg, index) => (at >= 0 && index === at + 1 ? inScript(rest[index] ?? "", known) : arg));
    return { args: [inArgument(program, known), ...args], files: [] };
  }
  const interpreter = /^#!\s*(.*)/.exec(script)?.[1]?.trim().split(/\s+/) ?? ["sh"];
  const isShell = interpreter.some((word) => shells.test(word));
  const dest = `/node/${program.split("/").at(-1) ?? "script"}`;
  const file = { do: "write-file", dest, content: isShell ? inScript(script, known) : script, mode: 0o755 };
  return { args: [...(script.startsWith("#!") ? [] : ["sh", "-e"]), dest, ...plain], files: [file] };
}
