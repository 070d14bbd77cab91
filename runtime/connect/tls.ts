// Certificates for tcp:// with TLS: from flags, or from the environment in CI; one file each, or a directory of them.
import { X509Certificate } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { createSecureContext } from "node:tls";
import { inputError, type UserError } from "../../compiler/diagnostic.ts";
import type { Environment } from "../directories.ts";
import type { TlsOptions } from "./address.ts";

/** Paths of PEM files as the flags of buildctl name them: `dir` excludes the other three. */
export interface TlsSettings {
  /** Holds ca.pem, cert.pem and key.pem, or ca.crt, tls.crt and tls.key (as in a Kubernetes secret). */
  readonly dir?: string | undefined;
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly serverName?: string | undefined;
}

const names = { dir: "BUILDKIT_TLS_DIR", ca: "BUILDKIT_TLS_CACERT", cert: "BUILDKIT_TLS_CERT", key: "BUILDKIT_TLS_KEY" } as const;

/** Whether a flag asks for TLS: then it must not go unheeded. */
export function asksForTls(settings: TlsSettings): boolean {
  return Object.values(settings).some((value) => value !== undefined && value !== "");
}

/** Reads the files that flags or, when they name none, the environment names; undefined when nothing does. Relative paths start at `cwd`. */
export async function readTls(flags: TlsSettings, env: Environment, cwd: string = process.cwd()): Promise<TlsOptions | undefined> {
  const given = (text: string | undefined): string | undefined => (text === "" ? undefined : text);
  const byFlag = given(flags.dir) ?? given(flags.ca) ?? given(flags.cert) ?? given(flags.key);
  const file = (name: keyof typeof names): string | undefined => {
    const path = given(byFlag === undefined ? env[names[name]] : flags[name]);
    return path === undefined ? undefined : resolve(cwd, path);
  };
  const serverName = given(flags.serverName) ?? given(env.BUILDKIT_TLS_SERVERNAME);
  const [dir, ca, cert, key] = [file("dir"), file("ca"), file("cert"), file("key")];
  if (dir !== undefined && (ca ?? cert ?? key) !== undefined) {
    throw badTls("a directory of certificates and single certificate files were both given", "Give --tlsdir alone, or the files alone");
  }
  if ((cert === undefined) !== (key === undefined)) {
    const [has, lacks] = cert === undefined ? ["key", "certificate"] : ["certificate", "key"];
    throw badTls(`there is a client ${has} without its ${lacks}`, "Give both --tlscert and --tlskey");
  }
  if ((dir ?? ca ?? cert ?? serverName) === undefined) return undefined;
  const found = dir === undefined ? { ca, cert, key } : await filesOf(dir);
  const pem = {
    ...(found.ca === undefined ? {} : { ca: await readPem(found.ca) }),
    ...(found.cert === undefined ? {} : { cert: await readPem(found.cert) }),
    ...(found.key === undefined ? {} : { key: await readPem(found.key) }),
  };
  checkPem(pem);
  return { ...pem, ...(serverName === undefined ? {} : { serverName }) };
}

/** What OpenSSL does not take is wrong before anything is sent. */
function checkPem(pem: { readonly ca?: Buffer; readonly cert?: Buffer; readonly key?: Buffer }): void {
  try {
    createSecureContext(pem);
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : "";
    const hint = "Check the files with openssl: openssl x509 -in CERT -noout -text, openssl pkey -in KEY -check";
    if (code === "ERR_OSSL_X509_KEY_VALUES_MISMATCH") throw badTls("the client certificate and its key do not belong together", hint);
    throw badTls(`OpenSSL does not take the files: ${cause instanceof Error ? cause.message : String(cause)}`, hint);
  }
}

/** The certificates that Docker's own directories hold: any of the three may be missing. */
export async function readDockerTls(dir: string): Promise<TlsOptions> {
  const [ca, cert, key] = await Promise.all(
    ["ca.pem", "cert.pem", "key.pem"].map((name) => readFile(join(dir, name)).catch(() => undefined)),
  );
  return { ...(ca === undefined ? {} : { ca }), ...(cert === undefined || key === undefined ? {} : { cert, key }) };
}

/** When a certificate stops being good, if that is in the past: a daemon only says that it refuses it. */
export function expiredSince(cert: Uint8Array, now: Date): string | undefined {
  try {
    const { validTo } = new X509Certificate(cert);
    return new Date(validTo) < now ? validTo : undefined;
  } catch {
    return undefined;
  }
}

async function filesOf(dir: string): Promise<{ ca: string; cert: string; key: string }> {
  const oneOf = async (...candidates: readonly string[]): Promise<string> => {
    for (const name of candidates) {
      const path = join(dir, name);
      if (await stat(path).catch(() => undefined)) return path;
    }
    throw badTls(
      `${dir} has neither ${candidates.join(" nor ")}`,
      "It must hold ca.pem, cert.pem and key.pem, or ca.crt, tls.crt and tls.key",
    );
  };
  return { ca: await oneOf("ca.pem", "ca.crt"), cert: await oneOf("cert.pem", "tls.crt"), key: await oneOf("key.pem", "tls.key") };
}

async function readPem(path: string): Promise<Buffer> {
  let pem: Buffer;
  try {
    pem = await readFile(path);
  } catch (cause) {
    throw badTls(`${path} is not readable: ${cause instanceof Error ? cause.message : String(cause)}`, "Check the path");
  }
  if (!pem.includes("-----BEGIN ")) throw badTls(`${path} is no PEM file`, "Convert it with openssl: openssl x509 -inform der -in FILE");
  return pem;
}

/** Exit 2: the flags, variables or files are wrong. */
export function badTls(why: string, hint: string): UserError {
  return inputError({ code: "bad-tls", message: `Cannot use TLS for the connection to BuildKit: ${why}`, at: [], hint });
}
