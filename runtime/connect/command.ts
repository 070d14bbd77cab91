// A program as a connection: what is written goes to its stdin, what it prints on stdout is read. Its stderr explains its end.
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { Duplex } from "node:stream";
import type { CommandAddress } from "./address.ts";

/** Of what a program says on stderr, this much of the end is kept. */
const keptStderr = 4096;
/** A program that was told by the end of its stdin gets this many milliseconds before it is told by a signal. */
const grace = 1000;

/** How a program ended that should have stayed; with a `cause` when it never ran. */
export class CommandError extends Error {
  readonly address: CommandAddress;
  /** Undefined when a signal ended it, or it never ran. */
  readonly exitCode: number | undefined;

  constructor(address: CommandAddress, why: string, exitCode: number | undefined, cause?: unknown) {
    super(why, cause === undefined ? undefined : { cause });
    this.name = "CommandError";
    this.address = address;
    this.exitCode = exitCode;
  }
}

/** Starts the program; whatever is wrong with it destroys the stream with a CommandError. */
export function dialCommand(address: CommandAddress): Duplex {
  return new CommandStream(address);
}

class CommandStream extends Duplex {
  readonly #address: CommandAddress;
  readonly #child: ChildProcessWithoutNullStreams;
  #stderr = Buffer.alloc(0);
  #heard = false;

  constructor(address: CommandAddress) {
    super({ highWaterMark: 1 << 20, allowHalfOpen: false });
    this.#address = address;
    // A session of its own: Ctrl-C in this terminal first cancels the job, and that goes through this program.
    this.#child = spawn(address.program, [...address.args], {
      stdio: ["pipe", "pipe", "pipe"],
      detached: true,
      ...(address.env === undefined ? {} : { env: { ...address.env } }),
    });
    const { stdin, stdout, stderr } = this.#child;
    stdin.on("error", () => undefined); // its end says more
    stdout.on("data", (chunk: Buffer) => {
      this.#heard = true;
      if (!this.push(chunk)) stdout.pause();
    });
    stderr.on("data", (chunk: Buffer) => {
      this.#stderr = Buffer.concat([this.#stderr, chunk]).subarray(-keptStderr);
    });
    this.#child.once("error", (error) => this.destroy(this.#notStarted(error)));
    this.#child.once("close", (code, signal) => this.destroy(this.#ended(code, signal)));
  }

  override _read(): void {
    this.#child.stdout.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    // When it is gone, its end is told by `close`, and nothing that is written matters any more.
    this.#child.stdin.write(chunk, () => done());
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#child.stdin.end(() => done());
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const { stdin, stdout, stderr } = this.#child;
    stdin.end();
    stdout.destroy();
    stderr.destroy();
    // One that never said a word may hang, and would not see that its stdin has ended.
    if (this.#heard) setTimeout(() => this.#terminate(), grace).unref();
    else this.#terminate();
    this.#child.unref();
    done(error);
  }

  /** With whatever it started: they are a group of their own. */
  #terminate(): void {
    const { pid, exitCode, signalCode } = this.#child;
    if (pid === undefined || exitCode !== null || signalCode !== null) return;
    try {
      process.kill(-pid, "SIGTERM");
    } catch {
      // It has just ended by itself.
    }
  }

  #notStarted(error: Error): CommandError {
    const missing = "code" in error && error.code === "ENOENT";
    const { program } = this.#address;
    const why = missing ? `the program ${program} is not installed, or not on PATH` : `${program} does not start: ${error.message}`;
    return new CommandError(this.#address, why, undefined, error);
  }

  #ended(code: number | null, signal: NodeJS.Signals | null): CommandError {
    const how = code === null ? `was ended by ${signal ?? "a signal"}` : `ended with exit code ${code}`;
    const said = this.#stderr.toString("utf8").trim();
    return new CommandError(this.#address, `${this.#address.program} ${how}${said === "" ? "" : `: ${said}`}`, code ?? undefined);
  }
}
