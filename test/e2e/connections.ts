// Connects to daemons at addresses, for the end-to-end tests of connections: what answers there, or why nobody does.
import { connect } from "../../runtime/solve/index.ts";
import { failureOf } from "../support/failures.ts";

type Options = Parameters<typeof connect>[1];

/** The version of the daemon that answers. */
export async function versionAt(address: string, options: Options = {}): Promise<string> {
  const client = await connect(address, options);
  try {
    return (await client.info()).version;
  } finally {
    client.close();
  }
}

/** Exit code, code, message and hint of a connection that must fail. */
export async function failureAt(address: string, options: Options = {}): Promise<readonly [number, string, string, string]> {
  const { exit, message, diagnostics } = await failureOf(versionAt(address, options));
  return [exit, diagnostics[0]?.code ?? "", message, diagnostics[0]?.hint ?? ""];
}
