// The thread that copies a SQLite store that stays open: with a connection of its own, which sees one state of it, and lets writers go on.
import { parentPort, workerData } from "node:worker_threads";
import { DatabaseSync } from "@photostructure/sqlite";
import { backUp } from "./copy.ts";

const { file, now } = workerData as { readonly file: string; readonly now: number };

async function copy(): Promise<string> {
  const database = new DatabaseSync(file, { readOnly: true, timeout: 5000 });
  try {
    await backUp(database, file, now, false);
    return "";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    database.close();
  }
}

// No await at the top: the bundle has no ES modules.
void copy().then((failure) => parentPort?.postMessage(failure));
