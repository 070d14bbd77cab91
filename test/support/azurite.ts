// Starts a private, real server of Azure Blob Storage (Azurite, over a directory) for a test.
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { freePort, listens, type ServerProcess, serverDir, startServer } from "./server.ts";

export interface AzuriteServer extends ServerProcess {
  /** The URL of its one account: `http://127.0.0.1:PORT/ACCOUNT`. */
  readonly url: string;
  readonly account: string;
  /** Base64, as Azure gives keys. */
  readonly key: string;
}

const installed = fileURLToPath(new URL("../../dist/azurite", import.meta.url));
const program = path.join(installed, "node_modules", "azurite", "dist", "src", "blob", "main.js");

/** Needs what `make azurite` installs. */
export async function startAzurite(): Promise<AzuriteServer> {
  if (!fs.existsSync(program)) throw new Error(`${program} is missing: run make azurite`);
  const dir = serverDir("azurite");
  const port = await freePort();
  const account = "testaccount";
  const key = Buffer.from("a key of the tests, with / and + in base64: \xff\xfe\xfb\xef\xbe", "latin1").toString("base64");
  const server = await startServer({
    name: "azurite",
    program: process.execPath,
    args: [
      program,
      "--blobHost",
      "127.0.0.1",
      "--blobPort",
      String(port),
      "--location",
      dir,
      "--skipApiVersionCheck",
      "--disableTelemetry",
    ],
    dir,
    env: { AZURITE_ACCOUNTS: `${account}:${key}` },
    answers: () => listens(port),
  });
  return { ...server, url: `http://127.0.0.1:${port}/${account}`, account, key };
}
