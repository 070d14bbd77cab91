// Starts an HTTP proxy for a test, as a process of its own.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export interface HttpProxy {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  /** `GET http://…` and `CONNECT host:port`, in the order in which they came. */
  readonly requests: readonly string[];
  stop(): Promise<void>;
}

/** `hosts` are names that only the proxy knows, with the address that each stands for; `login` (`user:password`) is then asked for. */
export async function startHttpProxy(options: {
  readonly hosts: Readonly<Record<string, string>>;
  readonly login?: string;
}): Promise<HttpProxy> {
  const file = fileURLToPath(new URL("./http-proxy-child.ts", import.meta.url));
  const child = spawn(process.execPath, ["--import", "tsx", file, JSON.stringify(options)], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "exit");
  const killNow = (): void => void child.kill("SIGKILL");
  process.once("exit", killNow);
  const requests: string[] = [];
  const lines = createInterface(child.stdout);
  const [port] = (await once(lines, "line")) as [string];
  lines.on("line", (line) => requests.push(line));
  const stop = async (): Promise<void> => {
    killNow();
    await ended;
    process.removeListener("exit", killNow);
  };
  return { host: `127.0.0.1:${port}`, requests, stop };
}
