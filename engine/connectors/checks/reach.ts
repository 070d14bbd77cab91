// One request of a check, and why it failed: the host is not known, nobody listens, its certificate is not trusted, it takes too long.
import { type ExitCode, UserError } from "../../../compiler/index.ts";
import { type HttpRequest, httpRequest, readBody } from "../../../runtime/http.ts";

/** What checks need beside a connector. */
export interface CheckScope {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute. */
  readonly cwd: string;
  /** Aborts when the check takes too long, or with the call. */
  readonly signal: AbortSignal;
  /** The value of one of the connector's secrets; undefined where it has none. */
  read(secret: string): Promise<Uint8Array | undefined>;
}

export interface Answer {
  readonly status: number;
  readonly header: (name: string) => string;
  /** The first 64 KiB. */
  readonly text: string;
}

/** Redirects are answers, too: a login goes nowhere else. Throws UserError with what `unreachable` says. */
export async function ask(url: URL, request: Omit<HttpRequest, "signal" | "redirects">, { env, signal }: CheckScope): Promise<Answer> {
  try {
    const { status, headers, body } = await httpRequest(url, { ...request, redirects: false, signal }, env);
    const text = (await readBody(body, 1 << 16)).toString("utf8");
    const header = (name: string): string => [headers[name] ?? []].flat().join(", ");
    return { status, header, text };
  } catch (error) {
    throw unreachable(url.host, error);
  }
}

/** An error of a check: `exit` says who has to act. */
export function problem(exit: ExitCode, code: string, message: string, hint: string, cause?: unknown): UserError {
  return new UserError(exit, [{ code, message, at: [], hint }], { cause });
}

export function refused(host: string, why: string, hint: string): UserError {
  return problem(2, "connector-login", `${host} refuses the credentials: ${why}`, hint);
}

export function odd(host: string, why: string, hint: string): UserError {
  return problem(3, "connector-answer", `${host} answers, but ${why}`, hint);
}

export function notTrusted(host: string, why: string): UserError {
  const hint = "Give the certificate of who signs it: dagger connector edit NAME --file ca=FILE";
  return problem(2, "connector-certificate", `The certificate of ${host} is not trusted: ${why}`, hint);
}

export function unknownHost(host: string, cause?: unknown): UserError {
  return problem(3, "connector-unknown-host", `There is no host ${host}`, "Check its spelling, and the DNS of this machine", cause);
}

export function nobodyListens(host: string, cause?: unknown): UserError {
  return problem(3, "connector-unreachable", `Nobody listens at ${host}`, "Check the port, and that the service runs", cause);
}

export function noAnswer(host: string, cause?: unknown): UserError {
  return problem(
    3,
    "connector-timeout",
    `${host} gives no answer`,
    "Check the network and firewalls, or wait longer with --timeout",
    cause,
  );
}

export function unreachable(host: string, error: unknown): unknown {
  if (error instanceof UserError) return error;
  const reason = reasonOf(error);
  const { code = "", name, message } = reason as NodeJS.ErrnoException;
  if (name === "TimeoutError" || code === "ETIMEDOUT") return noAnswer(host, reason);
  if (name === "AbortError") return new UserError(130, [{ code: "interrupted", message: "Interrupted", at: [] }]);
  if (["ENOTFOUND", "EAI_AGAIN", "EAI_NODATA"].includes(code)) return unknownHost(host, reason);
  if (code === "ECONNREFUSED") return nobodyListens(host, reason);
  if (/^CERT_|CERT|^UNABLE_TO|^ERR_TLS_CERT/.test(code)) return notTrusted(host, message);
  if (code === "EPROTO" || /wrong version number/i.test(message))
    return odd(host, "does not speak TLS", "Check whether it is http:// or https://");
  return problem(
    3,
    "connector-unreachable",
    `Cannot reach ${host}: ${message}`,
    "Check the network and the proxy of the environment",
    reason,
  );
}

/** A signal that ends a request has Node tell of an abort; the reason is its cause. Of several addresses the first tells. */
function reasonOf(error: unknown): Error {
  const all = error instanceof AggregateError ? (error.errors[0] as unknown) : error;
  const cause = all instanceof Error && all.name === "AbortError" ? all.cause : all;
  return cause instanceof Error ? cause : all instanceof Error ? all : new Error(String(error));
}
