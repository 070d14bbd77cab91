// What a state takes from the config of an image (OCI image spec, JSON).
import type { Platform } from "../../graph/vertex.ts";
import { normalizePlatform } from "../platform.ts";
import { nextDir } from "./exec.ts";
import type { Made, Values } from "./filesystem.ts";
import { invalid } from "./options.ts";

/** `made` with the environment, working directory and platform of an image. Throws UserError `llb-invalid` when it is no config. */
export function withImageConfig(made: Made, config: Uint8Array): Made {
  const image = parse(config);
  const { Env: list = null, WorkingDir: workingDir = "" } = field(image, "config") ?? {};
  let env = made.values.env;
  for (const entry of Array.isArray(list) ? list : []) {
    const [name, value] = cut(String(entry));
    if (name !== "") env = env.with(name, value);
  }
  const platform = toPlatform(image);
  const values: Values = { ...made.values, env, dir: nextDir(made.values.dir, String(workingDir)) };
  return { ...made, values: platform === undefined ? values : { ...values, platform } };
}

type Json = Readonly<Record<string, unknown>>;

function parse(config: Uint8Array): Json {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(config));
  } catch (cause) {
    throw invalid(`The image config is no JSON: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
  if (!isObject(value)) throw invalid("The image config is no JSON object");
  return value;
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function field(object: Json, name: string): Json | undefined {
  const value = object[name];
  return isObject(value) ? value : undefined;
}

function toPlatform(image: Json): Platform | undefined {
  const text = (name: string): string => (typeof image[name] === "string" ? image[name] : "");
  const features = image["os.features"];
  if (text("os") === "" || text("architecture") === "") return undefined;
  return normalizePlatform({
    os: text("os"),
    architecture: text("architecture"),
    variant: text("variant"),
    osVersion: text("os.version"),
    osFeatures: Array.isArray(features) ? features.map(String) : [],
  });
}

function cut(entry: string): [name: string, value: string] {
  const at = entry.indexOf("=");
  return at < 0 ? [entry, ""] : [entry.slice(0, at), entry.slice(at + 1)];
}
