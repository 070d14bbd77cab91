// Connectors as a person manages them: made, listed, changed, removed.
import { rm } from "node:fs/promises";
import { resolve } from "node:path";
import { inputError, nearest } from "../../compiler/index.ts";
import type { Surroundings } from "../request.ts";
import { isSlug } from "../stacks/names.ts";
import type { Workspace } from "../workspace/find.ts";
import { notWritten, writeWhole } from "../workspace/json-file.ts";
import { changing } from "../workspace/lock.ts";
import { openWorkspace } from "../workspace/workspace.ts";
import { type Connector, connectorFile, findConnector, formatConnector, keptReference, problemOf, readConnectors } from "./connector.ts";
import { connectorTypes, isConnectorType } from "./types.ts";

/** What a connector is made of. `secrets` say where credentials come from, as `--secret` takes it: never what they are. */
export interface NewConnector {
  readonly name: string;
  readonly type: string;
  readonly description?: string;
  readonly fields?: Readonly<Record<string, string>>;
  readonly secrets?: Readonly<Record<string, string>>;
}

export interface ConnectorChange {
  readonly description?: string;
  /** These are set, the others stay. */
  readonly fields?: Readonly<Record<string, string>>;
  readonly secrets?: Readonly<Record<string, string>>;
  /** Names of fields and secrets to forget. */
  readonly unset?: readonly string[];
}

/** In the order of their names. Throws UserError (2) where there is no workspace, or a file is wrong. */
export async function listConnectors({ cwd }: Surroundings): Promise<readonly Connector[]> {
  return readConnectors(await openWorkspace(".", cwd), cwd);
}

export async function showConnector({ cwd }: Surroundings, name: string): Promise<Connector> {
  return findConnector(await openWorkspace(".", cwd), name, cwd);
}

/** Relative files of `secrets` start at the request's directory. Throws UserError (2) `connector-exists`, `bad-connector`, `bad-connector-name`. */
export async function addConnector({ cwd }: Surroundings, wanted: NewConnector): Promise<Connector> {
  const { name, type, description = "", fields = {}, secrets = {} } = wanted;
  const workspace = await openWorkspace(".", cwd);
  if (!isSlug(name)) {
    const hint = "Use lower-case letters, digits and hyphens, for example docker-hub";
    throw inputError({ code: "bad-connector-name", message: `Cannot call a connector ${JSON.stringify(name)}`, at: [], hint });
  }
  if (!isConnectorType(type)) {
    const [near] = nearest(type, connectorTypes);
    const hint = near === undefined ? `There are ${connectorTypes.join(", ")}` : `Did you mean ${near}?`;
    throw inputError({ code: "bad-connector", message: `There is no type of connectors ${JSON.stringify(type)}`, at: [], hint });
  }
  const made = checked({ name, type, description, fields, secrets: kept(workspace, secrets, cwd) });
  return changing(workspace, async () => {
    if ((await readConnectors(workspace, cwd)).some((one) => one.name === name)) {
      const hint = `Change it with \`dagger connector edit ${name}\`, or choose another name`;
      throw inputError({ code: "connector-exists", message: `There is a connector ${name} already`, at: [], hint });
    }
    await writeWhole(connectorFile(workspace, name), formatConnector(made));
    return made;
  });
}

/** Throws UserError (2) `unknown-connector`, `bad-connector`. */
export async function editConnector({ cwd }: Surroundings, name: string, change: ConnectorChange): Promise<Connector> {
  const workspace = await openWorkspace(".", cwd);
  return changing(workspace, async () => {
    const before = await findConnector(workspace, name, cwd);
    const { description = before.description, fields = {}, secrets = {}, unset = [] } = change;
    const odd = unset.find((one) => !Object.hasOwn(before.fields, one) && !Object.hasOwn(before.secrets, one));
    if (odd !== undefined) {
      const hint = `It has ${[...Object.keys(before.fields), ...Object.keys(before.secrets)].join(", ")}`;
      throw inputError({ code: "bad-connector", message: `The connector ${name} has no ${odd} to forget`, at: [], hint });
    }
    const without = (data: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
      Object.fromEntries(Object.entries(data).filter(([key]) => !unset.includes(key)));
    const edited = {
      ...before,
      description,
      fields: { ...without(before.fields), ...fields },
      secrets: { ...without(before.secrets), ...kept(workspace, secrets, cwd) },
    };
    await writeWhole(connectorFile(workspace, name), formatConnector(checked(edited)));
    return edited;
  });
}

/** What its secrets refer to stays where it is. Throws UserError (2) `unknown-connector`. */
export async function removeConnector({ cwd }: Surroundings, name: string): Promise<Connector> {
  const workspace = await openWorkspace(".", cwd);
  return changing(workspace, async () => {
    const found = await findConnector(workspace, name, cwd);
    await rm(connectorFile(workspace, name)).catch((cause: unknown) => {
      throw notWritten(connectorFile(workspace, name), cause);
    });
    return found;
  });
}

function kept(workspace: Workspace, secrets: Readonly<Record<string, string>>, cwd: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(secrets).map(([name, reference]) => [name, keptReference(workspace, reference, (path) => resolve(cwd, path))]),
  );
}

function checked(connector: Connector): Connector {
  const problem = problemOf(connector);
  if (problem === undefined) return connector;
  throw inputError({ code: "bad-connector", message: problem.message, at: [], hint: problem.hint });
}
