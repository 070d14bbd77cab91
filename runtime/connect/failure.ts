// Says why there is no connection, and what to do: one sentence for what systems, TLS and programs report.
import { UserError } from "../../compiler/diagnostic.ts";
import type { Address, TcpAddress } from "./address.ts";
import { CommandError } from "./command.ts";
import { NoUpgradeError } from "./docker.ts";
import { expiredSince } from "./tls.ts";

/** Exit 3 `no-daemon`. */
export function noDaemon(address: Address, cause: unknown): UserError {
  const { why, hint } = explain(address, cause);
  const message = `Cannot connect to a BuildKit daemon at ${where(address)}: ${why}`;
  return new UserError(3, [{ code: "no-daemon", message, at: [], hint }], { cause });
}

/** As the user wrote it; for `docker://` also which Docker that is. */
function where({ text, ...address }: Address): string {
  if (address.kind !== "docker" || text.replace(/\/+$/, "") !== "docker:") return text;
  const { endpoint } = address;
  if (endpoint?.kind === "unix") return `${text} (unix://${endpoint.path})`;
  return endpoint?.kind === "tcp" ? `${text} (tcp://${endpoint.host}:${endpoint.port})` : text;
}

/** Why a connection that was there is gone, as the end of a sentence. */
export function whyLost(address: Address, cause: unknown): string {
  return reason(endpointOf(address), cause);
}

interface Explanation {
  readonly why: string;
  readonly hint: string;
}

function explain(address: Address, cause: unknown): Explanation {
  const endpoint = endpointOf(address);
  const why = reason(endpoint, cause);
  if (cause instanceof NoUpgradeError) return { why, hint: "Use Docker 18.09 or newer, or a buildkitd with --buildkit" };
  if (cause instanceof CommandError) return { why, hint: commandHint(cause) };
  if (address.kind === "docker") return { why, hint: "Start Docker, or point DOCKER_HOST to one that runs" };
  if (endpoint.kind === "tcp") {
    const hint = tlsHint(endpoint, cause);
    if (hint !== undefined) return { why, hint };
  }
  return { why, hint: "Start buildkitd, or point --buildkit or BUILDKIT_HOST to one that runs" };
}

function endpointOf(address: Address): Exclude<Address, { kind: "docker" }> {
  if (address.kind !== "docker") return address;
  return address.endpoint ?? { kind: "unix", text: address.text, path: "" };
}

/** System errors in words; everything else as it says itself. */
function reason(endpoint: Exclude<Address, { kind: "docker" }>, error: unknown): string {
  const code = codeOf(error);
  const system = systemReasons[code];
  if (endpoint.kind === "tcp") return tlsReason(endpoint, code, error) ?? system ?? said(error);
  return system ?? said(error);
}

function said(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

const systemReasons: Readonly<Record<string, string>> = {
  ENOENT: "there is no such socket",
  ECONNREFUSED: "nothing listens there",
  EACCES: "permission denied",
  ENOTFOUND: "the host name is unknown",
  EAI_AGAIN: "the host name cannot be looked up now",
  ETIMEDOUT: "the host cannot be reached",
  EHOSTUNREACH: "the host cannot be reached",
  ENETUNREACH: "the host cannot be reached",
  ECONNRESET: "the daemon closed it",
  EPIPE: "the daemon closed it",
  ERR_HTTP2_ERROR: "what listens there does not speak gRPC",
};

/** The daemon's certificate was made by none of the authorities that we trust. */
const untrusted: ReadonlySet<string> = new Set([
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "CERT_SIGNATURE_FAILURE",
]);
const wrongName = "ERR_TLS_CERT_ALTNAME_INVALID";
const notTls = "ERR_SSL_WRONG_VERSION_NUMBER";
/** How TLS says that the other side did not take our certificate. */
const refusal = /^ERR_SSL_(SSLV3|TLSV1|TLSV13)_ALERT_(.*CERT.*|UNKNOWN_CA|HANDSHAKE_FAILURE|ACCESS_DENIED)$/;

function tlsReason({ tls, host }: TcpAddress, code: string, error: unknown): string | undefined {
  if (tls === undefined) return undefined;
  if (untrusted.has(code)) return "its certificate is not signed by a certificate authority that is trusted here";
  if (code === wrongName) return `its certificate is not for ${tls.serverName ?? host}: ${namesOf(error)}`;
  if (code === "CERT_HAS_EXPIRED") return "its certificate has expired";
  if (code === "CERT_NOT_YET_VALID") return "its certificate is not valid yet";
  if (code === notTls) return "what listens there does not speak TLS";
  if (!refused(tls, code)) return undefined;
  if (tls.cert === undefined) return "it wants a client certificate";
  const expired = expiredSince(tls.cert, new Date());
  return expired === undefined ? "it refuses the client certificate" : `it refuses the client certificate, which expired on ${expired}`;
}

function namesOf(error: unknown): string {
  const text = error instanceof Error && "cert" in error ? (error.cert as { subjectaltname?: string }).subjectaltname : undefined;
  return text === undefined ? said(error) : `it is for ${text}`;
}

/** Daemons that end TLS 1.3 without an alert close the connection where it should go on. */
function refused(tls: NonNullable<TcpAddress["tls"]>, code: string): boolean {
  if (refusal.test(code)) return true;
  return (code === "ECONNRESET" || code === "EPIPE") && tls.cert !== undefined && expiredSince(tls.cert, new Date()) !== undefined;
}

function tlsHint({ tls }: TcpAddress, cause: unknown): string | undefined {
  const code = codeOf(cause);
  if (tls === undefined) {
    // A TLS server answers plain HTTP/2 with an alert, or with nothing.
    const unclear = code === "ECONNRESET" || code === "EPIPE" || code === "ERR_HTTP2_ERROR" || code === "";
    return unclear ? "if the daemon uses TLS, give its certificates with --tlsdir; else check the address" : undefined;
  }
  if (untrusted.has(code)) return "give the authority that signed it with --tlscacert, or as ca.pem in --tlsdir";
  if (code === wrongName) return "use the host name that it is for, or say that name with --tlsservername";
  if (code === notTls) return "leave the --tls flags and BUILDKIT_TLS_ variables out, or start the daemon with TLS";
  if (code.startsWith("CERT_")) return "have the daemon's certificate renewed";
  if (!refused(tls, code)) return undefined;
  if (tls.cert === undefined) return "give one with --tlscert and --tlskey, or as cert.pem and key.pem in --tlsdir";
  return expiredSince(tls.cert, new Date()) === undefined
    ? "Give one that is signed by the authority which the daemon trusts (its --tlscacert)"
    : "Have the client certificate renewed";
}

/** Programs tell by their exit codes; each can be tried alone, in a terminal where it may ask. */
function commandHint({ address, exitCode, cause, message }: CommandError): string {
  const { program, args } = address;
  if (cause !== undefined) return `install ${program}, or use another address with --buildkit or BUILDKIT_HOST`;
  if (program === "ssh" && exitCode === 255) {
    return `try it in a terminal, where ssh can ask about host keys and passwords: ${[program, ...args].join(" ")}`;
  }
  // kubectl ends with 1 where the runtime of the containers cannot start what was asked for.
  if (exitCode === 127 || exitCode === 126 || message.includes("executable file not found"))
    return "buildctl must be installed where the daemon runs, and on PATH there";
  return `check that this works: ${[program, ...args].join(" ")}`;
}
