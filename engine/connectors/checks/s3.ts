// Tries an S3 service: a request with a signature (AWS Signature Version 4), for the bucket, or for the list of buckets.
import { createHash, createHmac } from "node:crypto";
import type { Connector } from "../connector.ts";
import { ask, type CheckScope, odd, refused } from "./reach.ts";

export async function checkS3({ fields }: Connector, scope: CheckScope): Promise<string> {
  const { region = "us-east-1", bucket, ca } = fields;
  const { endpoint = `https://s3.${region}.amazonaws.com` } = fields;
  const text = async (name: string): Promise<string> =>
    Buffer.from((await scope.read(name)) ?? "")
      .toString("utf8")
      .trim();
  const keys = { id: await text("accessKey"), key: await text("secretKey"), token: await text("sessionToken") };
  const url = new URL(`${endpoint.replace(/\/$/, "")}/${bucket === undefined ? "" : encodeURIComponent(bucket)}`);
  // Of a bucket only that it may be listed is asked: some keys may do nothing else, and none needs more for it.
  if (bucket !== undefined) url.search = "list-type=2&max-keys=1";
  const answer = await ask(url, { headers: sign(url, region, keys, new Date()), ...(ca === undefined ? {} : { tls: { ca } }) }, scope);
  const { host } = url;
  const code = /<Code>([^<]*)<\/Code>/.exec(answer.text)?.[1] ?? "";
  if (answer.status === 200) return bucket === undefined ? `logged in to ${host}` : `listed the bucket ${bucket} at ${host}`;
  const why = Object.hasOwn(refusals, code) ? refusals[code] : undefined;
  const forbidden = answer.status === 403 || answer.status === 401;
  if (why !== undefined || forbidden) {
    const hint = code === "AccessDenied" ? "Let the key list the bucket (s3:ListBucket)" : "Set the secrets accessKey and secretKey anew";
    throw refused(host, why ?? (code === "" ? `status ${answer.status}` : code), hint);
  }
  if (answer.status === 404) throw odd(host, `has no bucket ${bucket ?? ""}`, "Check the bucket's name and region");
  if ([301, 307, 400].includes(answer.status))
    throw odd(
      host,
      `refers to another region or endpoint (${code === "" ? `status ${answer.status}` : code})`,
      "Set the fields region and endpoint to those of the bucket",
    );
  throw odd(host, `with status ${answer.status}`, "Check the endpoint: is it an S3 service?");
}

/** By the codes of the protocol: not every service answers them with the same status. */
const refusals: Readonly<Record<string, string>> = {
  InvalidAccessKeyId: "it does not know the access key's id",
  // versitygw's word for the same.
  XAdminUserNotFound: "it does not know the access key's id",
  SignatureDoesNotMatch: "the access key does not belong to its id",
  ExpiredToken: "the token of the session has expired",
  RequestTimeTooSkewed: "the clock of this machine is wrong",
};

interface Keys {
  readonly id: string;
  readonly key: string;
  readonly token: string;
}

/** Headers of a GET without a body. */
function sign(url: URL, region: string, { id, key, token }: Keys, now: Date): Readonly<Record<string, string>> {
  const time = now.toISOString().replace(/[:-]|\.\d{3}/g, "");
  const day = time.slice(0, 8);
  const empty = sha256("");
  const signed: Record<string, string> = { host: url.host, "x-amz-content-sha256": empty, "x-amz-date": time };
  if (token !== "") signed["x-amz-security-token"] = token;
  const names = Object.keys(signed).sort();
  const lines = names.map((name) => `${name}:${signed[name]}\n`).join("");
  const query = [...url.searchParams]
    .map((pair) => pair.map(encodeURIComponent).join("="))
    .sort()
    .join("&");
  const canonical = ["GET", url.pathname, query, lines, names.join(";"), empty].join("\n");
  const scope = `${day}/${region}/s3/aws4_request`;
  const text = ["AWS4-HMAC-SHA256", time, scope, sha256(canonical)].join("\n");
  const signingKey = [day, region, "s3", "aws4_request"].reduce<Buffer>((from, part) => hmac(from, part), Buffer.from(`AWS4${key}`));
  const signature = hmac(signingKey, text).toString("hex");
  return {
    ...signed,
    authorization: `AWS4-HMAC-SHA256 Credential=${id}/${scope}, SignedHeaders=${names.join(";")}, Signature=${signature}`,
  };
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
