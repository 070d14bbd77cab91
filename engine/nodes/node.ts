// A node's file, `.dagger/nodes/ID.json`: a command with the sources that it takes and gives. Its computations are in the store.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { inputError } from "../../compiler/index.ts";
import type { Workspace } from "../workspace/find.ts";
import { formatJson, type JsonFile, readJsonFile, writeWhole } from "../workspace/json-file.ts";

/** All that decides what a node does: the same parameters are the same node. */
export interface NodeParameters {
  /** Names, in order. */
  readonly labels: readonly string[];
  /** Names of sources, in order. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Image that the command runs in. */
  readonly image: string;
  readonly platform?: string;
  /** Program and arguments; of a script its name and arguments. */
  readonly command: readonly string[];
  /** Text of the script that `command` names. */
  readonly script?: string;
}

export interface Node extends NodeParameters {
  /** 64 digits; people see 8 of them. */
  readonly id: string;
}

/** Names are ordered: whoever writes them in another order means the same node. */
export function nodeOf(parameters: NodeParameters): Node {
  const { labels, inputs, outputs, image, platform, command, script } = parameters;
  const sorted = (names: readonly string[]): readonly string[] => [...new Set(names)].sort();
  const whole: NodeParameters = {
    labels: sorted(labels),
    inputs: sorted(inputs),
    outputs: sorted(outputs),
    image,
    ...(platform === undefined ? {} : { platform }),
    command,
    ...(script === undefined ? {} : { script }),
  };
  return { id: createHash("sha256").update(JSON.stringify(whole)).digest("hex"), ...whole };
}

function nodesDir({ dir }: Pick<Workspace, "dir">): string {
  return join(dir, "nodes");
}

export function nodeFile(workspace: Pick<Workspace, "dir">, { id }: Pick<Node, "id">): string {
  return join(nodesDir(workspace), `${id.slice(0, 16)}.json`);
}

/** By id. Throws UserError (2) `bad-workspace-file`. */
export async function readNodes(workspace: Pick<Workspace, "dir">, cwd: string): Promise<readonly Node[]> {
  const dir = nodesDir(workspace);
  if (!existsSync(dir)) return [];
  const names = (await readdir(dir)).filter((file) => /^[0-9a-f]{16}\.json$/.test(file)).sort();
  const all = await Promise.all(names.map((name) => readNode(join(dir, name), cwd)));
  return all.filter((node) => node !== undefined);
}

/** Several processes may write the same: it is the same text. */
export async function writeNode(workspace: Pick<Workspace, "dir">, node: Node): Promise<void> {
  const { id: _, ...parameters } = node;
  await writeWhole(nodeFile(workspace, node), formatJson(parameters));
}

/** The one whose id begins so. Throws UserError (2) `unknown-node`, `ambiguous-node`. */
export function findNode(nodes: readonly Node[], wanted: string): Node {
  const found = /^[0-9a-f]{4,64}$/.test(wanted) ? nodes.filter(({ id }) => id.startsWith(wanted)) : [];
  const [first, ...others] = found;
  if (first !== undefined && others.length === 0) return first;
  if (first === undefined) {
    const hint = nodes.length === 0 ? "Make one: dagger node run --input NAME -- COMMAND" : "See which there are: dagger node list";
    throw inputError({ code: "unknown-node", message: `There is no node ${JSON.stringify(wanted)}`, at: [], hint });
  }
  const message = `Several nodes begin with ${wanted}: ${found.map(({ id }) => id.slice(0, 12)).join(", ")}`;
  throw inputError({ code: "ambiguous-node", message, at: [], hint: "Write more of the id" });
}

async function readNode(path: string, cwd: string): Promise<Node | undefined> {
  const file = await readJsonFile(path, cwd);
  if (file === undefined) return undefined;
  const known = ["labels", "inputs", "outputs", "image", "platform", "command", "script"];
  const odd = Object.keys(file.data).find((key) => !known.includes(key));
  if (odd !== undefined)
    await file.failName([odd], `${file.name} has the unknown field ${JSON.stringify(odd)}`, `It knows ${known.join(", ")}`);
  const { image, platform, script } = file.data;
  for (const [key, value] of Object.entries({ image, platform, script }))
    if (value !== undefined && typeof value !== "string") await file.fail([key], `Field ${key} of ${file.name} is to be a text`);
  const node = nodeOf({
    labels: await texts(file, "labels"),
    inputs: await texts(file, "inputs"),
    outputs: await texts(file, "outputs"),
    image: typeof image === "string" ? image : "",
    command: await texts(file, "command"),
    ...(typeof platform === "string" ? { platform } : {}),
    ...(typeof script === "string" ? { script } : {}),
  });
  if (!path.endsWith(`${node.id.slice(0, 16)}.json`))
    return file.fail(
      [],
      `${file.name} was changed: its name is made of what is in it`,
      "Take it back from version control, or make a new node",
    );
  return node;
}

async function texts(file: JsonFile, key: string): Promise<readonly string[]> {
  const value = file.data[key];
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
  return file.fail([key], `Field ${key} of ${file.name} is to be a list of texts`);
}
