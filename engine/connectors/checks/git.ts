// Tries a git host: `git ls-remote` with the credentials, which reach git by its environment and are in no argument.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { UserError } from "../../../compiler/index.ts";
import type { Connector } from "../connector.ts";
import { runProgram } from "./program.ts";
import { type CheckScope, nobodyListens, notTrusted, odd, refused, unknownHost } from "./reach.ts";

export async function checkGit({ fields }: Connector, scope: CheckScope): Promise<string> {
  const { url = "", username = "x-access-token", repository, ca } = fields;
  const address = repository === undefined ? url : `${url.replace(/\/$/, "")}/${repository.replace(/^\//, "")}`;
  const token = Buffer.from((await scope.read("token")) ?? "")
    .toString("utf8")
    .trim();
  const login = `Authorization: Basic ${Buffer.from(`${username}:${token}`).toString("base64")}`;
  const dir = await mkdtemp(join(tmpdir(), "dagger-connector-"));
  try {
    const file = join(dir, "ca.pem");
    if (ca !== undefined) await writeFile(file, ca);
    const settings = {
      [`http.${url}.extraHeader`]: login,
      "http.followRedirects": "initial",
      "credential.helper": "",
      ...(ca === undefined ? {} : { "http.sslCAInfo": file }),
    };
    await lsRemote(address, settings, scope);
    return `read ${address}`;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function lsRemote(address: string, settings: Readonly<Record<string, string>>, { env, cwd, signal }: CheckScope): Promise<void> {
  const { GIT_DIR: _, GIT_WORK_TREE: __, GIT_INDEX_FILE: ___, ...others } = env;
  const entries = Object.entries(settings);
  const keys = entries.flatMap(([key, value], index) => [
    [`GIT_CONFIG_KEY_${index}`, key],
    [`GIT_CONFIG_VALUE_${index}`, value],
  ]);
  const quiet = { GIT_TERMINAL_PROMPT: "0", GIT_ASKPASS: "", SSH_ASKPASS: "", LC_ALL: "C", GIT_CONFIG_COUNT: `${entries.length}` };
  const given = { ...others, ...quiet, ...(Object.fromEntries(keys) as object) };
  const { host } = new URL(address);
  const { ok, stderr } = await runProgram("git", ["ls-remote", "-q", "--", address, "HEAD"], host, { cwd, signal, env: given });
  if (!ok) throw explain(address, stderr);
}

function explain(address: string, stderr: string): UserError {
  const { host, pathname } = new URL(address);
  if (/Authentication failed|could not read (Username|Password)|returned error: 40[13]/i.test(stderr))
    return refused(host, "the token is not taken", "Set the secret anew, and check the token's rights and username");
  if (/Could not resolve host/i.test(stderr)) return unknownHost(host);
  if (/Failed to connect|Connection refused/i.test(stderr)) return nobodyListens(host);
  if (/certificate|SSL/i.test(stderr)) return notTrusted(host, lastOf(stderr));
  if (/not found|returned error: 404|not appear to be a git repository/i.test(stderr))
    return odd(host, `has no repository ${pathname}`, "Name one that there is, with repository=PATH where url is a host");
  return odd(host, lastOf(stderr), "Try git ls-remote by itself");
}

function lastOf(stderr: string): string {
  return (
    stderr
      .trim()
      .split("\n")
      .at(-1)
      ?.replace(/^fatal: /, "") ?? ""
  );
}
