// The gateway of one build: calls that look into results, or resolve images, while the build's one Control.Solve waits.
import {
  PingRequest,
  PongResponse,
  ReadDirRequest,
  ReadDirResponse,
  ReadFileRequest,
  ReadFileResponse,
  ResolveImageConfigRequest,
  ResolveImageConfigResponse,
  ReturnRequest,
  ReturnResponse,
  SolveRequest,
  SolveResponse,
} from "../../proto/gen/github.com/moby/buildkit/frontend/gateway/pb/gateway.ts";
import { Status } from "../../proto/gen/google/rpc/status.ts";
import { fieldHeader } from "../grpc/frame.ts";
import { Code, RpcError } from "../grpc/status.ts";
import type { Connection, Method } from "./transport.ts";

const service = "/moby.buildkit.v1.frontend.LLBBridge";

function method<Request, Response>(
  name: string,
  request: Method<Request, Response>["request"],
  response: Method<Request, Response>["response"],
): Method<Request, Response> {
  return { path: `${service}/${name}`, request, response };
}

const methods = {
  ping: method("Ping", PingRequest, PongResponse),
  resolve: method("ResolveImageConfig", ResolveImageConfigRequest, ResolveImageConfigResponse),
  readFile: method("ReadFile", ReadFileRequest, ReadFileResponse),
  readDir: method("ReadDir", ReadDirRequest, ReadDirResponse),
  return: method("Return", ReturnRequest, ReturnResponse),
};

/** A result inside the daemon, valid until its build ends. `id` is empty for an empty filesystem. */
export interface ResultRef {
  readonly id: string;
}

/** A platform as LLB knows it. */
export interface GatewayPlatform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

export interface DirEntry {
  readonly name: string;
  /** Go's FileMode. */
  readonly mode: number;
  readonly size: number;
  /** Target of a symlink. */
  readonly linkname: string;
}

/** Files are read in pieces of this size: a message may have 16 MiB. */
const pieceSize = 8 << 20;

export class Gateway {
  readonly #connection: Connection;
  readonly #options: { metadata: Record<string, string>; signal: AbortSignal };

  /** `ref` is the build's own; every call carries it. */
  constructor(connection: Connection, ref: string, signal: AbortSignal) {
    this.#connection = connection;
    this.#options = { metadata: { "buildkit-controlapi-buildid": ref }, signal };
  }

  /** Ids of the LLB capabilities that the daemon has. */
  async capabilities(): Promise<ReadonlySet<string>> {
    const { LLBCaps } = await this.#connection.unary(methods.ping, {}, this.#options);
    return new Set(LLBCaps.filter((cap) => cap.Enabled).map((cap) => cap.ID));
  }

  async resolveImageConfig(
    ref: string,
    platform: GatewayPlatform,
    mode: string,
  ): Promise<{ digest: string; config: Uint8Array; ref: string }> {
    const request = ResolveImageConfigRequest.fromPartial({
      Ref: ref,
      Platform: { OS: platform.os, Architecture: platform.architecture, Variant: platform.variant ?? "" },
      ResolveMode: mode,
      LogName: `resolve image config for ${ref}`,
    });
    const response = await this.#connection.unary(methods.resolve, request, this.#options);
    return { digest: response.Digest, config: response.Config, ref: response.Ref === "" ? ref : response.Ref };
  }

  /** Solves an encoded pb.Definition, embedded as it is, and waits until it is computed. */
  async solve(definition: Uint8Array): Promise<ResultRef> {
    const rest = SolveRequest.encode(
      SolveRequest.fromPartial({ allowResultReturn: true, allowResultArrayRef: true, Evaluate: true }),
    ).finish();
    const parts = [fieldHeader(1, definition.length), definition, rest];
    const { result } = SolveResponse.decode(await this.#connection.unaryBytes(`${service}/Solve`, parts, this.#options));
    switch (result?.result?.$case) {
      case "ref":
        return { id: result.result.value.id };
      case "refDeprecated":
        return { id: result.result.value };
      case undefined:
        return { id: "" };
      default:
        throw new RpcError(Code.internal, "the daemon answered one Definition with several results");
    }
  }

  /** Reads a whole file of a result. */
  async readFile(ref: ResultRef, path: string): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for (let offset = 0; ; offset += pieceSize) {
      const request = { Ref: ref.id, FilePath: path, Range: { Offset: BigInt(offset), Length: BigInt(pieceSize) }, MountIndex: 0 };
      const { Data } = await this.#connection.unary(methods.readFile, request, this.#options);
      pieces.push(Data);
      if (Data.length < pieceSize) return Buffer.concat(pieces);
    }
  }

  async readDir(ref: ResultRef, path: string): Promise<DirEntry[]> {
    const request = { Ref: ref.id, DirPath: path, IncludePattern: "", MountIndex: 0 };
    const { entries } = await this.#connection.unary(methods.readDir, request, this.#options);
    return entries.map((e) => ({ name: e.path, mode: e.mode, size: Number(e.size), linkname: e.linkname }));
  }

  /** Makes `ref` the result of the build: its exporters run on it. */
  async return(ref: ResultRef): Promise<void> {
    await this.#connection.unary(
      methods.return,
      { result: { result: { $case: "ref", value: { id: ref.id, def: undefined } }, metadata: {}, attestations: {} }, error: undefined },
      this.#options,
    );
  }

  /** Ends the build with the error that one of its solves had. */
  async fail(error: RpcError): Promise<void> {
    const status = error.details === undefined ? { code: error.code, message: error.message, details: [] } : Status.decode(error.details);
    await this.#connection.unary(methods.return, { result: undefined, error: status }, this.#options);
  }
}
