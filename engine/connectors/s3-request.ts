// Requests to S3 services, signed with AWS Signature Version 4: what checks and sources are made of.
import { createHash, createHmac } from "node:crypto";

export interface S3Keys {
  readonly id: string;
  readonly key: string;
  /** "" without a session. */
  readonly token: string;
}

export interface S3Request {
  readonly method: "GET" | "PUT";
  /** Bucket and key are in its path. */
  readonly url: URL;
  readonly region: string;
  readonly body?: Uint8Array;
}

/** The address of a bucket, or of an object in it; each part of the key is encoded as the signature wants it. */
export function s3Url(endpoint: string, bucket: string, key = ""): URL {
  const path = key === "" ? "" : `/${key.split("/").map(encoded).join("/")}`;
  return new URL(`${endpoint.replace(/\/$/, "")}/${encoded(bucket)}${path}`);
}

/** The headers that sign a request. */
export function signed({ method, url, region, body }: S3Request, { id, key, token }: S3Keys, now: Date): Readonly<Record<string, string>> {
  const time = now.toISOString().replace(/[:-]|\.\d{3}/g, "");
  const day = time.slice(0, 8);
  const content = sha256(body ?? "");
  const headers: Record<string, string> = { host: url.host, "x-amz-content-sha256": content, "x-amz-date": time };
  if (token !== "") headers["x-amz-security-token"] = token;
  const names = Object.keys(headers).sort();
  const lines = names.map((name) => `${name}:${headers[name]}\n`).join("");
  const query = [...url.searchParams]
    .map((pair) => pair.map(encoded).join("="))
    .sort()
    .join("&");
  const canonical = [method, url.pathname, query, lines, names.join(";"), content].join("\n");
  const scope = `${day}/${region}/s3/aws4_request`;
  const text = ["AWS4-HMAC-SHA256", time, scope, sha256(canonical)].join("\n");
  const signingKey = [day, region, "s3", "aws4_request"].reduce<Buffer>((from, part) => hmac(from, part), Buffer.from(`AWS4${key}`));
  const signature = hmac(signingKey, text).toString("hex");
  return {
    ...headers,
    authorization: `AWS4-HMAC-SHA256 Credential=${id}/${scope}, SignedHeaders=${names.join(";")}, Signature=${signature}`,
  };
}

/** As S3 has it: everything but letters, digits and - . _ ~ is escaped. */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);
}

function sha256(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
