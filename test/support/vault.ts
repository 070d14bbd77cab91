// Starts a private, real Vault server (its core, in memory) for a test, initialised and unsealed through its own API.
import fs from "node:fs";
import https from "node:https";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type ServerProcess, serverDir, startServer } from "./server.ts";

export interface VaultServer extends ServerProcess {
  readonly url: string;
  /** May do everything. */
  readonly rootToken: string;
  /** One call of the API: JSON in and out. Throws for a status of 400 or more. */
  call(method: string, path: string, body?: object): Promise<Readonly<Record<string, unknown>>>;
  unseal(): Promise<void>;
}

const program = fileURLToPath(new URL("../../dist/bin/vault-server", import.meta.url));

/** Needs what `make vault` builds. With `tls` (PEM files), it speaks HTTPS. A key/value store of version 2 is at `secret/`, one of version 1 at `old/`. */
export async function startVault(tls?: { readonly cert: string; readonly key: string; readonly ca: string }): Promise<VaultServer> {
  if (!fs.existsSync(program)) throw new Error(`${program} is missing: run make vault`);
  const dir = serverDir("vault");
  const readUrl = (): string | undefined => /^https?:.*$/m.exec(fs.readFileSync(path.join(dir, "log"), "utf8"))?.[0];
  const args = tls === undefined ? [] : [tls.cert, tls.key];
  const server = await startServer({ name: "vault-server", program, args, dir, answers: async () => readUrl() !== undefined });
  const url = readUrl() ?? "";
  let token = "";
  const call: VaultServer["call"] = async (method, to, body) => {
    const { status, text } = await send(`${url}/v1/${to}`, method, token, body, tls?.ca);
    if (status >= 400) throw new Error(`${method} ${to}: ${status} ${text}`);
    return text === "" ? {} : (JSON.parse(text) as Readonly<Record<string, unknown>>);
  };
  const made = await call("PUT", "sys/init", { secret_shares: 1, secret_threshold: 1 });
  const [key] = made["keys"] as [string];
  const unseal = async (): Promise<void> => {
    await call("PUT", "sys/unseal", { key });
    await untilTaken(() => call("GET", "sys/health"));
  };
  await unseal();
  token = made["root_token"] as string;
  await call("POST", "sys/mounts/secret", { type: "kv", options: { version: "2" } });
  await call("POST", "sys/mounts/old", { type: "kv", options: { version: "1" } });
  // A store is made ready beside the call that mounts it.
  await untilTaken(() => call("GET", "secret/config"));
  return { ...server, url, rootToken: token, call, unseal };
}

/** Tries again until it is taken, for a minute. */
async function untilTaken(ask: () => Promise<unknown>): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await ask();
      return;
    } catch (error) {
      if (tries === 600) throw error;
      await sleep(100);
    }
  }
}

async function send(
  url: string,
  method: string,
  token: string,
  body: object | undefined,
  ca: string | undefined,
): Promise<{ readonly status: number; readonly text: string }> {
  const headers = { "x-vault-token": token };
  const text = body === undefined ? undefined : JSON.stringify(body);
  if (ca === undefined) {
    const answer = await fetch(url, { method, headers, ...(text === undefined ? {} : { body: text }) });
    return { status: answer.status, text: await answer.text() };
  }
  return new Promise((resolve, reject) => {
    const request = https.request(url, { method, headers, ca: fs.readFileSync(ca) }, (answer) => {
      let all = "";
      answer.setEncoding("utf8").on("data", (part: string) => {
        all += part;
      });
      answer.once("end", () => resolve({ status: answer.statusCode ?? 0, text: all }));
    });
    request.once("error", reject);
    request.end(text);
  });
}
