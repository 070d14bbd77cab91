// A source's file, `.dagger/sources/NAME.json`: where data comes from or goes to. Its versions are in the store.
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { inputError, nearest } from "../../compiler/index.ts";
import type { Workspace } from "../workspace/find.ts";
import { formatJson, type JsonFile, readJsonFile, writeWhole } from "../workspace/json-file.ts";
import { isPolicy, type PushSettings, policiesOf } from "./conflict.ts";

export const sourceKinds = ["docker", "git", "s3", "path", "http", "release"] as const;
export type SourceKind = (typeof sourceKinds)[number];

/** A place that has data, in versions. */
export interface Source extends PushSettings {
  readonly name: string;
  readonly kind: SourceKind;
  /** An image without its tag, a repository, a bucket, a directory (relative to the workspace where it lies below it), an address. */
  readonly location: string;
  /** Branch, tag or commit of a repository; tag of an image. */
  readonly tag?: string;
  /** What of it is meant: `/v1/pitfall`. */
  readonly path?: string;
  /** The source that it was made from, or is a part of. */
  readonly parent?: string;
  /** The version that counts, whatever there is since. */
  readonly pin?: string;
  /** It is only looked at when it is named. */
  readonly paused?: boolean;
  /** Name of the connector that has the credentials, where the one that fits is not meant. */
  readonly connector?: string;
  /** Of a list of releases: the field that tells builds apart. */
  readonly build?: string;
  /** Milliseconds between looks of a watch; 0 for never. */
  readonly poll?: number;
}

const optional = ["tag", "path", "parent", "pin", "connector", "build", "author", "message"] as const;
const texts = ["kind", "location", ...optional, "onConflict"] as const;

export function isSourceKind(word: unknown): word is SourceKind {
  return (sourceKinds as readonly unknown[]).includes(word);
}

export function sourcesDir({ dir }: Pick<Workspace, "dir">): string {
  return join(dir, "sources");
}

export function sourceFile(workspace: Pick<Workspace, "dir">, name: string): string {
  return join(sourcesDir(workspace), `${name}.json`);
}

/** Why a text cannot be the name of a source; undefined when it can. */
export function badName(name: string): string | undefined {
  if (name === "") return "it is empty";
  const mark = /[:/\\*]/.exec(name)?.[0];
  if (mark !== undefined) return `it has a ${mark}`;
  if (Buffer.from(name).toString() !== name || /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\uFFFD]/u.test(name))
    return "it has characters that do not show, or is no UTF-8";
  if (name !== name.trim()) return "it begins or ends with a space";
  if (name.startsWith("-")) return "it begins with -, which is for flags";
  if (name.startsWith(".")) return "it begins with a dot";
  if (Buffer.byteLength(name) > 200) return "it is longer than 200 bytes";
  return undefined;
}

/** Throws UserError (2) `bad-source-name`. */
export function checkName(name: string): void {
  const why = badName(name);
  if (why === undefined) return;
  throw inputError({
    code: "bad-source-name",
    message: `Cannot call a source ${JSON.stringify(name)}: ${why}`,
    at: [],
    hint: "Use a name without : / \\ and *, for example web-assets",
  });
}

/** In the order of their names. Throws UserError (2) `bad-workspace-file`. */
export async function readSources(workspace: Pick<Workspace, "dir">, cwd: string): Promise<readonly Source[]> {
  const dir = sourcesDir(workspace);
  if (!existsSync(dir)) return [];
  const names = (await readdir(dir)).filter((file) => file.endsWith(".json")).map((file) => file.slice(0, -".json".length));
  const valid = names.filter((name) => badName(name) === undefined).sort();
  const all = await Promise.all(valid.map((name) => readSource(workspace, name, cwd)));
  return all.filter((one) => one !== undefined);
}

/** Throws UserError (2) `unknown-source`, `bad-workspace-file`. */
export async function findSource(workspace: Pick<Workspace, "dir">, name: string, cwd: string): Promise<Source> {
  const found = badName(name) === undefined ? await readSource(workspace, name, cwd) : undefined;
  if (found !== undefined) return found;
  const names = (await readSources(workspace, cwd)).map((one) => one.name);
  throw unknownSource(name, names);
}

export function unknownSource(name: string, names: readonly string[]): Error {
  const [near] = nearest(name, names);
  const others = names.length === 0 ? "Make one: dagger source add NAME LOCATION" : `There are ${names.join(", ")}`;
  const hint = near === undefined ? others : `Did you mean ${near}?`;
  return inputError({ code: "unknown-source", message: `There is no source ${JSON.stringify(name)}`, at: [], hint });
}

export async function writeSource(workspace: Pick<Workspace, "dir">, source: Source): Promise<void> {
  const { name, paused, poll, ...rest } = source;
  const known = texts.flatMap((key) => (rest[key] === undefined ? [] : [[key, rest[key]]]));
  const more = { ...(paused === true ? { paused } : {}), ...(poll === undefined ? {} : { poll }) };
  const data: unknown = { ...(Object.fromEntries(known) as object), ...more };
  await writeWhole(sourceFile(workspace, name), formatJson(data));
}

async function readSource(workspace: Pick<Workspace, "dir">, name: string, cwd: string): Promise<Source | undefined> {
  const file = await readJsonFile(sourceFile(workspace, name), cwd);
  if (file === undefined) return undefined;
  const { kind, location, paused = false, poll, onConflict } = file.data;
  const known: readonly string[] = [...texts, "paused", "poll"];
  const odd = Object.keys(file.data).find((key) => !known.includes(key));
  if (odd !== undefined)
    await file.failName([odd], `${file.name} has the unknown field ${JSON.stringify(odd)}`, `It knows ${known.join(", ")}`);
  if (!isSourceKind(kind)) return file.fail(["kind"], `${file.name} has no kind that there is`, `There are ${sourceKinds.join(", ")}`);
  if (typeof location !== "string" || location === "") return file.fail(["location"], `${file.name} has no location`);
  if (typeof paused !== "boolean") return file.fail(["paused"], `Field paused of ${file.name} is to be true or false`);
  if (poll !== undefined && !isTime(poll)) return file.fail(["poll"], `Field poll of ${file.name} is to be a number of milliseconds`);
  const policies = policiesOf(kind);
  if (onConflict !== undefined && !(isPolicy(onConflict) && policies.includes(onConflict)))
    return file.fail(["onConflict"], `Field onConflict of ${file.name} is no policy of a source of kind ${kind}`, policyHint(policies));
  const given = await optionalTexts(file);
  return {
    name,
    kind,
    location,
    ...given,
    ...(paused ? { paused } : {}),
    ...(poll === undefined ? {} : { poll }),
    ...(onConflict === undefined ? {} : { onConflict }),
  };
}

function policyHint(policies: readonly string[]): string {
  return policies.length === 0 ? "Leave it out" : `There are ${policies.join(", ")}`;
}

function isTime(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value < 2 ** 31;
}

async function optionalTexts(file: JsonFile): Promise<Partial<Record<(typeof optional)[number], string>>> {
  const found: Partial<Record<(typeof optional)[number], string>> = {};
  for (const key of optional) {
    const value = file.data[key];
    if (value === undefined) continue;
    if (typeof value !== "string") return file.fail([key], `Field ${key} of ${file.name} is to be a text`);
    found[key] = value;
  }
  return found;
}
