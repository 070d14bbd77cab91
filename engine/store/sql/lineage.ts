// Versions of sources and computations of nodes, and the edges between them: what each was made from is one recursive query.
import { sql } from "kysely";
import type { Datum, DatumEdge, DatumKey, Json, Lineage, NewDatum } from "../records.ts";
import type { DatumOptions, Lineages } from "../store.ts";
import { draw } from "./database.ts";
import { requireHeld } from "./leases.ts";
import type { DatumRow, Db } from "./schema.ts";
import type { Scope } from "./scope.ts";

/** Rows of one statement: databases count its parameters. */
const rowsAtOnce = 500;

export function lineages(scope: Scope): Lineages {
  const { database, tenant } = scope;
  return {
    record: async (data, edges = [], lease) => {
      const time = scope.now();
      await database.write(
        async (db) => {
          if (lease !== undefined) await requireHeld(db, scope, lease);
          await putEdges(db, tenant, edges, await putData(db, tenant, data, time));
        },
        { durable: true },
      );
    },
    get: (key) =>
      database.read(async (db) => {
        const row = await one(db, tenant, key);
        return row === undefined ? undefined : datumOf(row);
      }),
    newest: (kind, names) =>
      database.read(async (db) => {
        const found: Datum[] = [];
        for (const name of names) found.push(...(await list(db, tenant, { kind, name }, { limit: 1 })).map(datumOf));
        return found;
      }),
    list: (of, options = {}) => database.read(async (db) => (await list(db, tenant, of, options)).map(datumOf)),
    trace: (key) => database.read((db) => trace(db, tenant, key)),
  };
}

/** Gives the numbers of what was put. */
async function putData(db: Db, tenant: string, data: readonly NewDatum[], time: number): Promise<Map<string, number>> {
  const known = new Map<string, number>();
  // A later one of the same key counts; two in one statement would be refused.
  const unique = [...new Map(data.map((datum) => [keyText(datum), datum])).values()];
  const { value: last } = await draw(db, "datum", 0, unique.length);
  const first = last - unique.length + 1;
  const rows = unique.map(({ kind, name, id, state, run = null, detail }, index) => ({
    seq: first + index,
    seen: first + index,
    tenant,
    kind,
    name,
    id,
    hex: hexOf(id),
    state,
    run,
    detail: JSON.stringify(detail),
    time,
  }));
  for (let at = 0; at < rows.length; at += rowsAtOnce) {
    const put = await db
      .insertInto("data")
      .values(rows.slice(at, at + rowsAtOnce))
      .onConflict((is) =>
        is.columns(["tenant", "kind", "name", "id"]).doUpdateSet((set) => ({
          state: set.ref("excluded.state"),
          run: sql<string>`coalesce(excluded.run, data.run)`,
          detail: set.ref("excluded.detail"),
        })),
      )
      .returningAll()
      .execute();
    for (const row of put) known.set(keyText(keyOf(row)), row.seq);
  }
  for (const [index, { kind, name, id, isCurrent }] of unique.entries()) {
    if (isCurrent !== true) continue;
    const current = db.updateTable("data").set({ seen: first + index });
    await current.where("tenant", "=", tenant).where("kind", "=", kind).where("name", "=", name).where("id", "=", id).execute();
  }
  return known;
}

async function putEdges(db: Db, tenant: string, edges: readonly DatumEdge[], known: Map<string, number>): Promise<void> {
  const seqOf = async (key: DatumKey): Promise<number> => {
    const seq = known.get(keyText(key)) ?? (await one(db, tenant, key))?.seq;
    if (seq === undefined) throw new Error(`there is no ${key.kind} ${key.name}:${key.id}`);
    known.set(keyText(key), seq);
    return seq;
  };
  const rows: { child: number; parent: number; kind: string }[] = [];
  for (const { child, parent, kind } of edges) rows.push({ child: await seqOf(child), parent: await seqOf(parent), kind });
  for (let at = 0; at < rows.length; at += rowsAtOnce) {
    const add = db.insertInto("data_edges").values(rows.slice(at, at + rowsAtOnce));
    await add.onConflict((is) => is.columns(["child", "parent", "kind"]).doNothing()).execute();
  }
}

function one(db: Db, tenant: string, { kind, name, id }: DatumKey): Promise<DatumRow | undefined> {
  const query = db.selectFrom("data").selectAll().where("tenant", "=", tenant).where("kind", "=", kind);
  return query.where("name", "=", name).where("id", "=", id).executeTakeFirst();
}

function list(
  db: Db,
  tenant: string,
  { kind, name }: Pick<DatumKey, "kind" | "name">,
  { prefix, states, limit = 1000 }: DatumOptions,
): Promise<DatumRow[]> {
  return (
    db
      .selectFrom("data")
      .selectAll()
      .where("tenant", "=", tenant)
      .where("kind", "=", kind)
      .where("name", "=", name)
      // Digits and small letters only.
      .$if(prefix !== undefined, (q) => q.where("hex", ">=", prefix ?? "").where("hex", "<", `${prefix ?? ""}~`))
      .$if(states !== undefined, (q) => q.where("state", "in", states ?? []))
      .orderBy("seen", "desc")
      .limit(limit)
      .execute()
  );
}

async function trace(db: Db, tenant: string, key: DatumKey): Promise<Lineage | undefined> {
  const start = await one(db, tenant, key);
  if (start === undefined) return undefined;
  const edges = await db
    .withRecursive("above", (query) =>
      query
        .selectFrom("data_edges")
        .select(["child", "parent", "kind"])
        .where("child", "=", start.seq)
        .union(
          query
            .selectFrom("above")
            .innerJoin("data_edges as next", "next.child", "above.parent")
            .select(["next.child", "next.parent", "next.kind"]),
        ),
    )
    .selectFrom("above")
    .select(["child", "parent", "kind"])
    .execute();
  const seqs = [...new Set([start.seq, ...edges.map(({ parent }) => parent)])];
  const rows: DatumRow[] = [];
  for (let at = 0; at < seqs.length; at += rowsAtOnce) {
    rows.push(
      ...(await db
        .selectFrom("data")
        .selectAll()
        .where("seq", "in", seqs.slice(at, at + rowsAtOnce))
        .execute()),
    );
  }
  rows.sort((a, b) => a.seq - b.seq);
  const keys = new Map(rows.map((row) => [row.seq, keyOf(row)]));
  const named = edges
    .sort((a, b) => a.child - b.child || a.parent - b.parent)
    .flatMap(({ child, parent, kind }) => {
      const [from, to] = [keys.get(child), keys.get(parent)];
      return from === undefined || to === undefined ? [] : [{ child: from, parent: to, kind: kind as DatumEdge["kind"] }];
    });
  return { data: rows.map(datumOf), edges: named };
}

function keyOf({ kind, name, id }: DatumRow): DatumKey {
  return { kind: kind as DatumKey["kind"], name, id };
}

function datumOf(row: DatumRow): Datum {
  const { state, run, time, detail } = row;
  return { ...keyOf(row), state, time, detail: JSON.parse(detail) as Json, ...(run === null ? {} : { run }) };
}

function keyText({ kind, name, id }: DatumKey): string {
  return `${kind}\0${name}\0${id}`;
}

/** `3dd2cc1d…` of `sha1:3dd2cc1d…`, in small letters. */
function hexOf(id: string): string {
  return id.slice(id.indexOf(":") + 1).toLowerCase();
}
