// An Io that keeps what is written, with a terminal of any size and a clock that the test moves.
import type { Io, Out } from "../../cli/io.ts";

export interface MemoryOut extends Out {
  text: string;
  columns: number;
  rows: number;
  /** Pretends that the terminal changed its size. */
  resize(columns: number, rows: number): void;
}

export interface MemoryIo extends Io {
  readonly stdout: MemoryOut;
  readonly stderr: MemoryOut;
  /** Milliseconds since 1970; starts at a fixed moment. */
  time: number;
}

/** Saturday noon, far from any rounding. */
export const noon = 1_800_000_000_000;

export function memoryIo(
  options: { readonly tty?: boolean; readonly env?: Record<string, string>; readonly columns?: number; readonly rows?: number } = {},
): MemoryIo {
  const io: MemoryIo = {
    stdout: memoryOut(options),
    stderr: memoryOut(options),
    env: options.env ?? {},
    cwd: process.cwd(),
    time: noon,
    now: () => io.time,
  };
  return io;
}

function memoryOut(options: { readonly tty?: boolean; readonly columns?: number; readonly rows?: number }): MemoryOut {
  const callbacks = new Set<() => void>();
  const out: MemoryOut = {
    isTTY: options.tty ?? false,
    text: "",
    columns: options.columns ?? 80,
    rows: options.rows ?? 24,
    size: () => ({ columns: out.columns, rows: out.rows }),
    write: (text) => {
      out.text += typeof text === "string" ? text : Buffer.from(text).toString("utf8");
    },
    onResize: (callback) => {
      callbacks.add(callback);
      return () => callbacks.delete(callback);
    },
    resize: (columns, rows) => {
      out.columns = columns;
      out.rows = rows;
      for (const callback of callbacks) callback();
    },
  };
  return out;
}
