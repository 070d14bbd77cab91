// Events and logs of runs: rows of many entries each. A run that tells too much keeps its beginning and its end.
import type { Cut, JournalPage, Numbered, RunKey } from "../records.ts";
import type { Journal, JournalOptions } from "../store.ts";
import { type Codec, pack, unpack } from "./pack.ts";
import type { Db, Tables } from "./schema.ts";
import { ownRun, type Scope, seqOf } from "./scope.ts";

type JournalRow = Tables["journals"];

/** A quarter of a megabyte packs well, and is little to read for one entry. */
const chunkBytes = 256 * 1024;

export function journal<Entry extends object>(scope: Scope, codec: Codec<Entry>, limit: number): Journal<Entry> {
  const append = (key: RunKey, after: number, entries: readonly Entry[]): Promise<number> =>
    scope.database.write(async (db) => {
      const { seq } = await ownRun(db, scope, key);
      const row = await rowOf(db, seq, codec.kind);
      const last = after + entries.length;
      // Tried again after a commit whose answer was lost.
      if (row.last >= last) return last;
      if (row.last !== after) throw new Error(`The journal of run ${key.id} is at ${row.last}, its writer at ${after}`);
      await write(db, row, entries, codec, limit);
      return last;
    });
  const read = (run: string, { after = 0, limit: most = 1000 }: JournalOptions = {}): Promise<JournalPage<Entry>> =>
    scope.database.read(async (db) => {
      const seq = await seqOf(db, scope, run);
      return seq === undefined ? { entries: [], cursor: after, more: false } : readPage(db, seq, codec, after, most);
    });
  return { append, read };
}

async function rowOf(db: Db, run: number, kind: number): Promise<JournalRow> {
  const row = await db.selectFrom("journals").selectAll().where("run", "=", run).where("kind", "=", kind).executeTakeFirst();
  if (row !== undefined) return row;
  return { run, kind, last: 0, kept: 0, head: 0, cut_from: 0, cut_to: 0, cut_bytes: 0, cut_lines: 0 };
}

async function write<Entry>(db: Db, before: JournalRow, entries: readonly Entry[], codec: Codec<Entry>, limit: number): Promise<void> {
  const row = { ...before };
  // With chunks much smaller than the limit, what is kept comes close to it.
  for (const part of split(entries, codec, Math.min(chunkBytes, limit / 8))) {
    const bytes = part.reduce((sum, entry) => sum + codec.size(entry), 0);
    const lines = part.reduce((sum, entry) => sum + codec.lines(entry), 0);
    const chunk = { run: row.run, kind: row.kind, first: row.last + 1, last: row.last + part.length, bytes, lines };
    await db
      .insertInto("chunks")
      .values({ ...chunk, data: pack(codec.encode(part)) })
      .execute();
    row.last = chunk.last;
    row.kept += bytes;
    if (row.cut_to === 0 && row.kept <= limit / 2) row.head = row.last;
    if (row.kept > limit) await cut(db, row, limit);
  }
  const { run: _run, kind: _kind, ...changed } = row;
  const there = db.insertInto("journals").values(row);
  await there.onConflict((is) => is.columns(["run", "kind"]).doUpdateSet(changed)).execute();
}

function* split<Entry>(entries: readonly Entry[], codec: Codec<Entry>, most: number): Generator<Entry[]> {
  let part: Entry[] = [];
  let bytes = 0;
  for (const entry of entries) {
    const size = codec.size(entry);
    if (part.length > 0 && bytes + size > most) {
      yield part;
      [part, bytes] = [[], 0];
    }
    part.push(entry);
    bytes += size;
  }
  if (part.length > 0) yield part;
}

/** Deletes the oldest chunks behind the beginning until the limit is kept; notes in `row` what is gone. */
async function cut(db: Db, row: JournalRow, limit: number): Promise<void> {
  const chunks = db.selectFrom("chunks").where("run", "=", row.run).where("kind", "=", row.kind);
  while (row.kept > limit) {
    // Not from `head` on each time: PostgreSQL would pass by all that was deleted before.
    const behind = chunks.where("first", ">", Math.max(row.head, row.cut_to));
    const oldest = await behind.select(["first", "last", "bytes", "lines"]).orderBy("first").limit(1).executeTakeFirst();
    if (oldest === undefined) return;
    await db.deleteFrom("chunks").where("run", "=", row.run).where("kind", "=", row.kind).where("first", "=", oldest.first).execute();
    row.kept -= oldest.bytes;
    row.cut_from ||= oldest.first;
    row.cut_to = oldest.last;
    row.cut_bytes += oldest.bytes;
    row.cut_lines += oldest.lines;
  }
}

async function readPage<Entry extends object>(
  db: Db,
  run: number,
  codec: Codec<Entry>,
  after: number,
  most: number,
): Promise<JournalPage<Entry>> {
  const row = await db.selectFrom("journals").selectAll().where("run", "=", run).where("kind", "=", codec.kind).executeTakeFirst();
  if (row === undefined) return { entries: [], cursor: after, more: false };
  const entries: Numbered<Entry>[] = [];
  let cursor = after;
  while (entries.length < most && cursor < row.last) {
    const chunk = await db
      .selectFrom("chunks")
      .selectAll()
      .where("run", "=", run)
      .where("kind", "=", codec.kind)
      .where("last", ">", cursor)
      .orderBy("first")
      .limit(1)
      .executeTakeFirst();
    if (chunk === undefined) break;
    const numbered = codec.decode(unpack(chunk.data)).map((entry, at) => ({ ...entry, seq: chunk.first + at }));
    entries.push(...numbered.filter(({ seq }) => seq > cursor).slice(0, most - entries.length));
    cursor = entries.at(-1)?.seq ?? chunk.last;
  }
  // Everything behind the beginning may be gone, if its last entry alone was larger than the limit.
  if (entries.length < most) cursor = Math.max(cursor, row.last);
  const gone = cutOf(row, after, cursor);
  return { entries, cursor, more: cursor < row.last, ...(gone === undefined ? {} : { cut: gone }) };
}

function cutOf(row: JournalRow, after: number, cursor: number): Cut | undefined {
  if (row.cut_to === 0 || row.cut_to <= after || row.cut_from > cursor) return undefined;
  return { from: row.cut_from, to: row.cut_to, bytes: row.cut_bytes, lines: row.cut_lines };
}
