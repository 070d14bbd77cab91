// Tries a webhook: asks its address, with its token and, for a message, its signature. What it answers says whether it takes them.
import { createHmac } from "node:crypto";
import { inputError } from "../../../compiler/index.ts";
import type { Connector } from "../connector.ts";
import { ask, type CheckScope, odd, refused } from "./reach.ts";

export async function checkWebhook({ name, fields }: Connector, scope: CheckScope): Promise<string> {
  const { checkUrl, checkMethod: method = "HEAD", signatureHeader = "X-Hub-Signature-256", ca } = fields;
  const text = async (secret: string): Promise<string> =>
    Buffer.from((await scope.read(secret)) ?? "")
      .toString("utf8")
      .trim();
  const address = checkUrl ?? (await text("url"));
  if (!/^https?:\/\//.test(address) || !URL.canParse(address)) {
    const hint = "It begins with http:// or https://";
    throw inputError({ code: "bad-connector", message: `The address of the connector ${name} is no URL`, at: [], hint });
  }
  const url = new URL(address);
  const [token, signingKey] = [await text("token"), await text("signingKey")];
  const body = method === "POST" ? Buffer.from("{}") : undefined;
  const headers = {
    ...(token === "" ? {} : { authorization: `Bearer ${token}` }),
    ...(body === undefined ? {} : { "content-type": "application/json" }),
    ...(signingKey === ""
      ? {}
      : {
          [signatureHeader]: `sha256=${createHmac("sha256", signingKey)
            .update(body ?? "")
            .digest("hex")}`,
        }),
  };
  const { status } = await ask(url, { method, headers, ...(body && { body }), ...(ca === undefined ? {} : { tls: { ca } }) }, scope);
  const { host } = url;
  if (status >= 200 && status < 300) return `reached ${host} with ${method}`;
  if (status === 401 || status === 403) throw refused(host, `status ${status}`, "Set the secrets token, signingKey and url anew");
  if (status === 404 || status === 410)
    throw odd(host, `has nothing at this address (status ${status})`, "Set the secret url anew: the webhook was deleted, or never there");
  if (status === 405)
    throw odd(host, `takes no ${method} there`, "Say how to ask: checkMethod=POST sends an empty message, checkUrl names another address");
  throw odd(host, `with status ${status}`, "Say where to ask and how: checkUrl=URL checkMethod=GET");
}
