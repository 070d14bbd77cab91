// Processes in containers of a build's gateway, which can be talked to while they run.
import { Readable, Writable } from "node:stream";
import { ExecMessage } from "../../proto/gen/github.com/moby/buildkit/frontend/gateway/pb/gateway.ts";
import { SecurityMode } from "../../proto/gen/github.com/moby/buildkit/solver/pb/ops.ts";
import { Code, RpcError } from "../grpc/status.ts";
import { newId } from "../session/index.ts";
import { bridgeMethod, type GatewayCall } from "./gateway-methods.ts";
import { MessageStream, type StreamOptions } from "./stream.ts";

const execMethod = bridgeMethod("ExecProcess", ExecMessage, ExecMessage);

export interface ProcessSpec {
  readonly args: readonly string[];
  /** `NAME=value`. */
  readonly env: readonly string[];
  readonly cwd: string;
  readonly user: string;
  /** A terminal: then everything comes out of `stdout`, and `stdin` is what is typed. */
  readonly tty: boolean;
  readonly insecure?: boolean;
  readonly secretEnv?: readonly { readonly id: string; readonly name: string; readonly optional: boolean }[];
}

/** How a process ended. `error` tells why it could not run, or not to its end; `code` is then 255 unless the process gave one. */
export interface ProcessExit {
  readonly code: number;
  readonly error?: string;
}

const pieceSize = 1 << 20;

/** Milliseconds. A daemon that refuses a process says so only after we have ended the stream: who has not started by then never will. */
const startTimeout = 60_000;

/** stdin, stdout, stderr: the numbers of the protocol. */
const fds = [0, 1, 2];

export class Process {
  /** What is written goes to the process; ending it closes the process's stdin. */
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Nothing comes out of it when the process has a terminal. */
  readonly stderr: Readable;
  /** Settles when the process has ended and all its output was received. Rejects with RpcError, or UserError when the connection broke. */
  readonly ended: Promise<ProcessExit>;
  readonly #id = newId();
  readonly #stream: MessageStream<ExecMessage, ExecMessage>;
  readonly #full = new Set<Readable>();
  readonly #starting = setTimeout(() => this.#stream.end(), startTimeout);
  readonly #stopListening: () => void;
  #exit: ProcessExit | undefined;
  #inputEnded = false;
  #done = false;

  constructor(container: string, spec: ProcessSpec, call: GatewayCall) {
    const options: StreamOptions = call.options;
    this.#stream = new MessageStream(call.connection, execMethod, options, (message) => this.#receive(message));
    this.stdout = this.#output();
    this.stderr = this.#output();
    this.stdin = new Writable({
      highWaterMark: 64 << 10,
      write: (chunk: Buffer, _encoding, taken) => this.#sendInput(chunk, taken),
      final: (taken) => {
        this.#endInput();
        taken();
      },
    });
    this.stdin.on("error", () => undefined); // what is written to a process that has ended is lost
    this.#stopListening = call.refusedSecrets.listen((id, missing) => {
      // A process that cannot have its variables is refused: ending the stream makes the daemon say so.
      if (spec.secretEnv?.some((one) => one.id === id && !(one.optional && missing)) === true) this.#stream.end();
    });
    this.#send({
      $case: "Init",
      value: {
        ContainerID: container,
        Meta: {
          args: [...spec.args],
          env: [...spec.env],
          cwd: spec.cwd,
          user: spec.user,
          proxy_env: undefined,
          extraHosts: [],
          hostname: "",
          ulimit: [],
          cgroupParent: "",
          removeMountStubsRecursive: true,
          validExitCodes: [],
        },
        Fds: spec.tty ? [0, 1] : fds,
        Tty: spec.tty,
        Security: spec.insecure === true ? SecurityMode.INSECURE : SecurityMode.SANDBOX,
        secretenv: (spec.secretEnv ?? []).map(({ id, name, optional }) => ({ ID: id, name, optional })),
      },
    });
    this.ended = this.#wait();
    this.ended.catch(() => undefined);
  }

  /** Tells the process the size of its terminal. */
  resize(size: { readonly columns: number; readonly rows: number }): void {
    this.#send({ $case: "Resize", value: { Rows: size.rows, Cols: size.columns } });
  }

  /** Sends a signal, named without SIG: `INT`, `TERM`, `HUP`. */
  signal(name: string): void {
    this.#send({ $case: "Signal", value: { Name: name } });
  }

  /** Ends the process at once. */
  kill(): void {
    this.#stream.cancel();
  }

  #output(): Readable {
    const readable: Readable = new Readable({
      read: () => {
        this.#full.delete(readable);
        if (this.#full.size === 0) this.#stream.resume();
      },
    });
    return readable;
  }

  #send(input: NonNullable<ExecMessage["Input"]>): boolean {
    return this.#done || this.#stream.send({ ProcessID: this.#id, Input: input });
  }

  /** In pieces: a paste of megabytes is more than one message may have. */
  #sendInput(chunk: Buffer, taken: () => void): void {
    if (chunk.length === 0 || this.#inputEnded) {
      taken();
      return;
    }
    const room = this.#send({ $case: "File", value: { Fd: 0, EOF: false, Data: chunk.subarray(0, pieceSize) } });
    const next = (): void => this.#sendInput(chunk.subarray(pieceSize), taken);
    if (room) next();
    else this.#stream.drained(next);
  }

  /** Or never will. */
  #hasStarted(): void {
    clearTimeout(this.#starting);
    this.#stopListening();
  }

  /** Once: the daemon refuses a second time, and calls the process done only after the first. */
  #endInput(): void {
    if (this.#inputEnded) return;
    this.#inputEnded = true;
    this.#send({ $case: "File", value: { Fd: 0, EOF: true, Data: Buffer.alloc(0) } });
  }

  #receive({ Input: input }: ExecMessage): void {
    switch (input?.$case) {
      case "Started":
        this.#hasStarted();
        return;
      case "File": {
        const output = input.value.Fd === 2 ? this.stderr : this.stdout;
        if (input.value.Data.length > 0 && !output.push(input.value.Data)) {
          this.#full.add(output);
          this.#stream.pause();
        }
        return;
      }
      case "Exit": {
        const { Code: code, Error: error } = input.value;
        this.#exit = { code, ...(error === undefined || code !== unknownExit ? {} : { error: error.message }) };
        this.#endInput();
        return;
      }
      case "Done":
        this.#done = true;
        this.#stream.end();
        return;
      default:
        return;
    }
  }

  async #wait(): Promise<ProcessExit> {
    try {
      await this.#stream.ended;
      if (this.#exit === undefined) throw new RpcError(Code.aborted, "the daemon ended the process without saying how");
      return this.#exit;
    } catch (error) {
      // Input that nobody reads any more is an error to the daemon, not to us.
      if (this.#exit !== undefined) return this.#exit;
      throw error;
    } finally {
      this.#hasStarted();
      this.#done = true;
      this.stdout.push(null);
      this.stderr.push(null);
      this.stdin.destroy();
    }
  }
}

/** The code of an exit that only `Error` explains. */
const unknownExit = 255;
