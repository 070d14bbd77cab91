// Serves secrets: the only way by which a secret's value reaches the daemon.

import { UserError } from "../../compiler/diagnostic.ts";
import { GetSecretRequest, GetSecretResponse } from "../../proto/gen/github.com/moby/buildkit/session/secrets/secrets.ts";
import { Code, RpcError } from "../grpc/status.ts";
import type { SessionServices } from "./services.ts";

/** BuildKit's limit for one secret. */
export const maxSecretSize: number = 500 * 1024;

/** Hears of a secret that the daemon asked for and did not get; `missing`: nobody has it, which optional secrets may survive. */
export type OnRefusedSecret = (id: string, missing: boolean) => void;

/** Who waits for a process that may need a secret: the daemon itself does not always say that it got none. */
export class RefusedSecrets {
  readonly #listeners = new Set<OnRefusedSecret>();

  /** Gives a function that ends the listening. */
  listen(listener: OnRefusedSecret): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Once the daemon was answered. */
  tell(id: string, missing: boolean): void {
    setImmediate(() => {
      for (const listener of this.#listeners) listener(id, missing);
    });
  }
}

/** Answers Secrets.GetSecret. An unknown id is NotFound, which lets optional secrets be absent. */
export async function serveSecrets(services: SessionServices, request: Buffer, refused: RefusedSecrets): Promise<Uint8Array> {
  const { ID } = GetSecretRequest.decode(request);
  try {
    return await readSecret(services, ID);
  } catch (error) {
    refused.tell(ID, error instanceof RpcError && error.code === Code.notFound);
    throw error;
  }
}

async function readSecret(services: SessionServices, ID: string): Promise<Uint8Array> {
  const data = await services.secrets(ID);
  if (data === undefined) throw new RpcError(Code.notFound, `secret ${ID}: not found`);
  if (data.length > maxSecretSize) {
    const message = `The secret ${JSON.stringify(ID)} has ${data.length} bytes, more than the ${maxSecretSize / 1024} KiB that BuildKit takes`;
    throw new UserError(2, [{ code: "secret-too-large", message, at: [] }]);
  }
  return GetSecretResponse.encode({ data: Buffer.from(data) }).finish();
}
