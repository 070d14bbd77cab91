// Where a daemon is reached: parses `unix://` and `tcp://` addresses as every BuildKit tool writes them.
import { inputError } from "../../compiler/diagnostic.ts";

/** A parsed address. `text` is what the user wrote, for messages. */
export type Address =
  | { readonly kind: "unix"; readonly text: string; readonly path: string }
  | { readonly kind: "tcp"; readonly text: string; readonly host: string; readonly port: number; readonly tls?: TlsOptions };

/** Certificates for `tcp://` with mutual TLS, as PEM. */
export interface TlsOptions {
  readonly ca?: Uint8Array;
  readonly cert?: Uint8Array;
  readonly key?: Uint8Array;
  readonly serverName?: string;
}

/** Where a daemon listens when nobody said otherwise. */
export const standardAddress = "unix:///run/buildkit/buildkitd.sock";

/** Throws UserError (exit 2) with code `bad-address`. */
export function parseAddress(text: string): Address {
  const match = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/i.exec(text);
  if (match === null) throw badAddress(text, "it has no scheme");
  const scheme = (match[1] as string).toLowerCase();
  const rest = match[2] as string;
  if (scheme === "unix") {
    if (rest === "") throw badAddress(text, "it has no path");
    return { kind: "unix", text, path: rest };
  }
  if (scheme === "tcp") return parseTcp(text, rest);
  throw badAddress(text, `the scheme ${scheme}:// is unknown`);
}

function parseTcp(text: string, rest: string): Address {
  const match = /^(?:\[([0-9a-f:.%]+)\]|([^:[\]/]+)):(\d+)\/?$/i.exec(rest);
  if (match === null) throw badAddress(text, "it must be tcp://HOST:PORT");
  const port = Number(match[3]);
  if (port < 1 || port > 65535) throw badAddress(text, `there is no port ${match[3] as string}`);
  return { kind: "tcp", text, host: (match[1] ?? match[2]) as string, port };
}

function badAddress(text: string, why: string): Error {
  return inputError({
    code: "bad-address",
    message: `cannot use "${text}" as the address of a BuildKit daemon: ${why}`,
    at: [],
    hint: "write unix:///path/to/buildkitd.sock or tcp://HOST:PORT",
  });
}
