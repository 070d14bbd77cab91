// Starts a real server for a test, waits until it answers, and leaves neither a process nor a file behind.
import { spawn } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export interface ServerProcess {
  /** Stops the process as SIGSTOP does: it keeps its connections and says nothing. */
  freeze(): void;
  thaw(): void;
  /** Ends the process and removes its directory. */
  stop(): Promise<void>;
}

export interface ServerSpec {
  /** As errors call it. */
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  /** From `serverDir`: the server starts there, its log lies there. */
  readonly dir: string;
  /** Added to the variables of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Whether it answers by now. */
  answers(): Promise<boolean>;
}

/** A directory for one server. */
export function serverDir(name: string): string {
  return fs.mkdtempSync(path.join(os.tmpdir(), `dagger-${name}-`));
}

/** Throws, with the server's log, when it ends before it answers. */
export async function startServer({ name, program, args, dir, env, answers }: ServerSpec): Promise<ServerProcess> {
  const logFile = path.join(dir, "log");
  const log = fs.openSync(logFile, "a");
  const child = spawn(program, args, { stdio: ["ignore", log, log], cwd: dir, env: { ...process.env, ...env } });
  fs.closeSync(log);
  const ended = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  });
  const killNow = (): void => void child.kill("SIGKILL");
  process.once("exit", killNow);
  const stop = async (): Promise<void> => {
    killNow();
    await ended;
    process.removeListener("exit", killNow);
    fs.rmSync(dir, { recursive: true, force: true });
  };
  while (!(await answers())) {
    if (child.exitCode !== null || child.pid === undefined) {
      const text = fs.readFileSync(logFile, "utf8");
      await stop();
      throw new Error(`${name} did not come up:\n${text}`);
    }
    await sleep(20);
  }
  return { freeze: () => void child.kill("SIGSTOP"), thaw: () => void child.kill("SIGCONT"), stop };
}

/** A port of the loopback interface that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}

/** Whether somebody listens on a port of the loopback interface. */
export function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
