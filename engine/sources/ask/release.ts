// Versions of releases: what a JSON document lists, with a field that tells builds apart. It takes the place of HockeyApp's lists.
import { hash } from "node:crypto";
import { httpRequest, readBody } from "../../../runtime/http.ts";
import { isObject } from "../../workspace/json-file.ts";
import type { Source } from "../source.ts";
import type { Answer, AskScope, Seen } from "../versions.ts";
import { gone, unreachable } from "./errors.ts";

const longest = 16 << 20;
/** Fields that lists have for the same thing. */
const builds = ["build", "version", "number", "tag_name", "id"];
const addresses = ["url", "download_url", "build_url", "browser_download_url"];
const digests = ["digest", "sha256", "md5", "sha1"];

export async function askRelease(source: Source, { env, signal }: AskScope): Promise<Answer> {
  const { name, location } = source;
  const text = await fetched(source, env, signal);
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch (error) {
    throw gone(name, `${location} gives no JSON: ${(error as Error).message}`);
  }
  const list = Array.isArray(data) ? data : isObject(data) ? Object.values(data).find((one) => Array.isArray(one)) : undefined;
  const entries = (list as readonly unknown[] | undefined)?.filter(isObject) ?? [];
  if (entries.length === 0) throw gone(name, `${location} lists no releases: expected a list of objects, or an object with one`);
  const seen = entries.map((entry) => seenOf(source, entry)).sort(byBuild);
  const current = seen.at(-1) as Seen;
  return { current, all: seen };
}

async function fetched({ name, location }: Source, env: AskScope["env"], signal: AbortSignal): Promise<string> {
  try {
    const { status, body } = await httpRequest(new URL(location), { headers: { accept: "application/json" }, signal }, env);
    const text = (await readBody(body, longest)).toString("utf8");
    if (status === 404 || status === 410) throw gone(name, `${location} answers with status ${status}`);
    if (status !== 200) throw unreachable(name, `${location} answers with status ${status}`);
    return text;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof Error && "diagnostics" in error) throw error;
    throw unreachable(name, `${new URL(location).host}: ${(error as Error).message}`, error);
  }
}

function seenOf({ name, build: column, location }: Source, entry: Readonly<Record<string, unknown>>): Seen {
  const text = (key: string): string | undefined => {
    const value = entry[key];
    return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
  };
  const first = (keys: readonly string[]): string | undefined => keys.map(text).find((value) => value !== undefined && value !== "");
  const build = column === undefined ? first(builds) : text(column);
  if (build === undefined) throw gone(name, `a release in ${location} has no ${column ?? "build"}`, "Name the field with --build");
  const address = first(addresses);
  const url = address === undefined ? undefined : new URL(address, location).href;
  const rest = Object.fromEntries(Object.keys(entry).flatMap((key) => (text(key) === undefined ? [] : [[key, text(key) as string]])));
  return { id: idOf(entry, [build, url ?? ""]), detail: { ...rest, build, ...(url === undefined ? {} : { url }) } };
}

/** The digest that the list gives; without one, a digest of what it says. */
function idOf(entry: Readonly<Record<string, unknown>>, said: readonly string[]): string {
  for (const key of digests) {
    const value = entry[key];
    if (typeof value !== "string" || value === "") continue;
    const [, algorithm = key, hex = ""] = /^(?:([a-z0-9]+):)?([0-9a-fA-F]{32,128})$/.exec(value) ?? [];
    if (hex !== "") return `${algorithm === "digest" ? "sha256" : algorithm}:${hex.toLowerCase()}`;
  }
  return `sha256:${hash("sha256", JSON.stringify(said))}`;
}

/** Numbers as numbers: build 10 follows build 9. */
function byBuild(a: Seen, b: Seen): number {
  return (a.detail["build"] ?? "").localeCompare(b.detail["build"] ?? "", "en", { numeric: true });
}
