// Names of modules: paths, major versions, semantic versions, and how CUE writes them as file names.

/** One version of a module. */
export interface ModuleVersion {
  /** Without the major version, e.g. `example.com/lib`. */
  readonly path: string;
  /** Canonical, e.g. `v1.2.3`. */
  readonly version: string;
}

const number = "(?:0|[1-9][0-9]*)";
const part = `(?:${number}|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*)`;
const semver = new RegExp(`^v(${number})\\.(${number})\\.(${number})(?:-(${part}(?:\\.${part})*))?$`);

/** `v1.2.3`, also with a pre-release; build metadata is no part of a module's version. */
export function isVersion(version: string): boolean {
  return semver.test(version);
}

/** `v1` of `v1.2.3`. */
export function majorOf(version: string): string {
  return version.split(".", 1)[0] as string;
}

/** `example.com/lib@v1`, the name under which versions of a module are chosen. */
export function nameOf({ path, version }: ModuleVersion): string {
  return `${path}@${majorOf(version)}`;
}

/** By precedence of semantic versions: negative when `a` is older. */
export function compareVersions(a: string, b: string): number {
  const [x, y] = [semver.exec(a), semver.exec(b)];
  if (!x || !y) return x ? 1 : y ? -1 : 0;
  for (const i of [1, 2, 3]) {
    const order = compareNumbers(x[i] as string, y[i] as string);
    if (order !== 0) return order;
  }
  if (x[4] === undefined || y[4] === undefined) return x[4] === y[4] ? 0 : x[4] === undefined ? 1 : -1;
  return comparePrereleases(x[4].split("."), y[4].split("."));
}

function comparePrereleases(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const [x, y] = [a[i] as string, b[i] as string];
    if (x === y) continue;
    const [xn, yn] = [/^\d+$/.test(x), /^\d+$/.test(y)];
    if (xn && yn) return compareNumbers(x, y);
    return xn ? -1 : yn ? 1 : x < y ? -1 : 1;
  }
  return a.length - b.length;
}

/** Of any length: they need not fit a number. */
function compareNumbers(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
}

/** `example.com/lib@v1` is a path and a major version, or a version where one is written out. */
export function splitModule(name: string): { readonly path: string; readonly version?: string } {
  const at = name.lastIndexOf("@");
  return at < 0 ? { path: name } : { path: name.slice(0, at), version: name.slice(at + 1) };
}

/** Why a module path (without its version) is not one; undefined when it is. */
export function pathProblem(path: string): string | undefined {
  const first = path.split("/", 1)[0] as string;
  if (first === "") return "it starts with a slash";
  if (!first.includes(".")) return "its first element has no dot";
  if (!/^[a-z0-9.-]+$/.test(first) || first.startsWith("-")) return "its first element is no host name in lower case";
  if (!/^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/.test(path)) {
    return "its elements are lower-case letters and digits, with single dots, dashes and underscores between them";
  }
  return undefined;
}

/** As a file name that is safe where case does not count: `v1.0.0-RC1` is `v1.0.0-!r!c1`. */
export function escapeName(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => `!${letter.toLowerCase()}`);
}
