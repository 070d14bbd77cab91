// Asks a person for what must not be seen, or takes it from a pipe.
import type { Context } from "./context.ts";
import { UsageError } from "./failure.ts";

/** In a terminal what is typed up to Enter, not shown; else all of stdin without one newline at its end. */
export async function readHidden(question: string, { io, signal }: Context): Promise<Uint8Array> {
  const { stdin } = process;
  const parts: Buffer[] = [];
  if (!stdin.isTTY) {
    for await (const part of stdin) parts.push(part as Buffer);
    const all = Buffer.concat(parts);
    return all.subarray(0, all.at(-1) === 10 ? all.length - (all.at(-2) === 13 ? 2 : 1) : all.length);
  }
  io.stderr.write(question);
  stdin.setRawMode(true);
  try {
    let typed = "";
    for await (const part of stdin) {
      for (const one of (part as Buffer).toString("utf8")) {
        if (one === "\r" || one === "\n") return Buffer.from(typed);
        if (one === "\u0003" || signal.aborted || (one === "\u0004" && typed === "")) throw interrupted();
        typed = one === "\u007f" || one === "\b" ? [...typed].slice(0, -1).join("") : typed + one;
      }
    }
    return Buffer.from(typed);
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
    io.stderr.write("\n");
  }
}

function interrupted(): UsageError {
  return new UsageError({ code: "no-value", message: "No value was given", at: [], hint: "Type it and press Enter, or pipe it in" });
}
