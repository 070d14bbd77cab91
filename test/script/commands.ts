// What a script can say. Each command throws an Error when the world is not as the script says.
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
} from "node:fs";
import { join, relative } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startBuildkitd } from "../support/buildkitd.ts";
import { type Outcome, repository, type World } from "./world.ts";

export interface Call {
  readonly world: World;
  readonly args: readonly string[];
  readonly expect: "success" | "failure" | "either";
  readonly background?: string;
  /** UPDATE=1: takes the place of the archive's file `name`. */
  update?(name: string, content: string): void;
}

const dagger = join(repository, "bin/dagger");

type Run = (call: Call) => Promise<void> | void;

/** A stack trace, or a rejection that nobody caught: never shown to a user. Warnings have lines with `at`, too, but those name CUE files. */
const crash = /^\s+at .+(\.[cm]?[jt]s|node:[\w/]+):\d+:\d+\)?$|UnhandledPromiseRejection|^Node\.js v\d/m;

export const commands: Readonly<Record<string, Run>> = {
  dagger: async (call) => {
    await run(call, dagger, call.args);
    if (call.background === undefined) checkDagger(call.world.last);
  },
  exec: (call) => run(call, call.args[0] ?? "", call.args.slice(1)),
  exit: ({ world, args }) => {
    if (world.last.code !== Number(args[0])) throw new Error(`exit code ${world.last.code}, expected ${args[0]}`);
  },
  stdout: (call) => match(call, call.world.last.stdout),
  stderr: (call) => match(call, call.world.last.stderr),
  grep: (call) => match({ ...call, args: call.args.slice(0, -1) }, readFileSync(call.world.path(last(call)), "utf8")),
  cmp: (call) => {
    const [left = "", right = ""] = call.args;
    const output = left === "stdout" || left === "stderr";
    const actual = output ? call.world.normalise(call.world.last[left]) : readFileSync(call.world.path(left), "utf8");
    const expected = readFileSync(call.world.path(right), "utf8");
    if ((actual === expected) === (call.expect !== "failure")) return;
    if (call.expect === "failure") throw new Error(`${left} and ${right} are the same`);
    if (call.update) call.update(relative(call.world.work, call.world.path(right)), actual);
    else throw new Error(`${left} and ${right} differ\n--- ${right}\n${expected}\n--- ${left}\n${actual}`);
  },
  exists: ({ world, args, expect }) => {
    for (const name of args)
      if ((lstatSync(world.path(name), { throwIfNoEntry: false }) !== undefined) !== (expect !== "failure"))
        throw new Error(`${name} ${expect === "failure" ? "exists" : "does not exist"}`);
  },
  // Lists a directory on stdout: mode, size and name of files, the target of links; for `cmp stdout`.
  tree: ({ world, args }) => {
    world.last = { stdout: tree(world.path(args[0] ?? ".")), stderr: "", code: 0 };
  },
  env: ({ world, args }) => {
    for (const setting of args) {
      const [name = "", ...value] = setting.split("=");
      if (setting.includes("=")) world.env[name] = value.join("=");
      else delete world.env[name];
    }
  },
  cd: ({ world, args }) => {
    world.cwd = world.path(args[0] ?? ".");
    if (!existsSync(world.cwd)) throw new Error(`${args[0]} does not exist`);
  },
  stdin: ({ world, args }) => {
    world.stdin = readFileSync(world.path(args[0] ?? ""), "utf8");
  },
  mkdir: ({ world, args }) => args.forEach((name) => mkdirSync(world.path(name), { recursive: true })),
  rm: ({ world, args }) => args.forEach((name) => rmSync(world.path(name), { recursive: true, force: true })),
  cp: ({ world, args: [from = "", to = ""] }) => {
    if (from === "stdout" || from === "stderr") world.write(relative(world.work, world.path(to)), world.last[from]);
    else cpSync(world.path(from), world.path(to), { recursive: true, verbatimSymlinks: true });
  },
  symlink: ({ world, args: [name = "", target = ""] }) => symlinkSync(target, world.path(name)),
  chmod: ({ world, args: [mode = "", name = ""] }) => chmodSync(world.path(name), Number.parseInt(mode, 8)),
  touch: ({ world, args }) => args.forEach((name) => utimesSync(world.path(name), 1e9, 1e9)),
  tmpfs: ({ world, args: [name = "", size = ""] }) => world.tmpfs(world.path(name), size),
  // A daemon of the script's own, so that it may be killed; $BUILDKIT_HOST names it from now on.
  daemon: async ({ world, args: [verb] }) => {
    if (verb !== "start") throw new Error("usage: daemon start");
    const daemon = await startBuildkitd();
    world.cleanups.push(() => daemon.stop());
    world.env["BUILDKIT_HOST"] = daemon.address;
    world.env["DAEMON_PID"] = String(daemon.pid);
  },
  // until NAME 'regex': waits for a background process to write it.
  until: async ({ world, args: [name = "", pattern = ""] }) => {
    const running = background(world, name);
    const regex = new RegExp(pattern, "m");
    while (!regex.test(running.stdout()) && !regex.test(running.stderr())) {
      const ended = await Promise.race([running.ended, sleep(50, undefined)]);
      if (ended) throw new Error(`${name} ended before it wrote ${pattern}:\n${ended.stdout}${ended.stderr}`);
    }
  },
  // kill SIGNAL NAME, or kill SIGNAL PID of a daemon that the script started.
  kill: ({ world, args: [signal = "", name = ""] }) => {
    if (name === world.env["DAEMON_PID"]) process.kill(Number(name), signal);
    else background(world, name).child.kill(signal as NodeJS.Signals);
  },
  // wait NAME: its output and exit code become the last ones. `! wait`: it must have failed.
  wait: async (call) => {
    const name = call.args[0] ?? "";
    const { program, ended } = background(call.world, name);
    call.world.last = await ended;
    call.world.background.delete(name);
    if (program === dagger) checkDagger(call.world.last);
    checkExpected(call, call.world.last);
  },
};

async function run(call: Call, program: string, args: readonly string[]): Promise<void> {
  const running = call.world.start(program, args);
  if (call.background !== undefined) {
    call.world.background.set(call.background, running);
    return;
  }
  call.world.last = await running.ended;
  checkExpected(call, call.world.last);
}

function checkExpected({ expect }: Call, { code, stdout, stderr }: Outcome): void {
  if (expect === "success" && code !== 0) throw new Error(`failed with exit code ${code}\n${stdout}${stderr}`);
  if (expect === "failure" && code === 0) throw new Error(`succeeded unexpectedly\n${stdout}${stderr}`);
}

/** What must hold for every run of dagger, good or bad. */
function checkDagger({ code, stdout, stderr }: Outcome): void {
  if (crash.test(stderr) || crash.test(stdout)) throw new Error(`shows a stack trace\n${stdout}${stderr}`);
  if (![0, 1, 2, 3, 130].includes(code)) throw new Error(`exit code ${code} is none of dagger's\n${stdout}${stderr}`);
  if (code !== 0 && stderr.trim() === "") throw new Error(`fails with exit code ${code} and says nothing`);
}

function match({ args, expect }: Call, text: string): void {
  const counted = /^-count=(\d+)$/.exec(args[0] ?? "");
  const pattern = last({ args });
  const found = text.match(new RegExp(pattern, "gm"))?.length ?? 0;
  const wanted = counted ? found === Number(counted[1]) : found > 0;
  if (wanted === (expect !== "failure")) return;
  throw new Error(`${expect === "failure" ? "unexpected" : "no"} match for ${pattern}${counted ? ` (${found} found)` : ""} in:\n${text}`);
}

function background(world: World, name: string): NonNullable<ReturnType<World["background"]["get"]>> {
  const running = world.background.get(name);
  if (!running) throw new Error(`there is no background process ${name}`);
  return running;
}

function last({ args }: { readonly args: readonly string[] }): string {
  const word = args.at(-1);
  if (word === undefined) throw new Error("an argument is missing");
  return word;
}

function tree(dir: string, prefix = ""): string {
  return readdirSync(dir)
    .sort()
    .map((name) => {
      const path = join(dir, name);
      const stat = lstatSync(path);
      const mode = (stat.mode & 0o7777).toString(8).padStart(4, "0");
      if (stat.isSymbolicLink()) return `link ${prefix}${name} -> ${readlinkSync(path)}\n`;
      if (stat.isDirectory()) return `${mode} ${prefix}${name}/\n${tree(path, `${prefix}${name}/`)}`;
      return `${mode} ${prefix}${name} ${statSync(path).size}\n`;
    })
    .join("");
}
