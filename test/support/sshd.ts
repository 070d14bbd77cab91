// Starts a private, real sshd for a test, which lets in whoever runs the test, with one key.
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort, listens, type ServerProcess, serverDir, startServer } from "./server.ts";

export interface Sshd extends ServerProcess {
  readonly port: number;
  /** Its public key, and one that is not. */
  readonly hostKey: string;
  readonly strangerKey: string;
  /** The private key that it takes, and one that it does not. */
  readonly key: string;
  readonly otherKey: string;
}

export async function startSshd(): Promise<Sshd> {
  const dir = serverDir("sshd");
  chmodSync(dir, 0o755);
  const at = (name: string): string => join(dir, name);
  for (const name of ["host", "client", "stranger"]) execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", at(name)]);
  const port = await freePort();
  const no = ["StrictModes", "UsePAM", "PasswordAuthentication", "KbdInteractiveAuthentication"].map((name) => `${name} no`);
  const own = [`ListenAddress 127.0.0.1:${String(port)}`, `HostKey ${at("host")}`, `AuthorizedKeysFile ${at("client.pub")}`];
  writeFileSync(at("config"), `${[...own, ...no, "PidFile none", "PermitRootLogin yes"].join("\n")}\n`);
  if (!existsSync("/run/sshd")) mkdirSync("/run/sshd", { mode: 0o755 });
  const args = ["-D", "-e", "-f", at("config")];
  const server = await startServer({ name: "sshd", program: "/usr/sbin/sshd", args, dir, answers: () => listens(port) });
  const read = (name: string): string => readFileSync(at(name), "utf8").trim();
  return { ...server, port, hostKey: read("host.pub"), strangerKey: read("stranger.pub"), key: read("client"), otherKey: read("stranger") };
}
