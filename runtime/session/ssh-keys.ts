// Opens what `--ssh` names: agents that run, or private keys, which a private ssh-agent of OpenSSH then holds for the time of the run.
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import fs from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { inputError, UserError } from "../../compiler/diagnostic.ts";
import type { SshAgent } from "./services.ts";

/** One `--ssh`: an id, and a socket or key files; without a path, the user's own agent. */
export interface SshSource {
  readonly id: string;
  readonly paths: readonly string[];
  /** The path is of any socket, not of an agent's. */
  readonly raw?: boolean;
}

/** What the session serves; `close` ends the private agents. */
export interface OpenAgents {
  readonly agents: ReadonlyMap<string, SshAgent>;
  close(): Promise<void>;
}

/** Keys are small; what is larger is another file. */
const maxKeySize = 100 * 1024;

/** Relative paths start at `cwd`. Throws UserError: 2 `ssh-source` for what is neither socket nor usable key, 3 `ssh-agent` when no agent can be started. */
export async function openAgents(
  sources: readonly SshSource[],
  env: Readonly<Record<string, string | undefined>>,
  cwd: string = process.cwd(),
): Promise<OpenAgents> {
  const agents = new Map<string, SshAgent>();
  const started: KeyAgent[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(started.map((agent) => agent.stop()));
  };
  try {
    for (const { id, paths, raw = false } of sources) {
      const socket = await findSocket(id, paths, env, cwd);
      if (socket !== undefined) {
        agents.set(id, { id, socket, ...(raw ? { raw } : {}) });
        continue;
      }
      if (raw) throw unusable(id, paths.join(","), "it is no socket", "Name a unix socket, or leave out raw=true");
      const agent = await KeyAgent.start(env);
      started.push(agent);
      for (const file of paths) await agent.add(id, file, cwd);
      agents.set(id, { id, socket: agent.socket });
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { agents, close };
}

/** The agent's socket; undefined when the paths are those of keys. */
async function findSocket(
  id: string,
  paths: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  cwd: string,
): Promise<string | undefined> {
  const own = env["SSH_AUTH_SOCK"];
  if (paths.length === 0 && (own === undefined || own === "")) {
    throw inputError({
      code: "ssh-source",
      message: `There is no SSH agent for --ssh ${id}: SSH_AUTH_SOCK is not set`,
      at: [],
      hint: `Start one with: eval $(ssh-agent), or name a private key: --ssh ${id}=$HOME/.ssh/id_ed25519`,
    });
  }
  const found = await Promise.all((paths.length === 0 ? [own as string] : paths).map((file) => kindOf(id, file, cwd)));
  const socket = found.find(({ isSocket }) => isSocket);
  if (socket === undefined) return undefined;
  if (found.length === 1) return path.resolve(cwd, socket.file);
  throw unusable(id, socket.file, "an agent cannot be combined with other agents or keys", "Give the agent an id of its own");
}

async function kindOf(id: string, file: string, cwd: string): Promise<{ file: string; isSocket: boolean }> {
  const stat = await fs.stat(path.resolve(cwd, file)).catch((error: unknown) => {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw unusable(id, file, missing ? "there is no such file" : (error as Error).message, "Check the path", error);
  });
  if (stat.isSocket() || stat.isFile()) return { file, isSocket: stat.isSocket() };
  throw unusable(id, file, "it is neither a socket nor a file", "Name the socket of an agent, or a private key");
}

function unusable(id: string, file: string, why: string, hint: string, cause?: unknown): UserError {
  return new UserError(2, [{ code: "ssh-source", message: `Cannot use ${file} for --ssh ${id}: ${why}`, at: [], hint }], { cause });
}

/** An ssh-agent that ends with this process, however that ends: it watches a `cat` whose input is a pipe from here. */
class KeyAgent {
  readonly socket: string;
  readonly #dir: string;
  readonly #watched: ChildProcess;
  readonly #pid: number;
  readonly #env: NodeJS.ProcessEnv;

  private constructor(dir: string, socket: string, watched: ChildProcess, pid: number, env: NodeJS.ProcessEnv) {
    this.#dir = dir;
    this.socket = socket;
    this.#watched = watched;
    this.#pid = pid;
    this.#env = env;
  }

  static async start(environment: Readonly<Record<string, string | undefined>>): Promise<KeyAgent> {
    const dir = await fs.mkdtemp(path.join(os.tmpdir(), "dagger-ssh-"));
    const socket = path.join(dir, `agent-${randomBytes(4).toString("hex")}`);
    // No way to ask a person: a key with a passphrase is refused with a hint.
    const env = { ...environment, SSH_ASKPASS_REQUIRE: "never", DISPLAY: "" };
    const watched = spawn("ssh-agent", ["-a", socket, "sh", "-c", 'echo "$SSH_AGENT_PID"; exec cat'], {
      stdio: ["pipe", "pipe", "ignore"],
      env,
      detached: true,
    });
    const pid = await new Promise<number>((resolve, reject) => {
      watched.once("error", reject);
      watched.once("exit", (code) => reject(new Error(`it ended with exit code ${code}`)));
      watched.stdout.once("data", (line: Buffer) => resolve(Number(line.toString())));
    }).catch(async (cause: unknown) => {
      await fs.rm(dir, { recursive: true, force: true });
      const missing = (cause as NodeJS.ErrnoException).code === "ENOENT";
      const message = `Cannot start ssh-agent for a private key: ${missing ? "it is not installed" : (cause as Error).message}`;
      throw new UserError(3, [{ code: "ssh-agent", message, at: [], hint: "Install the OpenSSH client (Debian: openssh-client)" }], {
        cause,
      });
    });
    watched.unref();
    watched.stdin.on("error", () => undefined);
    for (const stream of [watched.stdin, watched.stdout]) (stream as unknown as { unref(): void }).unref();
    return new KeyAgent(dir, socket, watched, pid, env);
  }

  /** The key goes through a pipe: the agent would refuse a file that others can read. */
  async add(id: string, file: string, cwd: string): Promise<void> {
    const key = await fs.readFile(path.resolve(cwd, file)).catch((error: unknown) => {
      throw unusable(id, file, (error as Error).message, "Check the permissions of the file", error);
    });
    const hint = "Name a private key in a format that ssh-add reads";
    if (key.length > maxKeySize) throw unusable(id, file, "it is too large for a private key", hint);
    const { code, text } = await this.#sshAdd(key);
    if (code === 0) return;
    if (/passphrase/i.test(text)) {
      const useAgent = `Add it to your own agent with: ssh-add ${file}, and use that: --ssh ${id}`;
      throw unusable(id, file, "the key has a passphrase", useAgent);
    }
    throw unusable(id, file, "it is not a private key", hint, new Error(text));
  }

  #sshAdd(key: Buffer): Promise<{ code: number; text: string }> {
    return new Promise((resolve, reject) => {
      const child = spawn("ssh-add", ["-q", "-"], {
        stdio: ["pipe", "ignore", "pipe"],
        env: { ...this.#env, SSH_AUTH_SOCK: this.socket },
        detached: true, // without the terminal, from which it would ask for a passphrase
      });
      const chunks: Buffer[] = [];
      child.once("error", reject);
      child.stderr.on("data", (chunk: Buffer) => chunks.push(chunk));
      child.once("close", (code) => resolve({ code: code ?? 1, text: Buffer.concat(chunks).toString("utf8") }));
      child.stdin.on("error", () => undefined);
      child.stdin.end(key.at(-1) === 10 ? key : Buffer.concat([key, Buffer.from("\n")]));
    });
  }

  async stop(): Promise<void> {
    this.#watched.stdin?.destroy();
    try {
      process.kill(this.#pid, "SIGTERM");
    } catch {
      // It has ended.
    }
    await fs.rm(this.#dir, { recursive: true, force: true });
  }
}
