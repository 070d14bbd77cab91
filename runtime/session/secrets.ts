// Serves secrets: the only way by which a secret's value reaches the daemon.

import { UserError } from "../../compiler/diagnostic.ts";
import { GetSecretRequest, GetSecretResponse } from "../../proto/gen/github.com/moby/buildkit/session/secrets/secrets.ts";
import { Code, RpcError } from "../grpc/status.ts";
import type { SessionServices } from "./services.ts";

/** BuildKit's limit for one secret. */
export const maxSecretSize: number = 500 * 1024;

/** Answers Secrets.GetSecret. An unknown id is NotFound, which lets optional secrets be absent. */
export async function serveSecrets(services: SessionServices, request: Buffer): Promise<Uint8Array> {
  const { ID } = GetSecretRequest.decode(request);
  const data = await services.secrets(ID);
  if (data === undefined) throw new RpcError(Code.notFound, `secret ${ID}: not found`);
  if (data.length > maxSecretSize) {
    const message = `The secret ${JSON.stringify(ID)} has ${data.length} bytes, more than the ${maxSecretSize / 1024} KiB that BuildKit takes`;
    throw new UserError(2, [{ code: "secret-too-large", message, at: [] }]);
  }
  return GetSecretResponse.encode({ data: Buffer.from(data) }).finish();
}
