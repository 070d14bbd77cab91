// Tries an S3 service: a request with a signature (AWS Signature Version 4), for the bucket, or for the list of buckets.
import type { Connector } from "../connector.ts";
import { s3Url, signed } from "../s3-request.ts";
import { ask, type CheckScope, odd, refused } from "./reach.ts";

export async function checkS3({ fields }: Connector, scope: CheckScope): Promise<string> {
  const { region = "us-east-1", bucket, ca } = fields;
  const { endpoint = `https://s3.${region}.amazonaws.com` } = fields;
  const text = async (name: string): Promise<string> =>
    Buffer.from((await scope.read(name)) ?? "")
      .toString("utf8")
      .trim();
  const keys = { id: await text("accessKey"), key: await text("secretKey"), token: await text("sessionToken") };
  const url = s3Url(endpoint, bucket ?? "");
  // Of a bucket only that it may be listed is asked: some keys may do nothing else, and none needs more for it.
  if (bucket !== undefined) url.search = "list-type=2&max-keys=1";
  const answer = await ask(
    url,
    { headers: signed({ method: "GET", url, region }, keys, new Date()), ...(ca === undefined ? {} : { tls: { ca } }) },
    scope,
  );
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
