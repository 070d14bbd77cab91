// A user without root for a test, with ids of its own, and a copy of dagger that it can read. Nothing of it stays.
import { execFile } from "node:child_process";
import { chmod, cp, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const repository = fileURLToPath(new URL("../..", import.meta.url));

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface TestUser {
  readonly name: string;
  readonly uid: number;
  readonly home: string;
  /** Runs dagger as this user; `through` is a command that runs it, e.g. to hide a program first. */
  dagger(
    args: readonly string[],
    options?: { readonly through?: readonly string[]; readonly env?: Readonly<Record<string, string>> },
  ): Promise<Ran>;
  /** Lines of `ps` about this user's processes: pid and command. */
  processes(): Promise<string[]>;
  remove(): Promise<void>;
}

/** Makes the user; `subids: false` gives it no subordinate ids. Needs root. */
export async function makeUser(options: { readonly subids?: boolean } = {}): Promise<TestUser> {
  const dir = await mkdtemp(join(tmpdir(), "dagger-user-"));
  await chmod(dir, 0o755);
  const name = `dagger-${dir.slice(-6).toLowerCase()}`;
  const home = join(dir, "home");
  const count = options.subids === false ? "0" : "65536";
  const ids = ["-K", `SUB_UID_COUNT=${count}`, "-K", `SUB_GID_COUNT=${count}`];
  await run("useradd", [...ids, "--create-home", "--home-dir", home, "--shell", "/bin/sh", name]);
  const uid = Number((await run("id", ["-u", name])).stdout);
  await copyDagger(join(dir, "dagger"));
  await cp(process.execPath, join(dir, "node"));
  const asUser = ["setpriv", `--reuid=${name}`, `--regid=${name}`, "--init-groups"];
  const base = { PATH: "/usr/bin:/bin", HOME: home, USER: name, NO_COLOR: "1" };

  const dagger: TestUser["dagger"] = (args, { through = [], env = {} } = {}) => {
    const [program, ...rest] = [...through, ...asUser, join(dir, "node"), join(dir, "dagger/bin/dagger"), ...args] as [string, ...string[]];
    return new Promise((resolve) => {
      execFile(program, rest, { cwd: home, env: { ...base, ...env }, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : typeof error.code === "number" ? error.code : -1, stdout, stderr });
      });
    });
  };
  const processes = async (): Promise<string[]> => {
    // ps fails when there are none; what is dead and only not reaped does not count.
    const { stdout } = await run("ps", ["-o", "stat=,pid=,args=", "-U", String(uid)]).catch(() => ({ stdout: "" }));
    return stdout.split("\n").filter((line) => line !== "" && !line.startsWith("Z"));
  };
  const remove = async (): Promise<void> => {
    await dagger(["engine", "stop"]);
    for (let round = 0; round < 100 && (await processes()).length > 0; round++) await sleep(50);
    await run("userdel", [name]);
    await rm(dir, { recursive: true, force: true });
  };
  return { name, uid, home, dagger, processes, remove };
}

/** What an installed dagger consists of. */
async function copyDagger(to: string): Promise<void> {
  await mkdir(join(to, "dist/bin"), { recursive: true });
  for (const part of ["bin", "packages", "package.json", "dist/bin/buildkitd", "dist/dagger", "dist/run"]) {
    await cp(join(repository, part), join(to, part), { recursive: true });
  }
  await run("sh", ["-c", 'cp -r "$1"/dist/cue* "$2"/dist/ && chmod -R a+rX "$2"', "sh", repository, to]);
}
