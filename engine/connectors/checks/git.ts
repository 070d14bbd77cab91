// Tries a git host: `git ls-remote` with the credentials, which reach git by its environment and are in no argument.
import type { UserError } from "../../../compiler/index.ts";
import type { Connector } from "../connector.ts";
import { withGitLogin } from "../git-login.ts";
import { runProgram } from "./program.ts";
import { type CheckScope, nobodyListens, notTrusted, odd, refused, unknownHost } from "./reach.ts";

export async function checkGit({ fields }: Connector, scope: CheckScope): Promise<string> {
  const { url = "", repository } = fields;
  const address = repository === undefined ? url : `${url.replace(/\/$/, "")}/${repository.replace(/^\//, "")}`;
  const token = Buffer.from((await scope.read("token")) ?? "")
    .toString("utf8")
    .trim();
  return withGitLogin(fields, token, scope.env, async (env) => {
    await lsRemote(address, { ...scope, env });
    return `read ${address}`;
  });
}

async function lsRemote(address: string, { env, cwd, signal }: Pick<CheckScope, "env" | "cwd" | "signal">): Promise<void> {
  const { host } = new URL(address);
  const { ok, stderr } = await runProgram("git", ["ls-remote", "-q", "--", address, "HEAD"], host, { cwd, signal, env });
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
