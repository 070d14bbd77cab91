// The world of one script: its directory, environment, processes and mounts, all of which end with it.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Txtar } from "../support/txtar.ts";

/** What a process wrote and how it ended. A process ended by a signal has the shell's code, 128 + its number. */
export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

/** A process in the background. */
export interface Running {
  readonly program: string;
  readonly child: ChildProcess;
  readonly ended: Promise<Outcome>;
  /** So far. */
  stdout(): string;
  stderr(): string;
}

/** What all scripts of a test process share. */
export interface Shared {
  readonly buildkitHost: string;
  /** A data directory with the test images, copied for each script. */
  readonly dataDir: string;
}

export const repository: string = fileURLToPath(new URL("../..", import.meta.url));
/** A step of a script that takes longer hangs: a wrong turn, not a slow machine. */
const patience = 180_000;

export class World {
  /** Variables of the script and its processes. */
  readonly env: Record<string, string>;
  readonly work: string;
  readonly background: Map<string, Running> = new Map();
  /** What to undo at the end, last first. */
  readonly cleanups: (() => Promise<void> | void)[] = [];
  cwd: string;
  last: Outcome = { stdout: "", stderr: "", code: 0 };
  stdin = "";
  readonly #top: string;

  constructor(archive: Txtar, shared: Shared) {
    this.#top = realpathSync(mkdtempSync(join(tmpdir(), "script-")));
    this.work = join(this.#top, "work");
    this.cwd = this.work;
    const home = join(this.#top, "home");
    mkdirSync(this.work);
    mkdirSync(home);
    cpSync(shared.dataDir, join(home, ".local/share/dagger"), { recursive: true });
    // A clean environment: nothing of the machine's own settings may change what a script sees.
    this.env = {
      PATH: process.env["PATH"] ?? "/usr/bin:/bin",
      HOME: home,
      XDG_CACHE_HOME: join(home, ".cache"),
      XDG_DATA_HOME: join(home, ".local/share"),
      XDG_CONFIG_HOME: join(home, ".config"),
      XDG_RUNTIME_DIR: join(home, ".run"),
      TMPDIR: join(this.#top, "tmp"),
      WORK: this.work,
      REPO: repository.replace(/\/$/, ""),
      BUILDKIT_HOST: shared.buildkitHost,
      NO_COLOR: "1",
    };
    mkdirSync(join(this.#top, "tmp"));
    for (const [name, content] of archive.files) this.write(name, content);
  }

  /** The absolute path of a name in the script. */
  path(name: string): string {
    return resolve(this.cwd, name);
  }

  write(name: string, content: string): void {
    const path = resolve(this.work, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    if (content.startsWith("#!")) chmodSync(path, 0o755);
  }

  start(program: string, args: readonly string[]): Running {
    const child = spawn(program, args, { cwd: this.cwd, env: this.env, stdio: ["pipe", "pipe", "pipe"] });
    const out = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
    child.stdout.on("data", (chunk: Buffer) => out.stdout.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => out.stderr.push(chunk));
    child.stdin.on("error", () => undefined); // a process that does not read its input is no error of the script
    child.stdin.end(this.stdin);
    this.stdin = "";
    const text = (name: "stdout" | "stderr") => (): string => Buffer.concat(out[name]).toString("utf8");
    const ended = new Promise<Outcome>((done, fail) => {
      const timer = setTimeout(() => {
        child.kill("SIGKILL");
        fail(new Error(`${program} ${args.join(" ")}: no end in ${patience / 1000} s\n${text("stderr")()}`));
      }, patience);
      child.once("error", (error) => {
        clearTimeout(timer);
        fail(error);
      });
      child.once("close", (code, signal) => {
        clearTimeout(timer);
        done({
          stdout: text("stdout")(),
          stderr: text("stderr")(),
          code: code ?? 128 + (signal === "SIGINT" ? 2 : signal === "SIGTERM" ? 15 : 9),
        });
      });
    });
    ended.catch(() => undefined); // whoever waits for it hears of it
    return { program, child, ended, stdout: text("stdout"), stderr: text("stderr") };
  }

  /** Output with everything that differs between runs replaced: directories, addresses, durations. */
  normalise(text: string): string {
    return (
      text
        .replaceAll(this.work, "$WORK")
        .replaceAll(this.#top, "$TOP")
        .replaceAll(this.env["BUILDKIT_HOST"] || "\0", "$BUILDKIT_HOST")
        .replace(/\bsha256:[0-9a-f]{64}\b/g, "<digest>")
        // What the network, or the daemon's own system, says of an address that does not answer.
        .replace(/failed to do request: .*/g, "<network>")
        .replace(/\b\d+(?:\.\d+)?(?:ms|s)\b/g, "<time>")
    );
  }

  /** Mounts a tmpfs of `size` (as mount takes it, e.g. `64k`) that is gone with the script. */
  tmpfs(path: string, size: string): void {
    mkdirSync(path, { recursive: true });
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", path]);
    this.cleanups.push(() => void execFileSync("umount", ["-l", path]));
  }

  async end(): Promise<void> {
    for (const { child, ended } of this.background.values()) {
      child.kill("SIGKILL");
      await ended.catch(() => undefined);
    }
    for (const cleanup of this.cleanups.reverse()) await cleanup();
    rmSync(this.#top, { recursive: true, force: true });
  }
}
