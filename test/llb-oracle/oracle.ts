// Builds the Go program of this folder and asks it for the LLB of graphs.
import { execFile, spawn } from "node:child_process";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import type { Platform } from "../../compiler/graph/vertex.ts";

/** What client/llb made of one graph; metadata and source map as Go's JSON of the protobuf structs. */
export interface Answer {
  readonly error?: string;
  readonly ops: readonly OracleOp[] | null;
  readonly source: unknown;
  /** Of a `{ reference }` line. */
  readonly reference?: string;
  /** Of a `{ gitUrl }` line. */
  readonly gitUrl?: { readonly scheme: string; readonly host: string; readonly path: string; readonly remote: string };
  /** Of an `{ owner }` line; no name means the id. */
  readonly chown?: { readonly user: OracleOwner | null; readonly group: OracleOwner | null };
  /** Of a `{ normalize }` line; variant "" means none. */
  readonly platform?: Required<Platform>;
}

export interface OracleOwner {
  readonly id: number;
  readonly name: string;
}

export interface OracleOp {
  readonly digest: string;
  readonly bytes: string;
  readonly metadata: unknown;
}

/** Path of the program, built into `dir`; Go's build cache makes the second time quick. */
export async function buildOracle(dir: string): Promise<string> {
  const program = join(dir, "llb-oracle");
  await promisify(execFile)("go", ["build", "-o", program, "."], { cwd: import.meta.dirname });
  return program;
}

/** One answer per line, in order. */
export async function ask(program: string, lines: readonly string[]): Promise<Answer[]> {
  const child = spawn(program, { stdio: ["pipe", "pipe", "inherit"] });
  const output = text(child.stdout);
  child.stdin.end(lines.join(""));
  const answers = (await output).trimEnd().split("\n");
  return answers.map((line) => JSON.parse(line) as Answer);
}
