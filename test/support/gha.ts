// Starts a private, real server of GitHub's cache protocol (act's, version 1) for a test.
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { type ServerProcess, serverDir, startServer } from "./server.ts";

export interface ActionsCache extends ServerProcess {
  /** As ACTIONS_CACHE_URL has it. */
  readonly url: string;
  /** A token as workflows get one: a JWT that lets read and write one scope, signed by nobody. */
  readonly token: string;
}

const program = fileURLToPath(new URL("../../dist/bin/gha-cache", import.meta.url));

/** Needs what `make gha` builds. */
export async function startActionsCache(): Promise<ActionsCache> {
  if (!fs.existsSync(program)) throw new Error(`${program} is missing: run make gha`);
  const dir = serverDir("gha");
  const readUrl = (): string | undefined => /^http:.*$/m.exec(fs.readFileSync(path.join(dir, "log"), "utf8"))?.[0];
  const args = [path.join(dir, "data")];
  const server = await startServer({ name: "gha-cache", program, args, dir, answers: async () => readUrl() !== undefined });
  return { ...server, url: `${readUrl()}/`, token: actionsToken() };
}

/** What BuildKit reads of a token: its scopes, what it may do there (1 read, 2 write), and when it runs out. */
export function actionsToken({ expired = false, permission = 3 }: { expired?: boolean; permission?: number } = {}): string {
  const now = Math.floor(Date.now() / 1000);
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const ac = JSON.stringify([{ Scope: "refs/heads/main", Permission: permission }]);
  const claims = { ac, nbf: now - 7200, exp: expired ? now - 3600 : now + 3600 };
  return `${part({ alg: "HS256", typ: "JWT" })}.${part(claims)}.${Buffer.from("signature-of-the-tests").toString("base64url")}`;
}
