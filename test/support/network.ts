// A network of a test's own: what runs in it has a loopback, and what it makes there itself; the machine's stays as it is, and nothing is left.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { promisify } from "node:util";

export interface TestNetwork {
  /** Comes before the command line of what is to run in it. */
  readonly enter: readonly string[];
  /** What an address answers there: its body. Rejects when it does not. */
  get(url: string): Promise<string>;
  stop(): Promise<void>;
}

/** Needs root, util-linux and iproute2. */
export async function startNetwork(): Promise<TestNetwork> {
  // It ends with the test, whatever becomes of that: then its input ends.
  const child = spawn("unshare", ["--net", "sh", "-c", "ip link set lo up && echo up && exec cat"], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(child, "exit");
  const [said] = (await Promise.race([once(child.stdout, "data"), ended])) as [unknown];
  if (String(said) !== "up\n") throw new Error("there is no network: it needs root, unshare and ip");
  const enter = ["nsenter", `--net=/proc/${child.pid ?? 0}/ns/net`];
  const [program = "", ...before] = [...enter, process.execPath];
  const script = "fetch(process.argv[1]).then((answer) => answer.text()).then((text) => process.stdout.write(text))";
  return {
    enter,
    get: async (url) => (await promisify(execFile)(program, [...before, "-e", script, url])).stdout,
    stop: async () => {
      child.stdin.end();
      await ended;
    },
  };
}
