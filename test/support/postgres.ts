// Starts a private, real PostgreSQL server (Debian's package) for a test: on a free port, in a temporary directory, as a user without root.
import { execFile, spawn } from "node:child_process";
import { chmod, chown, mkdtemp, open, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { freePort } from "./server.ts";

const run = promisify(execFile);

export interface TestPostgres {
  /** Makes an empty database of its own and gives its address. */
  database(): Promise<string>;
  /** Runs SQL in a database, as psql does. */
  sql(url: string, text: string): Promise<string>;
  /** Ends the server at once, as a crash does, and starts it again on the same port when `restart` resolves. */
  crash(): Promise<void>;
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** PostgreSQL refuses to run as root; everybody has this user. */
const nobody = { uid: 65534, gid: 65534 };
const asNobody = ["setpriv", `--reuid=${nobody.uid}`, `--regid=${nobody.gid}`, "--clear-groups"];
const unprivileged = (command: string[]): [string, string[]] => {
  const [first = "", ...rest] = process.getuid?.() === 0 ? [...asNobody, ...command] : command;
  return [first, rest];
};

export async function startPostgres(): Promise<TestPostgres> {
  const bin = await binaries();
  const dir = await mkdtemp(join(tmpdir(), "dagger-postgres-"));
  if (process.getuid?.() === 0) await chown(dir, nobody.uid, nobody.gid);
  await chmod(dir, 0o755);
  const data = join(dir, "data");
  const initdb = [join(bin, "initdb"), "-D", data, "-U", "dagger", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync"];
  await run(...unprivileged(initdb), { cwd: dir });
  const port = await freePort();
  const options = { dir, data, port, bin };
  let server = await startServer(options);
  let databases = 0;
  const url = (name: string): string => `postgres://dagger@127.0.0.1:${port}/${name}`;
  const sql = async (address: string, text: string): Promise<string> =>
    (await run(join(bin, "psql"), ["-qAtX", "-v", "ON_ERROR_STOP=1", "-c", text, address], { maxBuffer: 1 << 28 })).stdout.trim();
  return {
    database: async () => {
      const name = `test${++databases}`;
      await sql(url("postgres"), `create database ${name}`);
      return url(name);
    },
    sql,
    crash: () => server.end("SIGQUIT"),
    restart: async () => {
      server = await startServer(options);
    },
    stop: async () => {
      await server.end("SIGQUIT");
      await rm(dir, { recursive: true, force: true });
    },
  };
}

interface Server {
  end(signal: NodeJS.Signals): Promise<void>;
}

async function startServer({ dir, data, port, bin }: { dir: string; data: string; port: number; bin: string }): Promise<Server> {
  const log = await open(join(dir, "log"), "a");
  // Hundreds of writers at once; and no waiting for the disk: no test takes away the machine's power.
  const settings = { listen_addresses: "127.0.0.1", unix_socket_directories: dir, max_connections: "300", fsync: "off" };
  const flags = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const command = [join(bin, "postgres"), "-D", data, "-p", String(port), ...flags];
  const child = spawn(...unprivileged(command), { stdio: ["ignore", log.fd, log.fd], cwd: dir });
  await log.close();
  const ended = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  });
  const killNow = (): void => void child.kill("SIGQUIT");
  process.once("exit", killNow);
  const ready = ["-q", "-h", "127.0.0.1", "-p", String(port)];
  while (!(await run(join(bin, "pg_isready"), ready).then(yes, no))) {
    if (child.exitCode !== null || child.pid === undefined)
      throw new Error(`postgres did not start: ${await readFile(join(dir, "log"), "utf8")}`);
    await sleep(50);
  }
  return {
    end: async (signal) => {
      child.kill(signal);
      await ended;
      process.removeListener("exit", killNow);
    },
  };
}

const yes = (): boolean => true;
const no = (): boolean => false;

/** Debian keeps them apart for each version, and not on PATH. */
async function binaries(): Promise<string> {
  const root = "/usr/lib/postgresql";
  const versions = await readdir(root).catch(() => []);
  const newest = versions.sort((a, b) => Number(b) - Number(a))[0];
  if (newest === undefined) throw new Error(`There is no PostgreSQL in ${root}: run tools/setup.sh`);
  return join(root, newest, "bin");
}
