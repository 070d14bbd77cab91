// dagger connector: keeps connections of the workspace, and tries them. No value of a secret is ever printed.
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { CheckedConnector, Connector } from "../../engine/index.ts";
import { confirm } from "../ask.ts";
import type { Context, OutputFormat } from "../context.ts";
import { surroundings } from "../context.ts";
import { UsageError } from "../failure.ts";
import { wantsColour } from "../io.ts";
import { clean } from "../output/lines.ts";
import { createStyle } from "../output/style.ts";
import { formatJson, formatTable } from "../output/table.ts";
import { width } from "../output/width.ts";

export interface ConnectorFlags {
  readonly secret?: readonly string[];
  readonly file?: readonly string[];
  readonly unset?: readonly string[];
  readonly description?: string;
  readonly stack?: string;
  readonly env?: string;
  readonly allowHost?: boolean;
  readonly timeout?: string;
  readonly yes?: boolean;
  readonly output: OutputFormat;
}

const engine = async () => (await import("../../engine/index.ts")).loadConnectors();

export async function addConnectorCommand(
  context: Context,
  { type, name, values }: { readonly type: string; readonly name: string; readonly values: readonly string[] },
  flags: ConnectorFlags,
): Promise<void> {
  const { addConnector } = await engine();
  tell(context, flags, await addConnector(surroundings(context), { name, type, ...(await wanted(context, values, flags)) }));
}

export async function editConnectorCommand(
  context: Context,
  name: string,
  values: readonly string[],
  flags: ConnectorFlags,
): Promise<void> {
  const { editConnector } = await engine();
  const change = { ...(await wanted(context, values, flags)), ...(flags.unset === undefined ? {} : { unset: flags.unset }) };
  tell(context, flags, await editConnector(surroundings(context), name, change));
}

export async function listConnectorsCommand(context: Context, flags: ConnectorFlags): Promise<void> {
  const { listConnectors } = await engine();
  const all = await listConnectors(surroundings(context));
  const row = ({ name, type, description, fields }: Connector): string[] => [name, type, clean(placeOf(fields)), clean(description)];
  context.io.stdout.write(flags.output === "json" ? formatJson(all) : formatTable(all.map(row)));
}

export async function showConnectorCommand(context: Context, name: string, flags: ConnectorFlags): Promise<void> {
  const { showConnector } = await engine();
  tell(context, flags, await showConnector(surroundings(context), name));
}

export async function removeConnectorCommand(context: Context, name: string, flags: ConnectorFlags): Promise<void> {
  const { removeConnector, showConnector } = await engine();
  await showConnector(surroundings(context), name);
  await confirm(context, `Remove the connector ${name}?`, flags.yes);
  const removed = await removeConnector(surroundings(context), name);
  context.io.stdout.write(flags.output === "json" ? formatJson(removed) : `Removed ${name}\n`);
}

export async function typesCommand(context: Context, flags: ConnectorFlags): Promise<void> {
  const { connectorTypes, typeSpecs } = await engine();
  const data = connectorTypes.map((type) => {
    const { about, fields, secrets } = typeSpecs[type];
    const part = (of: typeof fields | typeof secrets) =>
      Object.entries(of).map(([name, field]) => ({ name, required: field.required === true, about: field.about }));
    return { type, about, fields: part(fields), secrets: part(secrets) };
  });
  if (flags.output === "json") return context.io.stdout.write(formatJson(data));
  const rows = data.flatMap(({ type, about, fields, secrets }) => [
    [type, "", about],
    ...fields.map(({ name, required, about }) => ["", `${name}${required ? "!" : ""}`, about]),
    ...secrets.map(({ name, required, about }) => ["", `${name}${required ? "!" : ""}`, `secret: ${about}`]),
  ]);
  context.io.stdout.write(formatTable(rows));
}

/** Prints every one with what came of it; throws UserError without findings of its own when one failed, with the exit code of the worst. */
export async function checkConnectorsCommand(context: Context, names: readonly string[], flags: ConnectorFlags): Promise<void> {
  const { UserError } = await import("../../engine/index.ts");
  const { checkConnectors } = await engine();
  const { stack, env: environment, allowHost, timeout } = flags;
  const request = { ...surroundings(context), names, stack, environment, allowHost, signal: context.signal };
  const checked = await checkConnectors({ ...request, ...(timeout === undefined ? {} : { timeout: milliseconds(timeout) }) });
  if (flags.output === "json") {
    const flat = checked.map(({ problem, ...one }) =>
      problem === undefined ? one : { ...one, exit: problem.exit, ...problem.diagnostic },
    );
    context.io.stdout.write(formatJson(flat));
  } else tellChecked(context, checked);
  const exits = checked.flatMap(({ problem }) => problem?.exit ?? []);
  if (exits.length > 0) throw new UserError(exits.includes(3) ? 3 : 2, []);
}

function tellChecked({ io }: Context, checked: readonly CheckedConnector[]): void {
  const style = createStyle(wantsColour(io.stdout, io.env));
  const column = Math.max(...checked.map(({ name }) => width(name)));
  for (const { name, ok, reached, problem } of checked) {
    const mark = ok ? style.green("ok    ") : style.red("failed");
    const text = clean(problem === undefined ? reached : `${problem.diagnostic.message} [${problem.diagnostic.code}]`);
    io.stdout.write(`${mark}  ${name}${" ".repeat(column - width(name))}  ${text}\n`);
    if (problem?.diagnostic.hint !== undefined)
      io.stdout.write(`${" ".repeat(8)}${style.green("hint:")} ${clean(problem.diagnostic.hint)}\n`);
  }
}

function milliseconds(text: string): number {
  const seconds = Number(text);
  if (seconds > 0 && seconds <= 3600) return seconds * 1000;
  throw wrong("bad-flag-value", `Cannot read --timeout ${JSON.stringify(text)}: expected seconds`, "Write for example --timeout 30");
}

/** Fields and secrets of a command line: `NAME=VALUE` arguments, `--file NAME=PATH`, `--secret NAME=REFERENCE`. */
async function wanted(
  { io }: Context,
  values: readonly string[],
  { secret = [], file = [], description }: ConnectorFlags,
): Promise<{ fields: Record<string, string>; secrets: Record<string, string>; description?: string }> {
  const fields = pairs(values, "a field", "host=registry.example.com");
  for (const [name, path] of Object.entries(pairs(file, "--file", "ca=./ca.pem"))) {
    try {
      fields[name] = await readFile(resolve(io.cwd, path), "utf8");
    } catch (cause) {
      throw wrong("input-file-not-found", `Cannot read ${path} for the field ${name}: ${(cause as Error).message}`, "Check the path");
    }
  }
  return { fields, secrets: pairs(secret, "--secret", "password=env:TOKEN"), ...(description === undefined ? {} : { description }) };
}

/** What was written may be a credential in the wrong place: it is not repeated. */
function pairs(texts: readonly string[], what: string, example: string): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const cut = text.indexOf("=");
      if (cut < 1) throw wrong("bad-flag-value", `Cannot read ${what}: expected NAME=VALUE`, `Write for example ${example}`);
      return [text.slice(0, cut), text.slice(cut + 1)] as const;
    }),
  );
}

function wrong(code: string, message: string, hint: string): UsageError {
  return new UsageError({ code, message, at: [], hint });
}

function tell({ io }: Context, { output }: ConnectorFlags, connector: Connector): void {
  if (output === "json") {
    io.stdout.write(formatJson(connector));
    return;
  }
  const { name, type, description, fields, secrets } = connector;
  // Certificates and keys of hosts have many lines.
  const short = (value: string): string => (value.trim().includes("\n") ? `(${value.trim().split("\n").length} lines)` : value.trim());
  const rows = [
    ["type", type],
    ...(description === "" ? [] : [["description", description]]),
    ...Object.entries(fields).map(([field, value]) => [field, short(value)]),
    ...Object.entries(secrets).map(([secret, reference]) => [secret, `secret ${reference}`]),
  ];
  io.stdout.write(`${name}\n${formatTable(rows.map((row) => ["", ...row.map((cell) => clean(cell))]))}`);
}

/** Where it leads to, in a word. */
function placeOf({ host, url, endpoint, server, bucket }: Connector["fields"]): string {
  return host ?? url ?? endpoint ?? server ?? bucket ?? "";
}
