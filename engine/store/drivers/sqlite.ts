// SQLite: a file of the workspace. Node's interface to it is synchronous, so transactions are short and nobody waits inside of SQLite.
import { closeSync, existsSync, fdatasyncSync, openSync, statSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { DatabaseSync, type DatabaseSyncInstance, type StatementSyncInstance } from "@photostructure/sqlite";
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  sql,
} from "kysely";
import { threadBeside } from "../../../runtime/beside.ts";
import { backUp, isDue } from "./copy.ts";
import type { Dialect, Fault } from "./dialect.ts";
import { told } from "./faults.ts";

/** Makes the directory. Opening finds out at once whether the file can be written and is a database. */
export async function openSqlite(file: string): Promise<Dialect> {
  const connection = await connectTo(file);
  return {
    kysely: {
      createDriver: () => new SqliteDriver(connection),
      createQueryCompiler: () => new SqliteQueryCompiler(),
      createAdapter: () => new SqliteAdapter(),
      createIntrospector: (db) => new SqliteIntrospector(db),
    },
    place: file,
    types: { int: sql`integer`, bytes: sql`blob` },
    list: (json) => sql`(select value as item from json_each(${json})) as list`,
    clock: sql<number>`cast(unixepoch('subsec') * 1000 as integer)`,
    locksRows: false,
    // A writer that began as a reader could find that another wrote meanwhile, and would have to start over.
    begin: { read: "begin deferred", write: "begin immediate" },
    settle: async (db, isNew) => {
      // Before the first table: room of deleted rows can then be given back.
      if (isNew) await sql`pragma auto_vacuum = incremental`.execute(db);
      // Readers and a writer do not wait for each other. The file keeps it, and then has its log beside it; a backup that was put in its place does not.
      if (!connection.hasLog()) await sql`pragma journal_mode = wal`.execute(db);
      // A commit survives the end of every process; what has to survive a loss of power waits for `flush`. Without a log, commits wait themselves.
      connection.database.exec(`pragma synchronous = ${connection.hasLog() ? "normal" : "full"}`);
    },
    flush: async () => connection.flushLog(),
    lockFormat: async () => {},
    fault: (error) => faultOf(error, file),
    shrink: async (db) => {
      await sql`pragma incremental_vacuum`.execute(db);
    },
    backup: async (_, now, always) => backUp(connection.database, file, now, always),
    backupBeside: async (now) => {
      if (isDue(file, now)) await copyInThread(file, now);
    },
  };
}

async function connectTo(file: string): Promise<Connection> {
  try {
    await mkdirs(resolve(dirname(file)));
    return new Connection(file);
  } catch (error) {
    throw told(faultOf(error, file), file, error);
  }
}

/** Rejects with what goes wrong. */
async function copyInThread(file: string, now: number): Promise<void> {
  const thread = threadBeside(import.meta.url, "copy-worker", { workerData: { file, now } });
  const failure = await new Promise<string>((resolve, reject) => {
    thread.once("message", resolve).once("error", reject);
    thread.once("exit", (code) => reject(new Error(`the thread ended with exit code ${code}`)));
  });
  if (failure !== "") throw new Error(failure);
}

/** One after the other: asked for all at once, Node says of a read-only file system that a directory is not there. */
async function mkdirs(dir: string): Promise<void> {
  if (existsSync(dir)) return;
  await mkdirs(dirname(dir));
  await mkdir(dir).catch((error: NodeJS.ErrnoException) => {
    // Another process was faster.
    if (error.code !== "EEXIST") throw error;
  });
}

/** How many prepared statements are kept: there are a few dozen kinds of queries. */
const keptStatements = 100;

/** Told by its text where that is enough: asking the statement makes an object of each column. Asked for rows, others lose the codes of errors. */
function givesRows(text: string, statement: StatementSyncInstance): boolean {
  return /^(select|with) | returning /.test(text) || (text.startsWith("pragma ") && statement.columns().length > 0);
}

/** Bytes of the log beyond which closing empties it. SQLite itself empties it now and then, at four megabytes. */
const longLog = 1024 * 1024;

class Connection implements DatabaseConnection {
  readonly database: DatabaseSyncInstance;
  readonly #logFile: string;
  readonly #prepared = new Map<string, StatementSyncInstance>();

  constructor(file: string) {
    this.#logFile = `${file}-wal`;
    this.database = new DatabaseSync(file, { timeout: 0 });
  }

  #prepare(text: string): StatementSyncInstance {
    const known = this.#prepared.get(text);
    if (known !== undefined) return known;
    const statement = this.database.prepare(text);
    if (this.#prepared.size === keptStatements) this.#prepared.clear();
    this.#prepared.set(text, statement);
    return statement;
  }

  /** Whether commits go into a log before they go into the file; known once the file was read. */
  hasLog(): boolean {
    return existsSync(this.#logFile);
  }

  logBytes(): number {
    return attempt(() => statSync(this.#logFile).size) ?? 0;
  }

  /** SQLite's locks are not on this file. At once: starting the threads that could wait for the disk takes longer than the disk. */
  flushLog(): void {
    if (!this.hasLog()) return;
    const log = openSync(this.#logFile, "r");
    try {
      fdatasyncSync(log);
    } finally {
      closeSync(log);
    }
  }

  async executeQuery<Row>({ sql: text, parameters }: CompiledQuery): Promise<QueryResult<Row>> {
    const statement = this.#prepare(text);
    const values = parameters as never[];
    if (givesRows(text, statement)) return { rows: statement.all(...values) as Row[] };
    return { rows: [], numAffectedRows: BigInt(statement.run(...values).changes) };
  }

  // biome-ignore lint/correctness/useYield: Kysely's interface asks for it; nothing here streams.
  async *streamQuery<Row>(): AsyncIterableIterator<QueryResult<Row>> {
    throw new Error("The store does not stream");
  }
}

/** One connection, used by one after the other. */
class SqliteDriver implements Driver {
  readonly #connection: Connection;
  #turn: Promise<void> = Promise.resolve();
  #done: () => void = () => {};

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    const before = this.#turn;
    let done = (): void => {};
    this.#turn = new Promise((resolve) => {
      done = resolve;
    });
    await before;
    this.#done = done;
    return this.#connection;
  }

  async releaseConnection(): Promise<void> {
    this.#done();
  }

  // Transactions are begun by database.ts, which knows of what kind they are.
  async beginTransaction(): Promise<void> {}
  async commitTransaction(): Promise<void> {}
  async rollbackTransaction(): Promise<void> {}

  async destroy(): Promise<void> {
    // What is in the log of writes is as safe there, and moving it takes two waits for the disk: only a long run does it at its end.
    if (this.#connection.logBytes() > longLog) attempt(() => this.#connection.database.exec("pragma wal_checkpoint(truncate)"));
    this.#connection.database.close();
  }
}

/** SQLite's primary result codes. */
const codes = { perm: 3, busy: 5, locked: 6, readOnly: 8, io: 10, corrupt: 11, full: 13, cannotOpen: 14, notADatabase: 26 };

function faultOf(error: unknown, file: string): Fault {
  const why = error instanceof Error ? error.message : String(error);
  const code = codeOf(error);
  const tell = (code: string, message: string, hint: string): Fault => ({ kind: "told", code, message, hint });
  const state = resolve(dirname(file));
  if (code === codes.busy || code === codes.locked) return { kind: "busy", why: "another process is writing" };
  if (code === codes.corrupt || code === codes.notADatabase) {
    const hint = "Put its newest backup in its place: dagger history restore";
    return tell("store-corrupt", `The store ${file} is damaged: ${why}`, hint);
  }
  if (code === codes.full || code === "ENOSPC" || code === "EDQUOT") {
    return tell("store-full", `The store ${file} cannot grow: the disk is full`, `Make room on the file system of ${state}`);
  }
  const refused = code === codes.readOnly || code === codes.perm || code === "EACCES" || code === "EROFS" || code === "EPERM";
  if (refused || (code === codes.cannotOpen && isFile(file))) {
    const hint = `Make ${state} writable for the user that runs dagger`;
    return tell("store-read-only", `The store ${file} cannot be written: ${why}`, hint);
  }
  if (code === codes.io || code === codes.cannotOpen || typeof code === "string") {
    return tell("store-unreachable", `The store ${file} cannot be used: ${why}`, `Check the file system of ${state}`);
  }
  return { kind: "bug", why };
}

/** What SQLite says of these codes: not every error of the driver has its code. */
const texts: Readonly<Record<string, number>> = {
  "database is locked": codes.busy,
  "database table is locked": codes.locked,
  "attempt to write a readonly database": codes.readOnly,
  "disk I/O error": codes.io,
  "database disk image is malformed": codes.corrupt,
  "database or disk is full": codes.full,
  "unable to open database file": codes.cannotOpen,
  "file is not a database": codes.notADatabase,
};

function codeOf(error: unknown): number | string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { sqliteCode, code } = error as { sqliteCode?: number; code?: string };
  if (sqliteCode !== undefined) return sqliteCode & 0xff;
  return code === undefined || code === "ERR_SQLITE_ERROR" ? texts[error.message] : code;
}

/** SQLite says of a file whose directory cannot be written only that it cannot be opened. */
const isFile = (file: string): boolean => attempt(() => statSync(file).isFile()) ?? false;

function attempt<T>(ask: () => T): T | undefined {
  try {
    return ask();
  } catch {
    return undefined;
  }
}
