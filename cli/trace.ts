// Where in the sources an error comes from, for --debug. The bundle's names are short, so places in it are looked up in its source map.
import { readFileSync } from "node:fs";
import { SourceMap } from "node:module";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";

/** The stack of an error and of its causes. */
export function trace(error: unknown): string {
  const parts: string[] = [];
  for (let cause: unknown = error, depth = 0; cause !== undefined && depth < 10; depth++) {
    parts.push(cause instanceof Error ? (cause.stack ?? cause.message) : String(cause));
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return `${inSources(parts.join("\ncaused by: "), fileURLToPath(import.meta.url))}\n`;
}

/** A stack with places in `bundle` (the path of a file beside its map) said as places in the sources; as it is when there is no map. */
export function inSources(stack: string, bundle: string): string {
  const name = basename(bundle);
  if (!stack.includes(`${name}:`)) return stack;
  const map = readMap(`${bundle}.map`);
  if (map === undefined) return stack;
  const escaped = name.replace(/[.]/g, "\\$&");
  const place = new RegExp(`(?:[^\\s()]*[/\\\\])?${escaped}:(\\d+):(\\d+)`, "g");
  return stack.replace(place, (whole, line: string, column: string) => {
    const found = map.findEntry(Number(line) - 1, Number(column) - 1);
    if (!("originalSource" in found)) return whole;
    const source = found.originalSource.replace(/^(?:\.\.\/)+/, "");
    return `${source}:${found.originalLine + 1}:${found.originalColumn + 1}`;
  });
}

function readMap(path: string): SourceMap | undefined {
  try {
    return new SourceMap(JSON.parse(readFileSync(path, "utf8")) as ConstructorParameters<typeof SourceMap>[0]);
  } catch {
    return undefined;
  }
}
