// A connector's file, `.dagger/connectors/NAME.json`: where a service is, and where the credentials for it come from. Never a credential.
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { type Diagnostic, inputError, nearest } from "../../compiler/index.ts";
import { isReference } from "../secrets/reference.ts";
import { isSlug } from "../stacks/names.ts";
import { keptPath } from "../stacks/source.ts";
import { connectorsDir, type Workspace } from "../workspace/find.ts";
import { formatJson, isObject, type JsonFile, readJsonFile } from "../workspace/json-file.ts";
import { type ConnectorType, connectorTypes, isConnectorType, typeSpecs } from "./types.ts";

export interface Connector {
  /** Lower-case letters, digits and hyphens: its file's name. */
  readonly name: string;
  readonly type: ConnectorType;
  /** What it is for; may be empty. */
  readonly description: string;
  /** By the names of the type's fields. */
  readonly fields: Readonly<Record<string, string>>;
  /** Where each credential comes from, as `--secret` takes it, e.g. `env:TOKEN`; files are relative to the workspace where they lie below it. */
  readonly secrets: Readonly<Record<string, string>>;
}

export function connectorFile(workspace: Pick<Workspace, "dir">, name: string): string {
  return join(connectorsDir(workspace), `${name}.json`);
}

/** In the order of their names. Throws UserError (2) `bad-workspace-file`. */
export async function readConnectors(workspace: Pick<Workspace, "dir">, cwd: string): Promise<readonly Connector[]> {
  const dir = connectorsDir(workspace);
  if (!existsSync(dir)) return [];
  const names = (await readdir(dir)).filter((file) => file.endsWith(".json")).map((file) => file.slice(0, -".json".length));
  const all = await Promise.all(
    names
      .filter(isSlug)
      .sort()
      .map((name) => readConnector(workspace, name, cwd)),
  );
  return all.filter((one) => one !== undefined);
}

/** Throws UserError (2) `unknown-connector`, `bad-workspace-file`. */
export async function findConnector(workspace: Pick<Workspace, "dir">, name: string, cwd: string): Promise<Connector> {
  const found = isSlug(name) ? await readConnector(workspace, name, cwd) : undefined;
  if (found !== undefined) return found;
  const names = (await readConnectors(workspace, cwd)).map((one) => one.name);
  throw inputError(unknownConnector(name, names));
}

export function unknownConnector(name: string, names: readonly string[]): Diagnostic {
  const [near] = nearest(name, names);
  const others = names.length === 0 ? "Make one: dagger connector add TYPE NAME" : `There are ${names.join(", ")}`;
  const hint = near === undefined ? others : `Did you mean ${near}?`;
  return { code: "unknown-connector", message: `There is no connector ${JSON.stringify(name)}`, at: [], hint };
}

async function readConnector(workspace: Pick<Workspace, "dir">, name: string, cwd: string): Promise<Connector | undefined> {
  const file = await readJsonFile(connectorFile(workspace, name), cwd);
  if (file === undefined) return undefined;
  const { type, description = "", fields = {}, secrets = {} } = file.data;
  const odd = Object.keys(file.data).find((key) => !["type", "description", "fields", "secrets"].includes(key));
  if (odd !== undefined)
    await file.failName([odd], `${file.name} has the unknown field ${JSON.stringify(odd)}`, "It knows type, description, fields, secrets");
  if (typeof type !== "string" || !isConnectorType(type))
    return file.fail(["type"], `${file.name} has no type that there is`, `There are ${connectorTypes.join(", ")}`);
  if (typeof description !== "string") return file.fail(["description"], `Field description of ${file.name} is to be a text`);
  const connector = {
    name,
    type,
    description,
    fields: await texts(file, "fields", fields),
    secrets: await texts(file, "secrets", secrets),
  };
  const problem = problemOf(connector);
  return problem === undefined ? connector : file.fail(problem.keys, `${file.name}: ${problem.message}`, problem.hint);
}

async function texts(file: JsonFile, key: string, data: unknown): Promise<Readonly<Record<string, string>>> {
  if (!isObject(data)) return file.fail([key], `Field ${key} of ${file.name} is no object`);
  for (const [name, value] of Object.entries(data))
    if (typeof value !== "string") await file.fail([key, name], `Field ${key}.${name} of ${file.name} is to be a text`);
  return data as Readonly<Record<string, string>>;
}

export interface ConnectorProblem {
  /** Where in the file. */
  readonly keys: readonly string[];
  readonly message: string;
  readonly hint: string;
}

/** The first thing that is wrong with a connector; no value of a secret's reference is ever in it. */
export function problemOf({ type, fields, secrets }: Omit<Connector, "name" | "description">): ConnectorProblem | undefined {
  const spec = typeSpecs[type];
  for (const [part, known, given] of [
    ["fields", spec.fields, fields],
    ["secrets", spec.secrets, secrets],
  ] as const) {
    const word = part === "fields" ? "field" : "secret";
    const odd = Object.keys(given).find((name) => !Object.hasOwn(known, name));
    if (odd !== undefined) {
      const message = `A connector of type ${type} has no ${word} ${JSON.stringify(odd)}`;
      return { keys: [part, odd], message, hint: hintFor(odd, Object.keys(known)) };
    }
    const missing = Object.entries(known).find(([name, { required }]) => required === true && !Object.hasOwn(given, name));
    if (missing !== undefined) {
      const [name, { about }] = missing;
      const hint = part === "fields" ? `Give it: ${name}=VALUE` : `Say where it comes from: --secret ${name}=env:NAME, for example`;
      return { keys: [part], message: `A connector of type ${type} needs the ${word} ${name}: ${about}`, hint };
    }
  }
  for (const names of spec.oneOf ?? []) {
    if (names.some((name) => Object.hasOwn(fields, name) || Object.hasOwn(secrets, name))) continue;
    return { keys: [], message: `A connector of type ${type} needs ${names.join(" or ")}`, hint: "See `dagger connector types`" };
  }
  return Object.entries(fields).flatMap(([name, value]) => badField(type, name, value))[0] ?? badSecret(secrets);
}

function hintFor(odd: string, known: readonly string[]): string {
  const [near] = nearest(odd, known);
  return near === undefined ? `It has ${known.join(", ")}` : `Did you mean ${near}?`;
}

function badField(type: ConnectorType, name: string, value: string): readonly ConnectorProblem[] {
  const form = typeSpecs[type].fields[name]?.form;
  if (form === undefined || form.matches.test(value)) return [];
  // What was given may be a login that belongs elsewhere: it is not repeated.
  return [{ keys: ["fields", name], message: `Field ${name} is not ${form.words}`, hint: "Credentials are given with --secret" }];
}

function badSecret(secrets: Connector["secrets"]): ConnectorProblem | undefined {
  // A function is part of a program, and a connector gives what others have.
  const wrong = Object.entries(secrets).find(([, reference]) => !isReference(reference) || /^(call|connector):/.test(reference));
  if (wrong === undefined) return undefined;
  const message = `Where the secret ${wrong[0]} comes from cannot be read`;
  return { keys: ["secrets", wrong[0]], message, hint: "Write env:NAME, file:PATH, age:NAME, vault:PATH#FIELD or cmd:COMMAND" };
}

/** A reference as it is kept: a file goes by its path in the workspace. */
export function keptReference(workspace: Workspace, reference: string, path: (text: string) => string): string {
  if (!reference.startsWith("file:") || reference.startsWith("file:~/")) return reference;
  const file = reference.slice("file:".length);
  return `file:${keptPath(workspace, isAbsolute(file) ? file : path(file))}`;
}

/** The text of a connector's file. */
export function formatConnector({ type, description, fields, secrets }: Omit<Connector, "name">): string {
  return formatJson({ type, ...(description === "" ? {} : { description }), fields, secrets });
}
