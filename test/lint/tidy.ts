// Checks what no linter knows: every file tells its job on its first line, stays short, and names no machine of ours.
import { execFileSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { basename, extname } from "node:path";
import { fileURLToPath } from "node:url";

/** A file past this many lines hides a second thing (docs/architecture.md); generated and recorded files are not counted. */
export const longest = 400;

const comment: Readonly<Record<string, RegExp>> = {
  ".ts": /^\/\/ \S/,
  ".js": /^\/\/ \S/,
  ".cjs": /^\/\/ \S/,
  ".mjs": /^\/\/ \S/,
  ".go": /^\/\/ \S/,
  ".cue": /^\/\/ \S/,
  ".sh": /^# \S/,
  ".txtar": /^# \S/,
  Makefile: /^# \S/,
  Dockerfile: /^# \S/,
};

// Written so that this file does not find itself.
const forbidden: readonly { readonly pattern: RegExp; readonly what: string }[] = [
  { pattern: /(?<![\w.$}-])\/(?:work|workspace)\/(?:main|shared|repo)\b/, what: "a path of one machine" },
  { pattern: /(?<![\w.$}-])\/home\/(?!user\b|me\b|app\b)[a-z]\w*\//, what: "somebody's home directory" },
  {
    pattern: /\b(?:registry[.]npmjs|proxy[.]golang|sum[.]golang|deb[.]debian|security[.]debian)[.]/,
    what: "the host of a package registry",
  },
];

/** All findings about one file, as `path:line: what`; `path` is relative to the repository. */
export function findings(path: string, text: string): string[] {
  const lines = text.split("\n");
  const found: string[] = [];
  const pattern = comment[extname(path)] ?? comment[basename(path)];
  if (pattern) {
    const first = lines[0]?.startsWith("#!") ? 1 : 0;
    if (!pattern.test(lines[first] ?? "")) found.push(`${path}:${first + 1}: the first line must be a comment that tells the file's job`);
    const count = text.endsWith("\n") ? lines.length - 1 : lines.length;
    if (count > longest) found.push(`${path}:${longest + 1}: ${count} lines: past ${longest}, a second thing is hiding here`);
  }
  for (const [index, line] of lines.entries()) {
    for (const { pattern: host, what } of forbidden) if (host.test(line)) found.push(`${path}:${index + 1}: names ${what}`);
  }
  return found;
}

/** Files that are in git or would be added to it. */
function repositoryFiles(root: string): string[] {
  const listed = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], { cwd: root, encoding: "utf8" });
  return [...new Set(listed.split("\0"))].filter((path) => path !== "" && statSync(`${root}/${path}`, { throwIfNoEntry: false })?.isFile());
}

function main(root: string): number {
  const found = repositoryFiles(root).flatMap((path) => {
    const bytes = readFileSync(`${root}/${path}`);
    return bytes.includes(0) ? [] : findings(path, bytes.toString("utf8"));
  });
  for (const line of found) console.error(line);
  return found.length === 0 ? 0 : 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = main(process.cwd());
