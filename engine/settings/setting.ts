// A setting: what one input of a config is set to, as it is kept in an environment's file.
import type { JsonFile, JsonObject } from "../workspace/json-file.ts";
import { isObject } from "../workspace/json-file.ts";
import { formatReference, type GivenOutput, type OutputReference, parseReference } from "./references.ts";

export type SettingKind =
  | "text"
  | "number"
  | "bool"
  | "json"
  | "yaml"
  | "directory"
  | "file"
  | "git"
  | "secret"
  | "socket"
  | "container"
  | "output";

export const settingKinds: readonly SettingKind[] = [
  "text",
  "number",
  "bool",
  "json",
  "yaml",
  "directory",
  "file",
  "git",
  "secret",
  "socket",
  "container",
  "output",
];

/** By `kind`; what is kept is readable, and nothing of it is secret. */
export type Setting =
  | { readonly kind: "text"; readonly value: string }
  /** `json` is JSON text: numbers keep all their digits. */
  | { readonly kind: "number" | "bool" | "json" | "yaml"; readonly json: string }
  /** Relative to the workspace, with `/`, where it lies below; else absolute. */
  | { readonly kind: "directory" | "file"; readonly path: string }
  | { readonly kind: "git"; readonly remote: string; readonly ref: string; readonly subdir?: string }
  /** Where the value comes from at each run, e.g. `env:TOKEN`: never the value. */
  | { readonly kind: "secret"; readonly from: string }
  /** An SSH agent's or another socket, or a key. */
  | { readonly kind: "socket"; readonly path: string }
  | { readonly kind: "container"; readonly ref: string }
  | OutputSetting;

/** What another environment gives. */
export interface OutputSetting extends OutputReference {
  readonly kind: "output";
  /** What is known of it when a config is about to be read; never written down. */
  readonly given?: GivenOutput;
}

/** What a file says below `settings`. Throws UserError (2) `bad-workspace-file`. */
export async function readSettings(file: JsonFile): Promise<ReadonlyMap<string, Setting>> {
  const data = file.data["settings"] ?? {};
  if (!isObject(data)) return file.fail(["settings"], `Field settings of ${file.name} is no object`);
  const settings = new Map<string, Setting>();
  for (const [path, entry] of Object.entries(data)) {
    const setting = isObject(entry) ? readSetting(entry) : undefined;
    if (setting === undefined) {
      return file.fail(
        ["settings", path],
        `Setting ${path} of ${file.name} cannot be understood`,
        `It has one of ${settingKinds.join(", ")}; write it with \`dagger input set\``,
      );
    }
    settings.set(path, setting);
  }
  return settings;
}

function readSetting(entry: JsonObject): Setting | undefined {
  const kind = settingKinds.find((one) => one in entry);
  if (kind === undefined) return undefined;
  const value = entry[kind];
  const others = Object.keys(entry).filter((key) => key !== kind && !(kind === "git" && ["ref", "subdir"].includes(key)));
  if (others.length > 0) return undefined;
  const isText = typeof value === "string" && value !== "";
  switch (kind) {
    case "text":
      return typeof value === "string" ? { kind, value } : undefined;
    case "number":
      if (isText) return /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(value) ? { kind, json: value } : undefined;
      return typeof value === "number" ? { kind, json: String(value) } : undefined;
    case "bool":
      return typeof value === "boolean" ? { kind, json: String(value) } : undefined;
    case "json":
    case "yaml":
      return readData(kind, value);
    case "directory":
    case "file":
    case "socket":
      return isText ? { kind, path: value } : undefined;
    case "git": {
      const { ref, subdir } = entry;
      if (!isText || typeof ref !== "string" || !(subdir === undefined || typeof subdir === "string")) return undefined;
      return { kind, remote: value, ref, ...(subdir === undefined ? {} : { subdir }) };
    }
    case "secret":
      return isText ? { kind, from: value } : undefined;
    case "container":
      return isText ? { kind, ref: value } : undefined;
    case "output": {
      const reference = isText ? parseReference(value) : undefined;
      return reference === undefined ? undefined : { kind, ...reference };
    }
  }
}

function readData(kind: "json" | "yaml", value: unknown): Setting {
  if (isObject(value) && typeof value["#text"] === "string" && Object.keys(value).length === 1) return { kind, json: value["#text"] };
  return { kind, json: JSON.stringify(value) };
}

/** As they are kept, in the order of their paths, so that a merge touches only what has changed. */
export function formatSettings(settings: ReadonlyMap<string, Setting>): JsonObject {
  const sorted = [...settings].sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(sorted.map(([path, setting]) => [path, formatSetting(setting)]));
}

export function formatSetting(setting: Setting): JsonObject {
  switch (setting.kind) {
    case "text":
      return { text: setting.value };
    case "number": {
      const number = Number(setting.json);
      return { number: String(number) === setting.json ? number : setting.json };
    }
    case "bool":
      return { bool: setting.json === "true" };
    case "json":
    case "yaml":
      // JSON.parse rounds what has many digits: then the text is kept.
      return { [setting.kind]: /\d{16}|\.\d{15}/.test(setting.json) ? { "#text": setting.json } : (JSON.parse(setting.json) as unknown) };
    case "directory":
    case "file":
    case "socket":
      return { [setting.kind]: setting.path };
    case "git": {
      const { remote, ref, subdir } = setting;
      return { git: remote, ref, ...(subdir === undefined ? {} : { subdir }) };
    }
    case "secret":
      return { secret: setting.from };
    case "container":
      return { container: setting.ref };
    case "output":
      return { output: formatReference(setting) };
  }
}

/** A setting in a few words. */
export function showSetting(setting: Setting): string {
  switch (setting.kind) {
    case "text":
      return JSON.stringify(setting.value);
    case "number":
    case "bool":
    case "json":
    case "yaml":
      return setting.json;
    case "git":
      return `${setting.remote}#${setting.ref}${setting.subdir === undefined ? "" : `:${setting.subdir}`}`;
    case "directory":
    case "file":
    case "socket":
      return setting.path;
    case "secret":
      return setting.from;
    case "container":
      return setting.ref;
    case "output":
      return formatReference(setting);
  }
}
