// Speaks to a Vault server: its address, certificates and namespace from the variables that Vault's own program reads, and one login per run.
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type ExitCode, inputError, UserError } from "../../../compiler/index.ts";
import { type HttpRequest, httpRequest, readBody } from "../../../runtime/http.ts";
import type { SecretScope } from "../provider.ts";

export interface VaultAnswer {
  readonly status: number;
  readonly data: Readonly<Record<string, unknown>>;
  /** What it says is wrong; never a value of a secret. */
  readonly errors: readonly string[];
}

const timeout = 30_000;
/** No answer about one secret is larger. */
const maxAnswer = 4 << 20;

export class VaultClient {
  readonly #scope: SecretScope;
  readonly #address: URL;
  #tls: Promise<NonNullable<HttpRequest["tls"]>> | undefined;
  #token: Promise<string> | undefined;

  /** Throws UserError (2) `vault-not-set`, `bad-vault-address`. */
  constructor(scope: SecretScope) {
    this.#scope = scope;
    const text = scope.env["VAULT_ADDR"] ?? "";
    if (text === "") {
      const message = "A secret is to come from Vault, and nothing says where that is: VAULT_ADDR is not set";
      throw inputError({
        code: "vault-not-set",
        message,
        at: [],
        hint: "Set VAULT_ADDR to its address, for example https://vault.example.com:8200",
      });
    }
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url === undefined || !["http:", "https:"].includes(url.protocol)) {
      const message = "VAULT_ADDR is not the address of a Vault server";
      throw inputError({ code: "vault-not-set", message, at: [], hint: "Write for example https://vault.example.com:8200" });
    }
    this.#address = url;
  }

  get host(): string {
    return this.#address.host;
  }

  /** Asks with the token of the run. Throws UserError: 2 for a login that is not taken, 3 when the server is sealed or does not answer. */
  async read(path: string): Promise<VaultAnswer> {
    this.#token ??= this.#login();
    return this.#ask(path, { headers: { "x-vault-token": await this.#token } });
  }

  /** Whether the server knows the token at all: it says 403 to one that has expired, and to one that may not do something. */
  async knowsToken(): Promise<boolean> {
    return (await this.read("auth/token/lookup-self")).status !== 403;
  }

  /** VAULT_TOKEN, an AppRole, or what `vault login` has left in the home. Throws UserError (2) `vault-not-set`, `vault-login`. */
  async #login(): Promise<string> {
    const { env } = this.#scope;
    const { VAULT_TOKEN: token = "", VAULT_ROLE_ID: role = "", VAULT_SECRET_ID: secret = "" } = env;
    if (token !== "") return token;
    if (role !== "") return this.#loginAs(role, secret);
    const kept = await readFile(join(env["HOME"] ?? "/", ".vault-token"), "utf8").catch(() => "");
    if (kept.trim() !== "") return kept.trim();
    const message = "A secret is to come from Vault, and there is no login for it";
    const hint = "Set VAULT_TOKEN, or VAULT_ROLE_ID and VAULT_SECRET_ID of an AppRole, or run vault login";
    throw inputError({ code: "vault-not-set", message, at: [], hint });
  }

  async #loginAs(role: string, secret: string): Promise<string> {
    const mount = this.#scope.env["VAULT_APPROLE_PATH"] || "approle";
    const body = Buffer.from(JSON.stringify({ role_id: role, ...(secret === "" ? {} : { secret_id: secret }) }));
    const { status, data, errors } = await this.#ask(`auth/${mount}/login`, {
      method: "POST",
      body,
      headers: { "content-type": "application/json" },
    });
    const token = (data["auth"] as { client_token?: unknown } | undefined)?.client_token;
    if (status === 200 && typeof token === "string") return token;
    const why = status === 404 ? `there is no AppRole at auth/${mount}` : (errors[0] ?? `status ${status}`);
    throw this.#failed(
      2,
      "vault-login",
      `refuses the AppRole: ${why}`,
      "Check VAULT_ROLE_ID and VAULT_SECRET_ID, and VAULT_APPROLE_PATH where it is not approle",
    );
  }

  async #ask(path: string, request: HttpRequest): Promise<VaultAnswer> {
    const { env, signal } = this.#scope;
    const namespace = env["VAULT_NAMESPACE"] ?? "";
    const headers = { "x-vault-request": "true", ...request.headers, ...(namespace === "" ? {} : { "x-vault-namespace": namespace }) };
    const limit = AbortSignal.timeout(timeout);
    const either = signal === undefined ? limit : AbortSignal.any([limit, signal]);
    const url = new URL(`${this.#address.href.replace(/\/$/, "")}/v1/${path}`);
    let status: number;
    let text: string;
    this.#tls ??= this.#certificates();
    const tls = await this.#tls;
    try {
      const answer = await httpRequest(url, { ...request, headers, tls, redirects: false, signal: either }, env);
      status = answer.status;
      text = (await readBody(answer.body, maxAnswer)).toString("utf8");
    } catch (error) {
      if (signal?.aborted === true) throw new UserError(130, [{ code: "interrupted", message: "Interrupted", at: [] }]);
      throw this.#unreachable(error);
    }
    const parsed = parse(text);
    if (status === 503)
      throw this.#failed(3, "vault-sealed", "is sealed: it gives no secrets", "Have it unsealed, or name another server in VAULT_ADDR");
    if (status === 501)
      throw this.#failed(3, "vault-sealed", "was never initialised", "Have it initialised, or name another server in VAULT_ADDR");
    if (status >= 300 && status < 400)
      throw this.#failed(3, "vault-unreachable", "refers to another server", "Name the active server in VAULT_ADDR");
    if (status >= 500 || parsed === undefined)
      throw this.#failed(3, "vault-unreachable", `gives no answer that Vault gives (status ${status})`, "Check VAULT_ADDR");
    const { errors, ...data } = parsed;
    return { status, data, errors: Array.isArray(errors) ? errors.filter((one) => typeof one === "string") : [] };
  }

  /** PEM files that VAULT_CACERT, VAULT_CLIENT_CERT and VAULT_CLIENT_KEY name. */
  async #certificates(): Promise<NonNullable<HttpRequest["tls"]>> {
    const { env, cwd } = this.#scope;
    const read = async (name: string): Promise<string | undefined> => {
      const path = env[name] ?? "";
      if (path === "") return undefined;
      return readFile(resolve(cwd, path), "utf8").catch((cause: Error) => {
        throw new UserError(
          2,
          [{ code: "vault-not-set", message: `Cannot read the file of ${name}: ${cause.message}`, at: [], hint: "Check the path" }],
          { cause },
        );
      });
    };
    const [ca, cert, key] = await Promise.all(["VAULT_CACERT", "VAULT_CLIENT_CERT", "VAULT_CLIENT_KEY"].map(read));
    return { ...(ca === undefined ? {} : { ca }), ...(cert === undefined ? {} : { cert }), ...(key === undefined ? {} : { key }) };
  }

  #unreachable(error: unknown): UserError {
    const all: unknown = error instanceof AggregateError ? error.errors[0] : error;
    const cause = all instanceof Error && all.name === "AbortError" ? all.cause : all;
    const { code = "", name = "", message = String(cause) } = cause as NodeJS.ErrnoException;
    if (cause instanceof UserError) return cause;
    if (/CERT|^UNABLE_TO/.test(code))
      return this.#failed(
        3,
        "vault-certificate",
        `has a certificate that is not trusted: ${message}`,
        "Set VAULT_CACERT to the certificate of who signs it",
      );
    const why = name === "TimeoutError" ? "gives no answer" : `cannot be reached: ${message}`;
    return this.#failed(3, "vault-unreachable", why, "Check VAULT_ADDR, the network and the proxy of the environment", cause);
  }

  #failed(exit: ExitCode, code: string, why: string, hint: string, cause?: unknown): UserError {
    return new UserError(exit, [{ code, message: `The Vault server ${this.host} ${why}`, at: [], hint }], { cause });
  }
}

function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const data: unknown = text === "" ? {} : JSON.parse(text);
    return typeof data === "object" && data !== null && !Array.isArray(data) ? (data as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}
