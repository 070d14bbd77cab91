// What the parts of the gateway share: the names of its methods, and what every call of one build carries.
import type { RefusedSecrets } from "../session/index.ts";
import type { Connection, Method } from "./transport.ts";

export const bridge = "/moby.buildkit.v1.frontend.LLBBridge";

export function bridgeMethod<Request, Response>(
  name: string,
  request: Method<Request, Response>["request"],
  response: Method<Request, Response>["response"],
): Method<Request, Response> {
  return { path: `${bridge}/${name}`, request, response };
}

/** The connection, and the build that a call belongs to. */
export interface GatewayCall {
  readonly connection: Connection;
  readonly options: { readonly metadata: Record<string, string>; readonly signal: AbortSignal };
  /** Of the build's session. */
  readonly refusedSecrets: RefusedSecrets;
}
