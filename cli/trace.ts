// Where in the sources an error comes from, for --debug. The bundle's names are short, so places in it are looked up in its source map.
import { readFileSync } from "node:fs";
import { SourceMap } from "node:module";
import { dirname, join } from "node:path";
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

/** A stack with places in `bundle` (the path of a file beside its map), or in files beside it that have maps, said as places in the sources. */
export function inSources(stack: string, bundle: string): string {
  const maps = new Map<string, SourceMap | undefined>();
  return stack.replace(/(?:[^\s()]*[/\\])?([\w.-]+[.]cjs):(\d+):(\d+)/g, (whole, name: string, line: string, column: string) => {
    if (!maps.has(name)) maps.set(name, readMap(join(dirname(bundle), `${name}.map`)));
    const found = maps.get(name)?.findEntry(Number(line) - 1, Number(column) - 1);
    if (found === undefined || !("originalSource" in found)) return whole;
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
