// Follow paths: paths that the daemon wants together with whatever their symlinks lead to, resolved into include patterns.
import fs from "node:fs";
import path from "node:path";
import { cleanPath, Matcher } from "./patterns.ts";
import { sortNames } from "./walk.ts";

/**
 * The include patterns for `follow`: each path, every symlink on its way, and the targets, all inside `root` (absolute targets too).
 * Undefined when the root itself is among them: then nothing is filtered.
 */
export function followPaths(root: string, follow: readonly string[]): string[] | undefined {
  const resolved = new Set<string>();
  for (const wanted of follow) resolve(root, wanted, resolved);
  return withoutNested(sortNames([...resolved]));
}

/** Drops paths below another one of the list; undefined when the root is in it. */
function withoutNested(sorted: readonly string[]): string[] | undefined {
  const out: string[] = [];
  for (const next of sorted) {
    if (next === ".") return undefined;
    if (out.length === 0 || !next.startsWith(`${out.at(-1) as string}/`)) out.push(next);
  }
  return out;
}

function resolve(root: string, wanted: string, resolved: Set<string>): void {
  const parts = inside(wanted).split("/");
  let current = ".";
  for (let i = 0; i < parts.length; i++) {
    current = cleanPath(`${current}/${parts[i] as string}`);
    const rest = parts.slice(i + 1).join("/");
    const targets = readLinks(root, current);
    if (targets.length === 0 && rest !== "") continue;
    if (resolved.has(current)) return;
    resolved.add(current);
    for (const target of targets) resolve(root, rest === "" ? target : `${target}/${rest}`, resolved);
    if (targets.length > 0) return;
  }
}

/** Where the symlinks that `where` names lead to; its last part may be a pattern. Empty when there is no symlink. */
function readLinks(root: string, where: string): string[] {
  const base = path.posix.basename(where);
  if (!/[*?[]/.test(base.replace(/\\./g, ""))) return readLink(root, where);
  const dir = path.posix.dirname(where);
  const matcher = new Matcher([base]);
  return names(path.join(root, dir))
    .filter((name) => matcher.matches(name))
    .flatMap((name) => readLink(root, cleanPath(`${dir}/${name}`)));
}

function readLink(root: string, where: string): string[] {
  if (where === ".") return [];
  try {
    const target = fs.readlinkSync(path.join(root, where));
    return [target.startsWith("/") ? target : `${path.posix.dirname(where)}/${target}`];
  } catch {
    return []; // no symlink, or not there at all: the pattern then matches what there is
  }
}

function names(dir: string): string[] {
  try {
    return sortNames(fs.readdirSync(dir));
  } catch {
    return [];
  }
}

/** A path as seen from the root: `..` ends there, as in a container. */
function inside(wanted: string): string {
  return cleanPath(`/${wanted}`).slice(1) || ".";
}
