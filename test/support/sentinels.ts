// Looks for known values of secrets, in six encodings, in bytes, in whole directories, and in all that a store remembers.
import assert from "node:assert/strict";
import { createReadStream } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { inflateRawSync } from "node:zlib";
import { DatabaseSync } from "@photostructure/sqlite";
import type { Store, StoreLocation } from "../../engine/store/index.ts";
import { openTestStore } from "./run-store.ts";

/** Plain, in JSON, in a URL, in hex, in base64 and base64url; of those in base64 what stands in them whatever stands around. */
export function formsOf(...values: readonly string[]): readonly Buffer[] {
  return values.flatMap((value) => [
    Buffer.from(value),
    Buffer.from(JSON.stringify(value).slice(1, -1)),
    Buffer.from(encodeURIComponent(value)),
    Buffer.from(Buffer.from(value).toString("hex")),
    Buffer.from(Buffer.from(value).toString("base64").replace(/.=*$/, "")),
    Buffer.from(Buffer.from(value).toString("base64url").replace(/.$/, "")),
  ]);
}

/** `where` is for the message. */
export function assertNone(forms: readonly Buffer[], data: Buffer, where: string): void {
  for (const form of forms) {
    const at = data.indexOf(form);
    if (at === -1) continue;
    assert.fail(`${where} has ${form.toString()} at ${at}: ${data.subarray(Math.max(0, at - 80), at + 120).toString()}`);
  }
}

/** How often files may vanish while a tree is searched: the last user of a database takes some away, and a daemon tidies up. */
const searches = 5;

/**
 * Every byte of every file below `root` for whose path `meant` does not hold. Resolves with how many files that were. All of it is searched
 * again when one of them vanished meanwhile: what was in it may lie in another now.
 */
export async function searchTree(forms: readonly Buffer[], root: string, meant: (path: string) => boolean = () => false): Promise<number> {
  for (let left = searches - 1; ; left--) {
    try {
      return await searchOnce(forms, root, meant);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT" || left === 0) throw error;
    }
  }
}

async function searchOnce(forms: readonly Buffer[], root: string, meant: (path: string) => boolean): Promise<number> {
  let files = 0;
  const overlap = Math.max(...forms.map(({ length }) => length));
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    // A name is as readable as what is in it.
    assertNone(forms, Buffer.from(path), "the name of a file");
    if (!entry.isFile() || meant(path)) continue;
    files++;
    let rest = Buffer.alloc(0);
    for await (const part of createReadStream(path)) {
      const data = Buffer.concat([rest, part as Buffer]);
      assertNone(forms, data, path);
      rest = Buffer.from(data.subarray(-overlap));
    }
  }
  return files;
}

/** Runs SQL, as `TestPostgres.sql` does. */
type Ask = (url: string, text: string) => Promise<string>;

/**
 * Every column of every row of every table of a store of runs, unpacked; and what each run wrote as a whole, since a value may lie in two rows.
 * Resolves with the number of rows.
 */
export async function searchStore(forms: readonly Buffer[], location: StoreLocation, ask?: Ask): Promise<number> {
  const tables = "file" in location ? readSqlite(location.file) : await readPostgres(location.url, ask ?? assert.fail);
  for (const [table, rows] of tables)
    for (const row of rows) for (const column of row) assertNone(forms, unpacked(column), `a row of ${table}`);
  const store = await openTestStore(location);
  try {
    await searchLogs(forms, store);
  } finally {
    await store.close();
  }
  return [...tables.values()].flat().length;
}

async function searchLogs(forms: readonly Buffer[], store: Store): Promise<void> {
  for (let cursor: string | undefined, first = true; first || cursor !== undefined; first = false) {
    const page = await store.runs.list({ limit: 1000, ...(cursor === undefined ? {} : { cursor }) });
    for (const run of page.runs) {
      const told: Buffer[] = [];
      for (let after = 0, more = true; more; ) {
        const logs = await store.logs.read(run.id, { after });
        told.push(...logs.entries.map(({ data }) => Buffer.from(data)));
        ({ cursor: after, more } = logs);
      }
      assertNone(forms, Buffer.concat(told), `the logs of ${run.id}`);
    }
    cursor = page.next;
  }
}

/** `chunks.data` and `blobs.data` begin with a byte that says how the rest is packed. */
function unpacked(column: Buffer): Buffer {
  if (column[0] !== 1) return column;
  try {
    return inflateRawSync(column.subarray(1));
  } catch {
    return column;
  }
}

type Tables = ReadonlyMap<string, readonly (readonly Buffer[])[]>;

function readSqlite(file: string): Tables {
  const database = new DatabaseSync(file);
  try {
    const names = database.prepare("select name from sqlite_master where type = 'table'").all() as { name: string }[];
    return new Map(names.map(({ name }) => [name, database.prepare(`select * from "${name}"`).all().map(columnsOf)]));
  } finally {
    database.close();
  }
}

async function readPostgres(url: string, ask: Ask): Promise<Tables> {
  const names = (await ask(url, "select tablename from pg_tables where schemaname = 'public'")).split("\n");
  const tables = new Map<string, Buffer[][]>();
  for (const name of names) {
    const lines = (await ask(url, `select row_to_json(t) from "${name}" t`)).split("\n").filter((line) => line !== "");
    tables.set(
      name,
      lines.map((line) => columnsOf(JSON.parse(line) as object)),
    );
  }
  return tables;
}

/** Text, numbers, and bytes, which PostgreSQL gives as `\\x` and hex. */
const columnsOf = (row: object): Buffer[] =>
  Object.values(row).map((value: unknown) => {
    if (value instanceof Uint8Array) return Buffer.from(value);
    const text = typeof value === "string" ? value : JSON.stringify(value);
    return /^\\x[0-9a-f]*$/.test(text) ? Buffer.from(text.slice(2), "hex") : Buffer.from(text);
  });
