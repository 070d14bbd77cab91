// docs/errors.md lists every code that a user may see, and no others.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const repository = fileURLToPath(new URL("../..", import.meta.url));

function sources(dir: string): string[] {
  const entries = readdirSync(join(repository, dir), { recursive: true, encoding: "utf8" });
  return entries.filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts")).map((name) => join(repository, dir, name));
}

/** Codes are kebab-case words behind `code:`, here and in the tables of the CUE shim's findings. */
function codesInCode(): Set<string> {
  const codes = new Set<string>();
  for (const file of ["compiler", "runtime", "engine", "cli"].flatMap(sources)) {
    const text = readFileSync(file, "utf8");
    for (const [, code] of text.matchAll(/\bcode: "([a-z]+(?:-[a-z0-9]+)+)"/g)) codes.add(code as string);
  }
  return codes;
}

test("every error code that the code can give is in docs/errors.md", () => {
  const page = readFileSync(join(repository, "docs/errors.md"), "utf8");
  const missing = [...codesInCode()].filter((code) => !page.includes(`\`${code}\``)).sort();
  assert.deepEqual(missing, []);
});

test("every code of docs/errors.md stands in the code", () => {
  const page = readFileSync(join(repository, "docs/errors.md"), "utf8");
  const rows = page.split("\n").filter((line) => line.startsWith("| `"));
  const listed = rows.flatMap((row) => [...(row.split("|")[1] ?? "").matchAll(/`([a-z0-9-]+)`/g)].map(([, code]) => code as string));
  const everything = ["compiler", "runtime", "engine", "cli"]
    .flatMap(sources)
    .map((file) => readFileSync(file, "utf8"))
    .join("\n");
  const shim = readdirSync(join(repository, "runtime/cue/shim"))
    .filter((name) => name.endsWith(".go"))
    .map((name) => readFileSync(join(repository, "runtime/cue/shim", name), "utf8"))
    .join("\n");
  // A missing program's code is made of its name.
  const made = (code: string): boolean =>
    everything.includes("`${program}-missing`") && everything.includes(`"${code.replace(/-missing$/, "")}"`);
  const gone = listed.filter((code) => !everything.includes(`"${code}"`) && !made(code) && !shim.includes(`"${code}"`)).sort();
  assert.deepEqual(gone, []);
});

test("messages and hints begin with a capital letter or a name of the config, and end without a full stop", () => {
  const wrong: string[] = [];
  const files = ["compiler", "runtime", "engine", "cli"].flatMap(sources);
  for (const file of files) {
    readFileSync(file, "utf8")
      .split("\n")
      .forEach((line, index) => {
        for (const [, text = ""] of line.matchAll(/\b(?:message|hint)(?::| =) (["`](?:[^"`\\]|\\.)*["`])/g)) {
          if (/^["`][a-z]+ /.test(text) || /[^.…]\.["`]$/.test(text)) wrong.push(`${file}:${index + 1} ${text}`);
        }
      });
  }
  assert.deepEqual(wrong, []);
});
