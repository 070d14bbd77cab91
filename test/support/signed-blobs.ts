// Azure Blob Storage by signed addresses (service SAS): what whoever knows the account's key hands to those who do not.
import { createHmac } from "node:crypto";
import type { AzuriteServer } from "./azurite.ts";

const version = "2021-12-02";

export interface SignedBlobs {
  /** Makes the container. */
  prepare(): Promise<void>;
  /** An address that lets whoever has it write (`cw`) or read (`r`) one blob; for an hour, or not any more. */
  sign(blob: string, permissions: "cw" | "r", expired?: boolean): string;
}

/** Addresses for one container. */
export function signedBlobs({ url, account, key }: AzuriteServer, container: string): SignedBlobs {
  const hmac = (lines: readonly string[]): string =>
    createHmac("sha256", Buffer.from(key, "base64")).update(lines.join("\n"), "utf8").digest("base64");
  const until = (expired: boolean): string =>
    new Date(Date.now() + (expired ? -3_600_000 : 3_600_000)).toISOString().replace(/\.\d+Z$/, "Z");
  const prepare = async (): Promise<void> => {
    // A container is made with a signature for the account: name, permissions, services, resource types, start, end, addresses, protocols, version, scope.
    const end = until(false);
    const sig = hmac([account, "c", "b", "c", "", end, "", "", version, "", ""]);
    const query = new URLSearchParams({ restype: "container", sv: version, ss: "b", srt: "c", sp: "c", se: end, sig });
    const answer = await fetch(`${url}/${container}?${query}`, { method: "PUT" });
    if (!answer.ok) throw new Error(`cannot make the container ${container}: ${await answer.text()}`);
  };
  const sign = (blob: string, permissions: "cw" | "r", expired = false): string => {
    const end = until(expired);
    // Permissions, start, end, resource, identifier, addresses, protocols, version, kind, snapshot, scope, and five headers of answers.
    const fields = [permissions, "", end, `/blob/${account}/${container}/${blob}`, "", "", "", version, "b", "", "", "", "", "", "", ""];
    const query = new URLSearchParams({ sv: version, sr: "b", sp: permissions, se: end, sig: hmac(fields) });
    return `${url}/${container}/${blob}?${query}`;
  };
  return { prepare, sign };
}
