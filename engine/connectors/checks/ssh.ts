// Tries a machine by the system's ssh: that its key is one of those that are known, and that it takes ours. Nothing but `true` runs there.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { UserError } from "../../../compiler/index.ts";
import type { Connector } from "../connector.ts";
import { runProgram } from "./program.ts";
import { type CheckScope, noAnswer, nobodyListens, odd, problem, refused, unknownHost } from "./reach.ts";

export async function checkSsh({ fields }: Connector, scope: CheckScope): Promise<string> {
  const { host = "", port = "22", user = "root", knownHosts = "" } = fields;
  const key = (await scope.read("key")) ?? new Uint8Array();
  const dir = await mkdtemp(join(tmpdir(), "dagger-connector-"));
  try {
    // ssh wants a newline at the end of a key, and nobody else to read it.
    await writeFile(join(dir, "key"), Buffer.concat([key, Buffer.from("\n")]), { mode: 0o600 });
    await writeFile(join(dir, "known_hosts"), `${knownHosts}\n`);
    await login(
      ["-p", port, "-i", join(dir, "key"), "-o", `UserKnownHostsFile=${join(dir, "known_hosts")}`, "--", `${user}@${host}`, "true"],
      fields,
      scope,
    );
    return `logged in to ${host} as ${user}`;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

const options = [
  "BatchMode=yes",
  "StrictHostKeyChecking=yes",
  "GlobalKnownHostsFile=none",
  "IdentitiesOnly=yes",
  "IdentityAgent=none",
  "PasswordAuthentication=no",
  "UpdateHostKeys=no",
];

async function login(args: readonly string[], fields: Connector["fields"], { env, cwd, signal }: CheckScope): Promise<void> {
  // Only what the connector says counts: no settings of this user.
  const all = ["-F", "none", "-T", ...options.flatMap((option) => ["-o", option]), ...args];
  const { SSH_AUTH_SOCK: _, ...others } = env;
  const { host = "", port = "22" } = fields;
  const ran = await runProgram("ssh", all, `${host}:${port}`, { cwd, signal, env: { ...others, LC_ALL: "C" } });
  if (!ran.ok) throw explain(fields, ran);
}

function explain(fields: Connector["fields"], { stderr, ended }: { readonly stderr: string; readonly ended: string }): UserError {
  const { host = "", port = "22", user = "root" } = fields;
  const place = `${host}:${port}`;
  if (/HOST IDENTIFICATION HAS CHANGED/i.test(stderr))
    return hostKey(
      `${place} shows another key than the one that is known`,
      "Find out why: it may be another machine. Then set knownHosts anew",
    );
  if (/Host key verification failed|No .* host key is known/i.test(stderr))
    return hostKey(
      `The key of ${place} is not known`,
      `Look at ssh-keyscan -p ${port} ${host}, and once it is right: dagger connector edit NAME --file knownHosts=FILE`,
    );
  if (/error in libcrypto|invalid format|Load key/i.test(stderr) && !/Load key.*Permission/i.test(stderr))
    return refused(
      place,
      "the secret key is no private key that ssh can read",
      "Give the key without a passphrase, as ssh-keygen has made it",
    );
  if (/Permission denied/i.test(stderr))
    return refused(place, `the key of ${user} is not taken`, `Put its public half into ~${user}/.ssh/authorized_keys there`);
  if (/Could not resolve hostname/i.test(stderr)) return unknownHost(host);
  if (/Connection refused/i.test(stderr)) return nobodyListens(place);
  if (/timed out/i.test(stderr)) return noAnswer(place);
  const last = stderr.trim().split("\n").at(-1) ?? "";
  return odd(place, last === "" ? `ssh ends with ${ended}` : last, "Try ssh -v by itself");
}

function hostKey(message: string, hint: string): UserError {
  return problem(2, "connector-host-key", message, hint);
}
