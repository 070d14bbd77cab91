// Sets and unsets inputs of a config for an environment: each value is held against the config by CUE before it is kept.
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Diagnostic, Value } from "../../compiler/index.ts";
import { inputError, nearest, UserError } from "../../compiler/index.ts";
import { readConfig } from "../config/config.ts";
import { parseData } from "../inputs/input-data.ts";
import { parseSecrets } from "../secrets/sources.ts";
import { checkReferences } from "../stacks/dependencies.ts";
import { environmentFile, findEnvironment, formatEnvironment } from "../stacks/environment.ts";
import { withGiven } from "../stacks/given.ts";
import { findConfig, keptPath } from "../stacks/source.ts";
import type { Workspace } from "../workspace/find.ts";
import { writeWhole } from "../workspace/json-file.ts";
import { changing } from "../workspace/lock.ts";
import { command, readSettings } from "./fills.ts";
import { fieldAt, kindOf } from "./inputs.ts";
import { parseReference } from "./references.ts";
import type { OpenStack, StackRunRequest } from "./run.ts";
import { openStack, runOf } from "./run.ts";
import type { Setting, SettingKind } from "./setting.ts";

/** One input to set: `text` is what a person wrote. */
export interface NewSetting {
  readonly path: string;
  readonly text: string;
  /** Without it the config's type decides. */
  readonly kind?: SettingKind;
}

export interface KeptSetting {
  readonly path: string;
  readonly setting: Setting;
}

/** Throws UserError (2) with what CUE says against a value, or what is wrong with its text; nothing is kept then. */
export async function setInputs(request: StackRunRequest, wanted: readonly NewSetting[]): Promise<readonly KeptSetting[]> {
  const open = await openStack(request);
  const { dir, cached } = await findConfig(open.workspace, open.stack, request);
  const { env, cwd, offline, signal } = request;
  const config = { env, cwd, dir, inputs: [], ...(offline === undefined ? {} : { offline }), ...(signal === undefined ? {} : { signal }) };
  const kept = await readConfig(config, async ({ evaluator, source }) => {
    try {
      const bare = await evaluator.load(source, []);
      const added: KeptSetting[] = [];
      for (const one of wanted) added.push({ path: one.path, setting: await readNew(one, bare.root, open.workspace, request.cwd) });
      const fresh = new Map(added.map(({ path, setting }) => [path, setting] as const));
      await checkReferences(open.workspace, { stack: open.stack.slug, environment: open.environment.slug }, fresh, cwd);
      const given = await withGiven(open.workspace, open.environment.slug, fresh, request);
      const settings = withoutMissing(new Map([...open.environment.settings, ...given]));
      const { stack } = runOf({ ...open, environment: { ...open.environment, settings } }, cached);
      const { fills } = await readSettings(stack, [], request.cwd);
      await evaluator.load(source, fills);
      return added;
    } catch (error) {
      throw explainRefusal(error, open, wanted);
    } finally {
      await evaluator.close();
    }
  });
  await change(open, request.cwd, (settings) => new Map([...settings, ...kept.map(({ path, setting }) => [path, setting] as const)]));
  return kept;
}

/** Reads a document of values, and sets each of them. Throws as `setInputs`. */
export async function importInputs(request: StackRunRequest, text: string, name: string): Promise<readonly KeptSetting[]> {
  const format = text.trimStart().startsWith("{") ? "json" : "yaml";
  let wrong: string | undefined;
  const entries = await parseData(format, text, "", (why) => {
    wrong = why;
  });
  if (wrong !== undefined) {
    const hint = "It holds an object: each field of it sets the field of that name in the config";
    throw inputError({ code: "bad-input-data", message: `Cannot read ${name} as JSON or YAML: ${wrong}`, at: [], hint });
  }
  return setInputs(
    request,
    entries.map(({ path, json }) => {
      const value = JSON.parse(json) as unknown;
      if (typeof value === "string") return { path, text: value, kind: "text" };
      return { path, text: json, kind: typeof value === "number" ? "number" : typeof value === "boolean" ? "bool" : "json" };
    }),
  );
}

/** Also for paths that the config has no more. Throws UserError (2) `unknown-setting`. */
export async function unsetInputs(request: StackRunRequest, paths: readonly string[]): Promise<readonly string[]> {
  const open = await openStack(request);
  await change(open, request.cwd, (settings) => {
    for (const path of paths) {
      if (settings.has(path)) continue;
      const [near] = nearest(path, [...settings.keys()]);
      throw inputError({
        code: "unknown-setting",
        message: `The environment ${open.environment.slug} of ${open.stack.slug} does not set ${path}`,
        at: [],
        hint: near === undefined ? "See what it sets with `dagger input list`" : `Did you mean ${near}?`,
      });
    }
    return new Map([...settings].filter(([path]) => !paths.includes(path)));
  });
  return paths;
}

type Settings = ReadonlyMap<string, Setting>;

/** What others have set meanwhile stays. */
async function change({ workspace, stack, environment }: OpenStack, cwd: string, edit: (settings: Settings) => Settings): Promise<void> {
  await changing(workspace, async () => {
    const now = await findEnvironment(workspace, stack.slug, environment.slug, cwd);
    await writeWhole(
      environmentFile(workspace, stack.slug, environment.slug),
      formatEnvironment({ name: now.name, settings: edit(now.settings) }),
    );
  });
}

/** What nobody gave yet is held against the config when it is there: by the run that takes it. */
function withoutMissing(settings: Settings): Settings {
  return new Map([...settings].filter(([, setting]) => setting.kind !== "output" || setting.given?.json !== undefined));
}

async function readNew(one: NewSetting, root: Value, workspace: Workspace, cwd: string): Promise<Setting> {
  const field = fieldAt(root, one.path);
  const kind = one.kind ?? (field === undefined ? kindOfText(one.text) : kindOf(field.value));
  const refuse = (expected: string, hint: string): never => {
    throw inputError({
      code: "bad-setting",
      message: `Cannot set ${one.path} to ${JSON.stringify(one.text)}: expected ${expected}`,
      at: field?.at.slice(0, 1) ?? [],
      hint,
    });
  };
  const { text } = one;
  switch (kind) {
    case "text":
      return { kind, value: text };
    case "number":
      return /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(text.trim())
        ? { kind, json: text.trim() }
        : refuse("a number", "Write for example 8080 or 0.5");
    case "bool":
      return /^(true|false)$/.test(text.trim()) ? { kind, json: text.trim() } : refuse("true or false", "Write true or false");
    case "json":
    case "yaml":
      return { kind, json: await readDocument(kind, text, one.path) };
    case "directory":
    case "file":
      return { kind, path: keptPath(workspace, resolve(cwd, text)) };
    case "git": {
      const [remote = "", ref, subdir, ...more] = text.split(",");
      if (remote === "" || more.length > 0) return refuse("REMOTE[,REF[,SUBDIR]]", "Write for example https://example.com/app.git,main");
      return { kind, remote, ref: ref || "HEAD", ...(subdir ? { subdir } : {}) };
    }
    case "secret":
      parseSecrets([`${one.path}=${text}`], cwd);
      return { kind, from: text.startsWith("file:") ? `file:${keptPath(workspace, resolve(cwd, text.slice("file:".length)))}` : text };
    case "socket":
      return { kind, path: field === undefined || text.endsWith(",raw=true") ? text : `${text},raw=true` };
    case "container":
      return text.trim() === "" ? refuse("an image", "Write for example debian:bookworm") : { kind, ref: text };
    case "output": {
      const reference = parseReference(text);
      return reference === undefined
        ? refuse("STACK[/ENVIRONMENT].PATH", "Write for example network/production.vpc.id")
        : { kind, ...reference };
    }
  }
}

/** Where the config says nothing: it may take any field there, or CUE tells that it has no such field. */
function kindOfText(text: string): SettingKind {
  try {
    JSON.parse(text);
    return "json";
  } catch {
    return "text";
  }
}

async function readDocument(kind: "json" | "yaml", text: string, path: string): Promise<string> {
  let wrong: string | undefined;
  const [entry] = await parseData(kind, `{"value":${kind === "json" ? `[${text}\n]` : "0"}}`, "", (why) => {
    wrong = why;
  });
  if (kind === "yaml") {
    const yaml = await import("yaml");
    try {
      const data: unknown = yaml.parse(text, { intAsBigInt: true });
      return JSON.stringify(data ?? null, (_key, value: unknown) => (typeof value === "bigint" ? bigNumber(value) : value)).replace(
        /"\u0000(-?\d+)"/g,
        "$1",
      );
    } catch (error) {
      wrong = (error as Error).message.split("\n")[0] ?? "";
    }
  }
  if (wrong === undefined && entry !== undefined) return entry.json.slice(1, -1);
  throw inputError({
    code: "bad-input-data",
    message: `Cannot read the value for ${path} as ${kind.toUpperCase()}: ${wrong ?? "it is empty"}`,
    at: [],
    hint: kind === "json" ? "Texts in JSON stand in double quotes; for a plain text add --kind text" : "Correct the document",
  });
}

/** A number stays one, marked so that its quotes go. */
function bigNumber(value: bigint): unknown {
  return Number.isSafeInteger(Number(value)) ? Number(value) : `\u0000${value}`;
}

/** Reads a file for `dagger input import`. Throws UserError (2) `input-file-not-found`. */
export async function readImport(path: string, cwd: string): Promise<string> {
  try {
    return await readFile(resolve(cwd, path), "utf8");
  } catch (cause) {
    const message = `Cannot read ${path}: ${(cause as Error).message}`;
    throw inputError({ code: "input-file-not-found", message, at: [], hint: "Check the path; - is standard input" });
  }
}

/** Nothing was kept; a setting that was there before may be what is wrong. */
function explainRefusal(error: unknown, { stack, environment }: OpenStack, wanted: readonly NewSetting[]): unknown {
  if (!(error instanceof UserError)) return error;
  const asked = new Set(wanted.map(({ path }) => path));
  const diagnostics = error.diagnostics.map((diagnostic): Diagnostic => {
    const old = [...environment.settings.keys()].find(
      (path) => !asked.has(path) && diagnostic.at.some(({ file }) => file === `setting ${path}`),
    );
    return old === undefined
      ? diagnostic
      : { ...diagnostic, hint: `Take the earlier setting back: ${command("unset", stack.slug, environment.slug)} ${old}` };
  });
  return new UserError(error.exit, diagnostics, { cause: error });
}
