// docs/packages has a page for every package of the library, as `dagger doc PACKAGE --output markdown` prints it.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { DocField, PackageDoc } from "../engine/index.ts";
import { memoryIo } from "../test/support/memory-io.ts";
import { run } from "./run.ts";

const library = join(import.meta.dirname, "../packages");
const pages = join(import.meta.dirname, "../docs/packages");
const update = process.env["UPDATE"] === "1";
// Packages of other places, such as the first public dialect, are described in pages of their own.
const names = readdirSync(library).filter((name) => !name.includes("."));

async function doc(name: string, output: string): Promise<string> {
  const io = memoryIo();
  assert.equal(await run(["doc", name, "--output", output], io, new AbortController().signal), 0, io.stderr.text);
  return io.stdout.text;
}

for (const name of names) {
  test(`docs/packages/${name}.md says what the comments of the package say; UPDATE=1 rewrites it`, async () => {
    const page = `<!-- Made from packages/${name} by: UPDATE=1 node --import tsx --test cli/packages.test.ts -->\n\n${await doc(name, "markdown")}`;
    const file = join(pages, `${name}.md`);
    if (update) {
      mkdirSync(pages, { recursive: true });
      writeFileSync(file, page);
    } else assert.equal(existsSync(file) ? readFileSync(file, "utf8") : "", page);
  });
}

test("there is no page of a package that is not there", () => {
  for (const page of readdirSync(pages)) assert.ok(names.includes(page.replace(/\.md$/, "")), page);
});

test("every package says what it does; every definition and every input of it is described", async () => {
  const silent: string[] = [];
  for (const name of names) {
    const { doc: text, fields } = JSON.parse(await doc(name, "json")) as PackageDoc;
    if (text === "") silent.push(name);
    const check = (field: DocField, path: string): void => {
      // What an op is called, and whatever else is given, is no input.
      const given = field.mark === "" && /^"[^"]*"$/.test(field.type) && field.default === "";
      if (field.doc === "" && !given) silent.push(path);
      for (const one of field.fields ?? []) check(one, `${path}.${one.name}`);
    };
    for (const field of fields) check(field, `${name}.${field.name}`);
  }
  assert.deepEqual(silent, []);
});
