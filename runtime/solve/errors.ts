// Turns what the daemon answers into errors that a user can act on. BuildKit packs typed details as JSON into the gRPC status.

import { type Diagnostic, type ExitCode, UserError } from "../../compiler/diagnostic.ts";
import { Status } from "../../proto/gen/google/rpc/status.ts";
import { Code, type RpcError } from "../grpc/status.ts";
import { type FailedExec, readFailedExec } from "./failed-exec.ts";

/** A range of a source file; lines start at 1, characters at 0, as LLB counts them. */
export interface SourceRange {
  readonly file: string;
  readonly startLine: number;
  readonly startCharacter: number;
  readonly endLine: number;
  readonly endCharacter: number;
}

/** What the daemon says about a failed solve, as data. */
export interface SolveFailure {
  /** The daemon's own words, without any prefix. */
  readonly reason: string;
  /** gRPC status code. */
  readonly code: number;
  /** Digest of the vertex that failed. */
  readonly vertex?: string;
  /** Exit code of the process, when one failed. */
  readonly exitCode?: number;
  /** Which action of a FileOp failed, from 0. */
  readonly fileAction?: number;
  /**
   * Of a failed exec, by the order of its mounts: ids of results as they were when it failed ("" where a mount has no filesystem of its
   * own, e.g. a cache). Valid in the same build, and only when it was solved through the gateway.
   */
  readonly mounts?: readonly string[];
  /** The process that failed, ready to be looked into; there when `mounts` are. */
  readonly exec?: FailedExec;
  /** As `mounts`, by the order of the op's inputs: what it started from. */
  readonly inputs?: readonly string[];
  /** Lines of the source map of the vertex, most telling last. */
  readonly ranges: readonly SourceRange[];
}

/** A failed solve. The engine adds the CUE line of `failure.vertex` to the diagnostic. */
export class SolveError extends UserError {
  readonly failure: SolveFailure;

  constructor(exit: ExitCode, diagnostic: Diagnostic, failure: SolveFailure, cause: unknown) {
    super(exit, [diagnostic], { cause });
    this.name = "SolveError";
    this.failure = failure;
  }
}

/** Exit 1 `solve-failed`; exit 3 `daemon-refused` when the daemon cannot do what was asked, or stopped doing it. */
export function solveError(error: RpcError): SolveError {
  const failure = readFailure(error);
  if (failure.vertex === undefined && failure.exitCode === undefined && refusals.has(error.code)) {
    const hint = error.code === Code.unimplemented ? "A newer BuildKit daemon may know it" : "Look into the daemon's log";
    return new SolveError(
      3,
      { code: "daemon-refused", message: `The BuildKit daemon gave up: ${failure.reason}`, at: [], hint },
      failure,
      error,
    );
  }
  return new SolveError(1, { code: "solve-failed", message: failure.reason, at: [] }, failure, error);
}

const refusals: ReadonlySet<number> = new Set([
  Code.canceled,
  Code.unavailable,
  Code.unimplemented,
  Code.resourceExhausted,
  Code.deadlineExceeded,
]);

/** Exit 1 `image-not-found` when the registry has no such image, else as `solveError`. */
export function imageError(error: RpcError, ref: string): SolveError {
  const failure = readFailure(error);
  // The daemon has no code or detail for this: the end of its text, which containerd's resolver writes, is all there is.
  if (error.code !== Code.notFound && !error.message.endsWith(": not found")) {
    const message = `Cannot resolve the image ${ref}: ${failure.reason}`;
    return new SolveError(
      1,
      { code: "image-unavailable", message, at: [], hint: "Check the name, the network, and the login to its registry" },
      failure,
      error,
    );
  }
  const hint = "Check its name and tag, or import it with: dagger image import";
  return new SolveError(1, { code: "image-not-found", message: `There is no image ${ref}`, at: [], hint }, failure, error);
}

/** Decodes the details of a status. Details that are unknown or broken are left out: the message always remains. */
export function readFailure(error: RpcError): SolveFailure {
  const found: { -readonly [K in keyof SolveFailure]?: SolveFailure[K] } = {};
  const ranges: SourceRange[] = [];
  for (const { type, value } of readDetails(error)) {
    if (type === "errdefs.Vertex") {
      const digest = field(value, "digest");
      if (typeof digest === "string" && digest !== "") found.vertex = digest;
    } else if (type === "gatewayapi.ExitMessage") {
      const code = field(value, "Code") ?? field(value, "code");
      if (typeof code === "number") found.exitCode = code;
    } else if (type === "errdefs.Solve") {
      const index = toNumber(field(field(value, "file"), "index") ?? (field(value, "file") === undefined ? undefined : 0));
      if (index !== undefined) found.fileAction = index;
      const [inputs, mounts] = [readIds(field(value, "inputIDs")), readIds(field(value, "mountIDs"))];
      if (inputs !== undefined) found.inputs = inputs;
      const exec = readFailedExec(value, mounts ?? []);
      if (mounts !== undefined) found.mounts = mounts;
      if (exec !== undefined) found.exec = exec;
    } else if (type === "errdefs.Source") ranges.push(...readRanges(value));
  }
  return { reason: error.message, code: error.code, ranges, ...found };
}

function readDetails(error: RpcError): { type: string; value: unknown }[] {
  if (error.details === undefined) return [];
  let details: { type_url: string; value: Uint8Array }[];
  try {
    details = Status.decode(error.details).details;
  } catch {
    return [];
  }
  return details.flatMap((any) => {
    // e.g. github.com/moby/buildkit/errdefs.Vertex+json
    const match = /([^/]+)\+json$/.exec(any.type_url);
    if (match === null) return [];
    try {
      return [{ type: match[1] as string, value: JSON.parse(Buffer.from(any.value).toString("utf8")) as unknown }];
    } catch {
      return [];
    }
  });
}

function readRanges(value: unknown): SourceRange[] {
  const info = field(value, "info");
  const file = field(info, "filename");
  const ranges = field(value, "ranges");
  if (!Array.isArray(ranges)) return [];
  return ranges.map((range: unknown) => ({
    file: typeof file === "string" ? file : "",
    startLine: toNumber(field(field(range, "start"), "line")) ?? 0,
    startCharacter: toNumber(field(field(range, "start"), "character")) ?? 0,
    endLine: toNumber(field(field(range, "end"), "line")) ?? 0,
    endCharacter: toNumber(field(field(range, "end"), "character")) ?? 0,
  }));
}

function readIds(value: unknown): string[] | undefined {
  return Array.isArray(value) && value.length > 0 ? value.map((id) => (typeof id === "string" ? id : "")) : undefined;
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

/** protojson writes 64-bit numbers as strings. */
function toNumber(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  return typeof value === "string" && /^-?\d+$/.test(value) ? Number(value) : undefined;
}
