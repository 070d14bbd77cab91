// Looks whether a service is ready.
import { connect } from "node:net";
import type { ReadyProbe } from "../../compiler/index.ts";
import { type Command, runCommand } from "../hosts/process.ts";

/** One look may take so long, milliseconds. */
const patience = 5_000;

/** Undefined when it is ready, else why not. Lines of the log are looked at by whoever gets them. */
export async function look(probe: ReadyProbe, command: Pick<Command, "env" | "cwd" | "signal">): Promise<string | undefined> {
  switch (probe.kind) {
    case "http":
      return lookHttp(probe.what, command.signal);
    case "tcp":
      return lookTcp(probe.what);
    case "command":
      return lookCommand(probe.what, command);
    case "log":
      return `no line of its output matches ${probe.what}`;
  }
}

/** Not fetch, which refuses ports that browsers may not use. */
async function lookHttp(url: string, signal: AbortSignal): Promise<string | undefined> {
  const { get } = url.startsWith("https:") ? await import("node:https") : await import("node:http");
  return new Promise((resolve) => {
    const request = get(url, { signal, agent: false, timeout: patience }, ({ statusCode = 0 }) => {
      resolve(statusCode < 400 ? undefined : `${url} answers with status ${statusCode}`);
      request.destroy();
    });
    request.once("timeout", () => request.destroy(new Error("it took too long")));
    request.once("error", (error: NodeJS.ErrnoException) => resolve(`${url} does not answer (${error.code ?? error.message})`));
  });
}

function lookTcp(address: string): Promise<string | undefined> {
  const [, host = "", port = ""] = /^\[?(.*?)\]?:(\d+)$/.exec(address) ?? [];
  return new Promise((resolve) => {
    const socket = connect(Number(port), host);
    const done = (why?: string): void => {
      socket.destroy();
      resolve(why);
    };
    socket.setTimeout(patience, () => done(`${address} does not answer`));
    socket.once("connect", () => done());
    socket.once("error", (error: NodeJS.ErrnoException) => done(`${address} takes no connection (${error.code ?? error.message})`));
  });
}

async function lookCommand(args: readonly string[], command: Pick<Command, "env" | "cwd" | "signal">): Promise<string | undefined> {
  let last = "";
  const onOutput = (_: 1 | 2, data: Uint8Array): void => {
    last = (last + Buffer.from(data).toString("utf8")).slice(-500);
  };
  const { code, error } = await runCommand({ ...command, args, timeout: patience, onOutput });
  const said = last.trimEnd().split("\n").at(-1) ?? "";
  return code === 0
    ? undefined
    : `${args.join(" ")} ended with exit code ${code}${error === undefined ? (said === "" ? "" : `: ${said}`) : `: ${error}`}`;
}
