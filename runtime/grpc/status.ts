// gRPC status codes, and the error that a call ends with.
import type { IncomingHttpHeaders } from "node:http2";

export const Code = {
  ok: 0,
  canceled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  aborted: 10,
  outOfRange: 11,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  dataLoss: 15,
  unauthenticated: 16,
} as const;

/** A call that ended with another status than OK. `details` is an encoded google.rpc.Status, when the server sent one. */
export class RpcError extends Error {
  readonly code: number;
  readonly details: Buffer | undefined;

  constructor(code: number, message: string, options?: { details?: Buffer | undefined; cause?: unknown }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.name = "RpcError";
    this.code = code;
    this.details = options?.details;
  }
}

/** The status in headers or trailers; undefined when they have none. */
export function readStatus(headers: IncomingHttpHeaders): { code: number; error: RpcError | undefined } | undefined {
  const text = headers["grpc-status"];
  if (typeof text !== "string") return undefined;
  const code = Number(text);
  if (code === Code.ok) return { code, error: undefined };
  const message = headers["grpc-message"];
  const details = headers["grpc-status-details-bin"];
  return {
    code,
    error: new RpcError(
      Number.isInteger(code) ? code : Code.unknown,
      typeof message === "string" ? decodeMessage(message) : `status ${text}`,
      {
        details: typeof details === "string" ? Buffer.from(details, "base64") : undefined,
      },
    ),
  };
}

/** grpc-message is percent-encoded UTF-8; a broken encoding is shown as it came. */
function decodeMessage(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Percent-encodes what gRPC does not allow in grpc-message: all but printable ASCII, and `%`. */
export function encodeMessage(text: string): string {
  let out = "";
  for (const byte of Buffer.from(text)) {
    out +=
      byte >= 0x20 && byte < 0x7f && byte !== 0x25 ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return out;
}
