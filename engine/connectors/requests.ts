// Where a config asks for connectors (#Registry, #Git, … of package connector), which one each place gets, and what is filled in there.
import { type Diagnostic, type Field, inputError, type Value } from "../../compiler/index.ts";
import type { Fill } from "../../runtime/cue/index.ts";
import { type Workspace, at as workspaceAt } from "../workspace/find.ts";
import { type Connector, readConnectors, unknownConnector } from "./connector.ts";
import { placesOf, textOf } from "./places.ts";
import { type ConnectorType, isConnectorType, typeSpecs } from "./types.ts";

/** What a config gets of the connectors that it asks for. */
export interface Connected {
  readonly fills: readonly Fill[];
  /** The credentials, as `--secret` takes them. */
  readonly secrets: readonly string[];
}

/** One place that asks. */
interface Asked {
  /** CUE path, as fills take it. */
  readonly path: string;
  readonly type: ConnectorType;
  readonly field: Field;
}

/**
 * Connects every place of a config that asks. `root` is the directory of the workspace; without one nothing is there to connect to. Throws
 * UserError (2) `missing-connector`, `ambiguous-connector`, `unknown-connector`, `wrong-connector` with all places that cannot be.
 */
export async function connectConfig(root: Value, workspaceRoot: string | undefined, cwd: string): Promise<Connected> {
  const asked = placesOf(root, askedType).map(({ path, field, found: type }): Asked => ({ path, field, type }));
  if (asked.length === 0) return { fills: [], secrets: [] };
  const workspace: Workspace | undefined = workspaceRoot === undefined ? undefined : workspaceAt(workspaceRoot);
  const connectors = workspace === undefined ? [] : await readConnectors(workspace, cwd);
  const wrong: Diagnostic[] = [];
  const fills: Fill[] = [];
  const secrets = new Set<string>();
  for (const place of asked) {
    const chosen = choose(place, connectors);
    if (chosen === undefined) continue;
    if ("code" in chosen) {
      wrong.push(chosen);
      continue;
    }
    const { data, ids } = givenBy(chosen);
    fills.push({ path: place.path, json: JSON.stringify(data), origin: `connector ${chosen.name}`, elements: true });
    for (const [id, secret] of ids) secrets.add(`${id}=connector:${chosen.name}.${secret}`);
  }
  // A library's value stands at several places, and is told at the first.
  if (wrong.length > 0) throw inputError(...new Map(wrong.map((one) => [`${one.path}`, one])).values());
  return { fills, secrets: [...secrets] };
}

/** What the place of a field asks for; undefined when it is no connector's. */
export function askedType({ value }: Pick<Field, "value">): ConnectorType | undefined {
  const body = value.fields
    .get("name")
    ?.attributes.find(({ name }) => name === "connector")
    ?.body.trim();
  return body !== undefined && isConnectorType(body) ? body : undefined;
}

/** The connector for a place; undefined where the config says all by itself. */
function choose({ path, type, field }: Asked, connectors: readonly Connector[]): Connector | Diagnostic | undefined {
  const text = (name: string): string | undefined => textOf(field, name);
  const say = (code: string, message: string, hint: string): Diagnostic => ({ code, message, path, at: field.at.slice(0, 2), hint });
  const name = text("name");
  const ofType = connectors.filter((one) => one.type === type);
  if (name !== undefined) {
    const named = connectors.find((one) => one.name === name);
    if (named?.type === type) return named;
    if (named === undefined)
      return {
        ...unknownConnector(
          name,
          ofType.map((one) => one.name),
        ),
        path,
        at: field.at.slice(0, 2),
      };
    const message = `${path} asks for a connector of type ${type}, and ${name} is of type ${named.type}`;
    return { ...say("wrong-connector", message, `Name one of type ${type}: ${listed(ofType) || "there is none yet"}`) };
  }
  const fitting = ofType.filter((one) =>
    Object.entries(givenBy(one).data).every(([key, value]) => typeof value === "object" || (text(key) ?? String(value)) === String(value)),
  );
  const [only, ...others] = fitting;
  if (only !== undefined && others.length === 0) return only;
  if (only === undefined) {
    if (!lacks(field.value)) return undefined;
    const wanted = Object.keys(typeSpecs[type].fields).flatMap((key) => {
      const value = text(key);
      return value === undefined ? [] : [`${key} ${JSON.stringify(value)}`];
    });
    const that = wanted.length === 0 ? "" : ` with ${wanted.join(" and ")}`;
    const there = ofType.length === 0 ? "" : `; there are ${listed(ofType)}`;
    const message = `${path} asks for a connector of type ${type}${that}, and the workspace has none${there}`;
    return say("missing-connector", message, `Make one: dagger connector add ${type} NAME`);
  }
  const message = `${path} asks for a connector of type ${type}, and several fit: ${listed(fitting)}`;
  return say(
    "ambiguous-connector",
    message,
    `Name one in the config (name: ${JSON.stringify(only.name)}), or for a stack: dagger input set ${path}.name ${only.name}`,
  );
}

function listed(connectors: readonly Connector[]): string {
  return connectors.map(({ name }) => name).join(", ");
}

/** The config does not say by itself what a connector would: then none is needed. */
function lacks({ fields }: Value): boolean {
  return [...fields.values()].some(
    ({ label, value }) =>
      label !== "name" && !/^[#_]/.test(label) && (value.kind === "incomplete" || (value.kind === "struct" && lacks(value))),
  );
}

interface Given {
  /** What is filled in. */
  readonly data: Readonly<Record<string, unknown>>;
  /** Ids of secrets, and the connector's secrets that they are. */
  readonly ids: readonly (readonly [id: string, secret: string])[];
}

/** What a place gets of a connector: texts, and names of secrets. */
function givenBy(connector: Connector): Given {
  const { name, type, fields, secrets } = connector;
  const texts = (...names: readonly string[]): Readonly<Record<string, string>> =>
    Object.fromEntries(names.flatMap((one) => (fields[one] === undefined ? [] : [[one, fields[one]]])));
  const given = (data: Readonly<Record<string, unknown>>, ...ids: readonly string[]): Given => {
    const id = (secret: string): string => `connector.${name}.${secret}`;
    const named = Object.fromEntries(ids.map((secret) => [secret, { secret: id(secret) }]));
    return { data: { name, ...data, ...named }, ids: ids.map((secret) => [id(secret), secret]) };
  };
  const kept = (...names: readonly string[]): readonly string[] => names.filter((one) => Object.hasOwn(secrets, one));
  switch (type) {
    case "registry":
      return given(texts("host", "username"), "password");
    case "git":
      return given(texts("url"), "token");
    case "s3": {
      const { region = "us-east-1" } = fields;
      const { endpoint = `https://s3.${region}.amazonaws.com` } = fields;
      return given({ endpoint, region, ...texts("bucket") }, "accessKey", "secretKey", ...kept("sessionToken"));
    }
    case "kubernetes":
      return given(texts("namespace"), "kubeconfig");
    case "ssh":
      return given({ ...texts("host", "knownHosts"), port: Number(fields["port"] ?? 22), user: fields["user"] ?? "root" }, "key");
    case "webhook":
      return given({}, "url", ...kept("token", "signingKey"));
  }
}
