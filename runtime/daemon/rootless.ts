// The embedded daemon without root: in a user namespace that rootlesskit makes, with the user's own range of ids.
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Environment } from "../directories.ts";
import { type Location, onPath, searchPath } from "./location.ts";
import { isRunning } from "./process.ts";
import type { Requirement } from "./requirement.ts";
import { runProgram } from "./run-program.ts";

/** Whether this process needs a user namespace for a daemon of its own. */
export function isRootless(): boolean {
  return process.getuid?.() !== 0;
}

/**
 * Arguments of rootlesskit up to the program. The host's network, as the daemon of root has it. A namespace of processes: whatever the
 * daemon started ends with it, which without control groups nobody else could see to.
 */
export function rootlessArgs(location: Location): readonly string[] {
  return [`--state-dir=${location.stateDir}`, "--net=host", "--pidns"];
}

/** Images have users up to this one. */
const idsWanted = 65_536;

/** What an unprivileged user needs, each with how to get it. */
export async function rootlessRequirements(env: Environment): Promise<readonly Requirement[]> {
  const { username, uid } = userInfo();
  const checks = [
    { code: "rootless", name: "user", ok: true, detail: `${username} (${uid}), without root` },
    await hasProgram(env, { code: "rootlesskit-missing", name: "rootlesskit" }, "rootlesskit"),
    await hasProgram(env, { code: "newuidmap-missing", name: "newuidmap" }, "uidmap"),
    await hasIds(username, uid),
  ];
  if (!checks.every(({ ok }) => ok)) return checks;
  return [...checks, await hasNamespaces(env)];
}

async function hasProgram(env: Environment, base: { code: string; name: string }, debianPackage: string): Promise<Requirement> {
  const path = await onPath(base.name, env);
  if (path !== undefined) return { ...base, ok: true, detail: path };
  const fix = `Install the package ${debianPackage} (Debian, Ubuntu: apt-get install rootlesskit uidmap), or run dagger as root`;
  return { ...base, ok: false, detail: `${base.name} is not installed, and a daemon without root needs it`, fix };
}

async function hasIds(username: string, uid: number): Promise<Requirement> {
  const base = { code: "subids-missing", name: "subordinate ids" };
  const counts = await Promise.all(["/etc/subuid", "/etc/subgid"].map((file) => idsIn(file, username, uid)));
  if (counts.every((count) => count >= idsWanted))
    return { ...base, ok: true, detail: `${String(Math.min(...counts))} in /etc/subuid and /etc/subgid` };
  return {
    ...base,
    ok: false,
    detail: `${username} has ${String(Math.min(...counts))} ids of its own in /etc/subuid and /etc/subgid, and a daemon without root needs ${String(idsWanted)}`,
    fix: `As root: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${username} (a range that nobody else has)`,
  };
}

/** Lines are `user:first:count`, where the user is a name or a number. */
async function idsIn(file: string, username: string, uid: number): Promise<number> {
  const text = await readFile(file, "utf8").catch(() => "");
  const own = text.split("\n").flatMap((line) => {
    const [user, , count] = line.split(":");
    return user === username || user === String(uid) ? [Number(count)] : [];
  });
  return Math.max(0, ...own.filter((count) => Number.isFinite(count)));
}

/** Kernels and security modules have many ways to forbid it; a try tells, in the words of the program that is refused. */
async function hasNamespaces(env: Environment): Promise<Requirement> {
  const base = { code: "userns-forbidden", name: "user namespaces" };
  const dir = await mkdtemp(join(tmpdir(), "dagger-rootless-"));
  try {
    const program = (await onPath("rootlesskit", env)) ?? "rootlesskit";
    await runProgram(program, [`--state-dir=${join(dir, "state")}`, "--net=host", "--pidns", "true"], {
      env: { ...env, PATH: searchPath(env) },
      timeout: 20_000,
    });
    return { ...base, ok: true, detail: "allowed" };
  } catch (error) {
    const said = error instanceof Error && "stderr" in error ? String(error.stderr) : String(error);
    return {
      ...base,
      ok: false,
      detail: `rootlesskit cannot make a user namespace: ${said.replace(/\s+/g, " ").trim()}`,
      fix: "Allow them (sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns), or run dagger as root",
    };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/**
 * Whether the kernel lets a container have a /proc of its own. It does not where parts of /proc are hidden, as in most containers: then
 * the daemon's own is shared, and a build can see (and end) the processes of other builds of this user.
 */
export async function procIsWhole(): Promise<boolean> {
  const table = await readFile("/proc/self/mountinfo", "utf8");
  // What is mounted on a directory that is always empty hides nothing.
  const harmless = "/proc/sys/fs/binfmt_misc";
  return !table.split("\n").some((line) => {
    const point = line.split(" ")[4] ?? "";
    return point.startsWith("/proc/") && !point.startsWith(harmless);
  });
}

/** Waits until the namespaces of a daemon that has ended are gone; after some seconds they are ended. */
export async function endNamespaces(location: Location): Promise<void> {
  for (let round = 0; round < 250; round++) {
    const left = await launchers(location);
    if (left.length === 0) break;
    if (round >= 200) for (const pid of left) process.kill(pid, "SIGKILL");
    await sleep(20);
  }
  await rm(location.stateDir, { recursive: true, force: true });
}

/** rootlesskit's own two processes, known by the directory that only this daemon's have. */
async function launchers(location: Location): Promise<number[]> {
  const mark = `--state-dir=${location.stateDir}`;
  const found: number[] = [];
  for (const entry of await readdir("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const args = await readFile(`/proc/${entry}/cmdline`, "utf8").catch(() => "");
    if (args.split("\0")[1] === mark && (await isRunning(Number(entry)))) found.push(Number(entry));
  }
  return found;
}
