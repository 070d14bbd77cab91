// Opens a process that a person talks to: in the finished filesystem of a component, or where a step failed.
import { posix } from "node:path";
import type { Component, ExecVertex, Job } from "../../compiler/index.ts";
import { behindHelper, inputError, UserError } from "../../compiler/index.ts";
import type { Build, Container, ContainerMount, ContainerSpec, FailedExec, Process, ProcessExit } from "../../runtime/solve/index.ts";
import type { ReadSecret } from "../secrets/provider.ts";

/** Where a shell is shown, and typed into. */
export interface ShellTerminal {
  /** Whether a person sits there: then the process gets a terminal, too. */
  readonly tty: boolean;
  readonly stdin: NodeJS.ReadableStream;
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
  size(): { readonly columns: number; readonly rows: number };
  /** Calls back when the terminal changes its size; gives a function that ends this. */
  onResize(callback: () => void): () => void;
  /** From now on every key goes to the process, Ctrl-C too; gives a function that ends this. */
  raw(): () => void;
}

export interface ShellWish {
  readonly terminal: ShellTerminal;
  /** The shell to start, e.g. `/bin/bash`; without it SHELL of the environment, the image's shell, bash or sh. */
  readonly shell?: string;
  /** A command instead of a shell. */
  readonly command?: readonly string[];
  /** Called just before the process gets the terminal. */
  onOpen?(what: string): void;
}

/** Runs a process in the state that a component ends with; its mounts are those of the component's last exec. Gives its exit code. */
export async function shellIn(build: Build, job: Job, component: Component, wish: ShellWish, secrets: ReadSecret): Promise<number> {
  const { env, computedEnv, dir, user, platform, like } = component.process;
  const solve = async (output: Component["output"]): Promise<string> =>
    output === null ? "" : (await build.solve(job.define(output).encoded)).id;
  const root = await solve(component.output);
  const mounts = await Promise.all((like?.mounts ?? []).map((mount) => toMount(mount, solve)));
  const computed = await Promise.all(
    computedEnv.map(async ([name, file]) => [name, await readText(build, await solve(file), name)] as const),
  );
  const container: ContainerSpec = {
    mounts: [{ kind: "bind", dest: "/", result: root }, ...mounts],
    network: like?.network ?? "sandbox",
    platform,
    ...(like === undefined ? {} : { extraHosts: like.extraHosts }),
    ...(like?.hostname === undefined ? {} : { hostname: like.hostname }),
  };
  const secretEnv = like?.secretEnv ?? [];
  const process = {
    args: [],
    env: [...env, ...computed].map(([name, value]) => `${name}=${value}`),
    cwd: dir,
    user,
    insecure: like?.insecure ?? false,
    secretEnv,
  };
  return open(build, { container, process: { ...process, tty: false } }, wish, secrets, component.path || "the config");
}

/** Runs a shell where an exec failed, on the filesystems as it left them. */
export async function shellAfter(build: Build, failed: FailedExec, wish: ShellWish, secrets: ReadSecret): Promise<void> {
  const { command, prefix } = behindHelper(failed.process.args);
  await open(build, failed, wish, secrets, `the failed step: ${command.join(" ")}`, prefix);
}

/** A computed value, as the process of an exec gets it. */
async function readText(build: Build, id: string, name: string): Promise<string> {
  const text = (await build.readFile({ id }, "/value")).toString("utf8");
  if (!text.includes("\0")) return text;
  throw notStarted([], `the value for ${name} has a NUL byte, which no variable can hold`);
}

async function toMount(
  mount: ExecVertex["mounts"][number],
  solve: (output: Component["output"]) => Promise<string>,
): Promise<ContainerMount> {
  if (mount.kind !== "bind" && mount.kind !== "cache") return mount.kind === "tmpfs" ? { kind: "tmpfs", dest: mount.dest } : mount;
  const { dest, selector } = mount;
  const place = { dest, selector, readonly: mount.readonly ?? false, result: await solve(mount.from) };
  return mount.kind === "bind" ? { kind: "bind", ...place } : { kind: "cache", ...place, id: mount.id, sharing: mount.sharing };
}

/** `prefix` is what the program is run by. */
async function open(
  build: Build,
  where: FailedExec,
  wish: ShellWish,
  secrets: ReadSecret,
  what: string,
  prefix: readonly string[] = [],
): Promise<number> {
  // A daemon that cannot have a variable's secret tells nothing until it is asked to end: what is wrong is told before it is asked.
  for (const { id } of where.process.secretEnv ?? []) await secrets(id);
  const container = await build.gateway((gateway) => gateway.container(where.container));
  try {
    const args = [...prefix, ...(await build.gateway(() => findCommand(rootOf(container, where), where, wish, what)))];
    wish.onOpen?.(what);
    const { tty } = wish.terminal;
    const known = where.process.env.some((one) => one.startsWith("TERM="));
    const env = tty && !known ? [...where.process.env, "TERM=xterm"] : where.process.env;
    const exit = await build.gateway(async () => converse(container.start({ ...where.process, env, args, tty }), wish.terminal));
    if (exit.error !== undefined) throw notStarted(args, exit.error);
    return exit.code;
  } finally {
    await container.release().catch(() => undefined);
  }
}

/** Joins a process and a terminal until the process has ended and all its output is shown. */
async function converse(running: Process, terminal: ShellTerminal): Promise<ProcessExit> {
  const { stdin, stdout, stderr, tty } = terminal;
  const resize = (): void => running.resize(terminal.size());
  const calm = tty ? terminal.raw() : () => undefined;
  const stopResize = tty ? terminal.onResize(resize) : () => undefined;
  if (tty) resize();
  stdin.pipe(running.stdin);
  const shown = [running.stdout.pipe(stdout, { end: false }), running.stderr.pipe(stderr, { end: false })];
  const read = [running.stdout, running.stderr].map(
    (output) => new Promise<void>((done) => void output.once("end", done).once("close", done)),
  );
  try {
    const exit = await running.ended;
    await Promise.all(read);
    return exit;
  } finally {
    stopResize();
    stdin.unpipe(running.stdin);
    stdin.pause();
    for (const output of [running.stdout, running.stderr]) for (const to of shown) output.unpipe(to);
    calm();
  }
}

const places = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/** Whether there is something at a path of a container's root. */
function rootOf(container: Container, where: FailedExec): (path: string) => Promise<boolean> {
  const index = where.container.mounts.findIndex((mount) => mount.dest === "/");
  return async (path) =>
    container.files.stat(path, index).then(
      () => true,
      () => false,
    );
}

type Exists = (path: string) => Promise<boolean>;

/** What to run: the command, the shell that was asked for, or the best that is there. Throws UserError (2) `no-program`, `no-shell`. */
async function findCommand(exists: Exists, where: FailedExec, { command, shell }: ShellWish, what: string): Promise<readonly string[]> {
  const { env, cwd } = where.process;
  const value = (name: string): string | undefined => env.findLast((one) => one.startsWith(`${name}=`))?.slice(name.length + 1);
  const path = value("PATH")?.split(":") ?? places;
  const find = async (name: string): Promise<string | undefined> => {
    const found = name.includes("/") ? [posix.resolve(cwd, name)] : path.map((dir) => `${dir}/${name}`);
    for (const file of found) if (await exists(file)) return file;
    return undefined;
  };
  if (command !== undefined) {
    const [program = ""] = command;
    if (seesAll(where) && (await find(program)) === undefined) throw noProgram(program, what);
    return command;
  }
  const candidates = shell === undefined ? [value("SHELL"), "bash", "sh"] : [shell];
  for (const name of candidates) {
    const found = name === undefined || name === "" ? undefined : await find(name);
    if (found !== undefined) return [found];
  }
  throw inputError({
    code: "no-shell",
    message: `There is no ${shell ?? "shell"} in ${what}`,
    at: [],
    hint: "Name a program that it has with --shell",
  });
}

/** Whether programs can lie nowhere but in the root: only there they are looked for. The container itself tells of the others. */
function seesAll({ container }: FailedExec): boolean {
  return container.mounts.every(({ dest, kind }) => dest === "/" || dest.startsWith("/.dagger/") || (kind !== "bind" && kind !== "cache"));
}

function noProgram(program: string, what: string): UserError {
  return inputError({
    code: "no-program",
    message: `There is no program ${program} in ${what}`,
    at: [],
    hint: "Check its name, PATH, and that the image has it",
  });
}

function notStarted([program]: readonly string[], why: string): UserError {
  const message = `Cannot run ${program ?? "a process"}: ${why}`;
  return new UserError(1, [{ code: "shell-failed", message, at: [], hint: "Choose the program with --shell" }]);
}

/** The user named a struct of components, not one. */
export function noComponent(path: string, job: Job): UserError {
  const names = job.graph.components.map((component) => component.path);
  return inputError({
    code: "no-single-component",
    message: path === "" ? "The config is not one component" : `${path} is no component: it has several below it`,
    at: [],
    hint: `Name one of ${names.slice(0, 10).join(", ")}`,
  });
}
