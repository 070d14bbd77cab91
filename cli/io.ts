// Io: what a command sees of the process: streams, environment, terminal. Tests pass their own; main.ts passes the real one.

/** A place to write text, and what is known of the terminal behind it. */
export interface Out {
  readonly isTTY: boolean;
  /** Columns and rows of the terminal right now; 80×24 when it does not tell. */
  size(): { readonly columns: number; readonly rows: number };
  write(text: string | Uint8Array): void;
  /** Calls back when the terminal changes its size; gives a function that ends this. */
  onResize(callback: () => void): () => void;
}

export interface Io {
  readonly stdout: Out;
  readonly stderr: Out;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute: where relative paths start. */
  readonly cwd: string;
  /** Milliseconds since 1970. */
  now(): number;
}

/** The real process. A reader that goes away (`dagger … | head`) ends the output quietly, not the program. */
export function processIo(): Io {
  return { stdout: streamOut(process.stdout), stderr: streamOut(process.stderr), env: process.env, cwd: process.cwd(), now: Date.now };
}

function streamOut(stream: NodeJS.WriteStream): Out {
  let open = true;
  stream.on("error", (error: NodeJS.ErrnoException) => {
    open = false;
    // Anything but a closed pipe or terminal is worth an exit code: the output is incomplete.
    if (error.code !== "EPIPE" && error.code !== "EIO" && error.code !== "ERR_STREAM_DESTROYED") process.exitCode = 3;
  });
  return {
    isTTY: stream.isTTY === true,
    size: () => ({ columns: stream.columns > 0 ? stream.columns : 80, rows: stream.rows > 0 ? stream.rows : 24 }),
    write: (text) => {
      if (open) stream.write(text);
    },
    onResize: (callback) => {
      stream.on("resize", callback);
      return () => stream.off("resize", callback);
    },
  };
}

/** Colours are for people at a terminal who did not refuse them (no-color.org; FORCE_COLOR asks for them anyway). */
export function wantsColour(out: Out, env: Io["env"]): boolean {
  if (env["NO_COLOR"] !== undefined && env["NO_COLOR"] !== "") return false;
  if (env["FORCE_COLOR"] !== undefined && env["FORCE_COLOR"] !== "" && env["FORCE_COLOR"] !== "0") return true;
  return out.isTTY && env["TERM"] !== "dumb";
}
