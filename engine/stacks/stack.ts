// A stack's file, `.dagger/stacks/SLUG/stack.json`: what it is called and where its config is.
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Workspace } from "../workspace/find.ts";
import type { JsonFile } from "../workspace/json-file.ts";
import { formatJson, isObject, readJsonFile } from "../workspace/json-file.ts";
import { find, isSlug } from "./names.ts";

/** Where a config is. */
export type ConfigSource =
  /** Relative to the workspace, with `/`, where it lies below; else absolute. */
  | { readonly kind: "dir"; readonly dir: string }
  /** `commit` is what `ref` stood for when it was last looked up: that is what runs. */
  | { readonly kind: "git"; readonly remote: string; readonly ref: string; readonly commit: string; readonly subdir?: string }
  /** A CUE module of a registry, e.g. `example.com/ci` at `v0.3.1`. */
  | { readonly kind: "module"; readonly module: string; readonly version: string; readonly subdir?: string };

export interface Stack {
  /** Stable and URL-safe: its directory's name. */
  readonly slug: string;
  readonly name: string;
  /** What it is for; may be empty. */
  readonly description: string;
  readonly config: ConfigSource;
}

export function stacksDir(workspace: Workspace): string {
  return join(workspace.dir, "stacks");
}

export function stackDir(workspace: Workspace, slug: string): string {
  return join(stacksDir(workspace), slug);
}

export function stackFile(workspace: Workspace, slug: string): string {
  return join(stackDir(workspace, slug), "stack.json");
}

/** By slug. Throws UserError (2) `bad-workspace-file`. */
export async function readStacks(workspace: Workspace, cwd: string): Promise<readonly Stack[]> {
  const slugs = await slugsIn(stacksDir(workspace));
  const stacks = await Promise.all(slugs.map((slug) => readStack(workspace, slug, cwd)));
  return stacks.filter((stack) => stack !== undefined);
}

/** Directories of a directory that have a slug's name, in their order; none where there is no such directory. */
export async function slugsIn(dir: string): Promise<readonly string[]> {
  if (!existsSync(dir)) return [];
  const entries = await readdir(dir, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory() && isSlug(entry.name))
    .map(({ name }) => name)
    .sort();
}

/** The stack of this slug or name. Throws UserError (2) `unknown-stack`, `bad-workspace-file`. */
export async function findStack(workspace: Workspace, wanted: string, cwd: string): Promise<Stack> {
  return find(wanted, await readStacks(workspace, cwd), (hint) => ({
    code: "unknown-stack",
    message: `There is no stack ${JSON.stringify(wanted)} in ${workspace.root}`,
    at: [],
    hint: hint ?? "There are no stacks yet: dagger stack new NAME",
  }));
}

async function readStack(workspace: Workspace, slug: string, cwd: string): Promise<Stack | undefined> {
  const file = await readJsonFile(stackFile(workspace, slug), cwd);
  if (file === undefined) return undefined;
  const name = await text(file, ["name"]);
  const description = file.data["description"] === undefined ? "" : await text(file, ["description"]);
  await refuseOthers(file, [], ["name", "description", "config"]);
  return { slug, name, description, config: await readSource(file) };
}

async function readSource(file: JsonFile): Promise<ConfigSource> {
  const config = file.data["config"];
  if (!isObject(config)) return file.fail(["config"], `${file.name} does not say where the config is: expected an object at config`);
  const field = (name: string): Promise<string> => text(file, ["config", name]);
  const subdir = async (): Promise<object> => (config["subdir"] === undefined ? {} : { subdir: await field("subdir") });
  if ("dir" in config) {
    await refuseOthers(file, ["config"], ["dir"]);
    return { kind: "dir", dir: await field("dir") };
  }
  if ("git" in config) {
    await refuseOthers(file, ["config"], ["git", "ref", "commit", "subdir"]);
    const source = {
      kind: "git" as const,
      remote: await field("git"),
      ref: await field("ref"),
      commit: await field("commit"),
      ...(await subdir()),
    };
    if (!/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(source.commit)) return file.fail(["config", "commit"], `${file.name} names no commit`);
    return source;
  }
  if ("module" in config) {
    await refuseOthers(file, ["config"], ["module", "version", "subdir"]);
    return { kind: "module", module: await field("module"), version: await field("version"), ...(await subdir()) };
  }
  return file.fail(["config"], `${file.name} does not say where the config is: expected dir, git or module`);
}

/** A text that must be there. */
async function text(file: JsonFile, keys: readonly string[]): Promise<string> {
  let value: unknown = file.data;
  for (const key of keys) value = isObject(value) ? value[key] : undefined;
  if (typeof value === "string" && value !== "") return value;
  return file.fail(keys, `Field ${keys.join(".")} of ${file.name} is to be a text, got ${JSON.stringify(value) ?? "nothing"}`);
}

/** A field that is not known is a typo, or of a newer dagger: neither must be lost when the file is written again. */
export async function refuseOthers(file: JsonFile, at: readonly string[], known: readonly string[]): Promise<void> {
  let value: unknown = file.data;
  for (const key of at) value = isObject(value) ? value[key] : undefined;
  const odd = Object.keys(isObject(value) ? value : {}).find((key) => !known.includes(key));
  if (odd !== undefined)
    await file.failName([...at, odd], `${file.name} has the unknown field ${JSON.stringify(odd)}`, `It knows ${known.join(", ")}`);
}

/** The text of a stack's file. */
export function formatStack({ name, description, config }: Omit<Stack, "slug">): string {
  return formatJson({ name, ...(description === "" ? {} : { description }), config: sourceData(config) });
}

/** A source as it is written down. */
export function sourceData(source: ConfigSource): Readonly<Record<string, string>> {
  switch (source.kind) {
    case "dir":
      return { dir: source.dir };
    case "git":
      return {
        git: source.remote,
        ref: source.ref,
        commit: source.commit,
        ...(source.subdir === undefined ? {} : { subdir: source.subdir }),
      };
    case "module":
      return { module: source.module, version: source.version, ...(source.subdir === undefined ? {} : { subdir: source.subdir }) };
  }
}

/** A source in a few words. */
export function showSource(source: ConfigSource): string {
  switch (source.kind) {
    case "dir":
      return source.dir;
    case "git":
      return `${source.remote}#${source.ref}${source.subdir === undefined ? "" : `:${source.subdir}`} (${source.commit.slice(0, 12)})`;
    case "module":
      return `${source.module}@${source.version}${source.subdir === undefined ? "" : `/${source.subdir}`}`;
  }
}
