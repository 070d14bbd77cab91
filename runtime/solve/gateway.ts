// The gateway of one build: calls that compute results, look into them, or resolve sources, while the build's one Control.Solve waits.
import {
  EvaluateRequest,
  EvaluateResponse,
  PingRequest,
  PongResponse,
  type Ref,
  ResolveImageConfigRequest,
  ResolveImageConfigResponse,
  ResolveSourceMetaRequest,
  ResolveSourceMetaResponse,
  type Result,
  ReturnRequest,
  ReturnResponse,
  SolveRequest,
  SolveResponse,
  WarnRequest,
  WarnResponse,
} from "../../proto/gen/github.com/moby/buildkit/frontend/gateway/pb/gateway.ts";
import { Definition } from "../../proto/gen/github.com/moby/buildkit/solver/pb/ops.ts";
import { Status } from "../../proto/gen/google/rpc/status.ts";
import { fieldHeader } from "../grpc/frame.ts";
import { Code, RpcError } from "../grpc/status.ts";
import type { CacheEntry } from "./cache.ts";
import type { Container, ContainerSpec } from "./container.ts";
import { type DirEntry, type FileRange, type FileTree, fileTree } from "./gateway-files.ts";
import { bridge, bridgeMethod, type GatewayCall } from "./gateway-methods.ts";

export type { DirEntry, FileRange, FileTree } from "./gateway-files.ts";

const solvePath = `${bridge}/Solve`;
const methods = {
  ping: bridgeMethod("Ping", PingRequest, PongResponse),
  resolveImage: bridgeMethod("ResolveImageConfig", ResolveImageConfigRequest, ResolveImageConfigResponse),
  resolveSource: bridgeMethod("ResolveSourceMeta", ResolveSourceMetaRequest, ResolveSourceMetaResponse),
  evaluate: bridgeMethod("Evaluate", EvaluateRequest, EvaluateResponse),
  warn: bridgeMethod("Warn", WarnRequest, WarnResponse),
  return: bridgeMethod("Return", ReturnRequest, ReturnResponse),
};

/** A result inside the daemon, valid until its build ends. `id` is empty for an empty filesystem. */
export interface ResultRef {
  readonly id: string;
}

/** What a build ends with, and what its exporters are told of it, e.g. image configs. */
export interface BuildOutcome {
  /** One result, or several by platform, e.g. `linux/amd64`, as the metadata `refs.platforms` lists them. */
  readonly refs: ResultRef | ReadonlyMap<string, ResultRef>;
  readonly metadata: Readonly<Record<string, Uint8Array>>;
}

/** What a frontend gave. */
export interface FrontendResult {
  /** By platform (`linux/amd64`); one result has the key "". `definition` is an encoded pb.Definition, empty for an empty filesystem. */
  readonly refs: ReadonlyMap<string, ResultRef & { readonly definition: Uint8Array }>;
  /** e.g. `containerimage.config`: the OCI image config. */
  readonly metadata: Readonly<Record<string, Uint8Array>>;
}

export interface FrontendRequest {
  /** `dockerfile.v0`, or `gateway.v0` with the option `source`. */
  readonly frontend: string;
  readonly options: Readonly<Record<string, string>>;
  /** Encoded pb.Definitions by name, e.g. `context`. */
  readonly inputs?: Readonly<Record<string, Uint8Array>>;
}

/** A platform as LLB knows it. */
export interface GatewayPlatform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

/** A pb.SourceOp. */
export interface SourceRequest {
  readonly identifier: string;
  readonly attrs?: Readonly<Record<string, string>>;
  readonly platform?: GatewayPlatform;
  /** Images: `default`, `pull` or `local`. */
  readonly resolveMode?: string;
}

/** What a source points to right now; the source itself may have been changed by the daemon's policy. */
export interface SourceMeta {
  readonly identifier: string;
  readonly attrs: Readonly<Record<string, string>>;
  readonly image?: { readonly digest: string; readonly config: Uint8Array };
  readonly git?: { readonly checksum: string; readonly ref: string; readonly commitChecksum: string };
  readonly http?: { readonly checksum: string; readonly filename: string };
}

export interface Capabilities {
  /** Ids of the LLB capabilities that the daemon has. */
  readonly llb: ReadonlySet<string>;
  /** Ids of the capabilities of the gateway itself. */
  readonly frontend: ReadonlySet<string>;
}

export interface Warning {
  /** Digest of the vertex that it belongs to. */
  readonly vertex: string;
  readonly short: string;
  readonly detail?: readonly string[];
  readonly url?: string;
  readonly level?: number;
}

/** All calls throw RpcError, or UserError (exit 3) `connection-lost`; a failed solve's error has its typed details. */
export class Gateway {
  readonly #call: GatewayCall;
  readonly #cacheImports: readonly CacheEntry[];

  /** `ref` is the build's own; every call carries it. `cacheImports` serve each of its solves. */
  constructor(
    { connection, ref, signal, refusedSecrets }: Pick<GatewayCall, "connection" | "refusedSecrets"> & { ref: string; signal: AbortSignal },
    cacheImports: readonly CacheEntry[] = [],
  ) {
    this.#cacheImports = cacheImports;
    this.#call = { connection, options: { metadata: { "buildkit-controlapi-buildid": ref }, signal }, refusedSecrets };
  }

  async ping(): Promise<Capabilities> {
    const { LLBCaps, FrontendAPICaps } = await this.#call.connection.unary(methods.ping, {}, this.#call.options);
    const enabled = (caps: typeof LLBCaps): Set<string> => new Set(caps.filter((cap) => cap.Enabled).map((cap) => cap.ID));
    return { llb: enabled(LLBCaps), frontend: enabled(FrontendAPICaps) };
  }

  /** Ids of the LLB capabilities that the daemon has. */
  async capabilities(): Promise<ReadonlySet<string>> {
    return (await this.ping()).llb;
  }

  async resolveImageConfig(
    ref: string,
    platform: GatewayPlatform,
    mode: string,
  ): Promise<{ digest: string; config: Uint8Array; ref: string }> {
    const request = ResolveImageConfigRequest.fromPartial({
      Ref: ref,
      Platform: toPlatform(platform),
      ResolveMode: mode,
      LogName: `resolve image config for ${ref}`,
    });
    const response = await this.#call.connection.unary(methods.resolveImage, request, this.#call.options);
    return { digest: response.Digest, config: response.Config, ref: response.Ref === "" ? ref : response.Ref };
  }

  /** Asks what an image, a git ref or a URL is right now, without fetching it. */
  async resolveSourceMeta(source: SourceRequest): Promise<SourceMeta> {
    const request = ResolveSourceMetaRequest.fromPartial({
      Source: { identifier: source.identifier, attrs: { ...source.attrs } },
      ...(source.platform === undefined ? {} : { Platform: toPlatform(source.platform) }),
      ResolveMode: source.resolveMode ?? "",
      LogName: `resolve ${source.identifier}`,
    });
    const { Source, Image, Git, HTTP } = await this.#call.connection.unary(methods.resolveSource, request, this.#call.options);
    return {
      identifier: Source?.identifier ?? source.identifier,
      attrs: Source?.attrs ?? source.attrs ?? {},
      ...(Image === undefined ? {} : { image: { digest: Image.Digest, config: Image.Config } }),
      ...(Git === undefined ? {} : { git: { checksum: Git.Checksum, ref: Git.Ref, commitChecksum: Git.CommitChecksum } }),
      ...(HTTP === undefined ? {} : { http: { checksum: HTTP.Checksum, filename: HTTP.Filename } }),
    };
  }

  /** Solves an encoded pb.Definition, embedded as it is. Waits until it is computed, unless `lazy`: then `evaluate` or a read does. */
  async solve(definition: Uint8Array, options: { readonly lazy?: boolean } = {}): Promise<ResultRef> {
    const result = await this.#solve([fieldHeader(1, definition.length), definition], { Evaluate: options.lazy !== true });
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

  /** Runs a frontend; what it gives is not computed yet. */
  async solveFrontend(request: FrontendRequest): Promise<FrontendResult> {
    const inputs = Object.entries(request.inputs ?? {}).map(([name, bytes]) => [name, Definition.decode(bytes)] as const);
    const result = await this.#solve([], {
      Frontend: request.frontend,
      FrontendOpt: { ...request.options },
      FrontendInputs: Object.fromEntries(inputs),
    });
    return { refs: readRefs(result), metadata: result?.metadata ?? {} };
  }

  async #solve(head: readonly Uint8Array[], fields: Partial<SolveRequest>): Promise<Result | undefined> {
    const CacheImports = this.#cacheImports.map(({ type, attrs }) => ({ Type: type, Attrs: { ...attrs } }));
    const request = SolveRequest.fromPartial({ allowResultReturn: true, allowResultArrayRef: true, CacheImports });
    const rest = SolveRequest.encode({ ...request, ...fields }).finish();
    return SolveResponse.decode(await this.#call.connection.unaryBytes(solvePath, [...head, rest], this.#call.options)).result;
  }

  /** Computes a lazy result. */
  async evaluate(ref: ResultRef): Promise<void> {
    if (ref.id !== "") await this.#call.connection.unary(methods.evaluate, { Ref: ref.id }, this.#call.options);
  }

  /** Reads of a result; of the empty one too. */
  files(ref: ResultRef): FileTree {
    return fileTree(this.#call, ref.id, "result");
  }

  /** Reads a file of a result, or a range of it. */
  async readFile(ref: ResultRef, path: string, range?: FileRange): Promise<Buffer> {
    return this.files(ref).readFile(path, range);
  }

  /** The entries of a directory whose name matches `pattern`, as Go's path.Match; all without it. */
  async readDir(ref: ResultRef, path: string, pattern?: string): Promise<DirEntry[]> {
    return this.files(ref).readDir(path, pattern);
  }

  async stat(ref: ResultRef, path: string): Promise<DirEntry> {
    return this.files(ref).stat(path);
  }

  /** Puts a warning into the build's status stream and history. */
  async warn(warning: Warning): Promise<void> {
    const request = WarnRequest.fromPartial({
      digest: warning.vertex,
      level: BigInt(warning.level ?? 1),
      short: Buffer.from(warning.short),
      detail: (warning.detail ?? []).map((line) => Buffer.from(line)),
      url: warning.url ?? "",
    });
    await this.#call.connection.unary(methods.warn, request, this.#call.options);
  }

  /** A container of results of this build; release it when it is no longer used. */
  async container(spec: ContainerSpec): Promise<Container> {
    const containers = await import("./container.ts");
    return containers.Container.create(this.#call, spec);
  }

  /** Makes `what` the result of the build: its exporters run on it. */
  async return(what: ResultRef | BuildOutcome): Promise<void> {
    const { refs, metadata } = "refs" in what ? what : { refs: what, metadata: {} };
    const pb = ({ id }: ResultRef): Ref => ({ id, def: undefined });
    const result: Result["result"] =
      "id" in refs
        ? { $case: "ref", value: pb(refs) }
        : { $case: "refs", value: { refs: Object.fromEntries([...refs].map(([platform, ref]) => [platform, pb(ref)])) } };
    const buffers = Object.entries(metadata).map(([key, value]) => [key, Buffer.from(value)] as const);
    const request = { result: { result, metadata: Object.fromEntries(buffers), attestations: {} }, error: undefined };
    await this.#call.connection.unary(methods.return, request, this.#call.options);
  }

  /** Ends the build with the error that one of its solves had. */
  async fail(error: RpcError): Promise<void> {
    const status = error.details === undefined ? { code: error.code, message: error.message, details: [] } : Status.decode(error.details);
    await this.#call.connection.unary(methods.return, { result: undefined, error: status }, this.#call.options);
  }
}

function readRefs(result: Result | undefined): FrontendResult["refs"] {
  const encode = (def: Definition | undefined): Uint8Array => (def === undefined ? new Uint8Array() : Definition.encode(def).finish());
  switch (result?.result?.$case) {
    case "ref":
      return new Map([["", { id: result.result.value.id, definition: encode(result.result.value.def) }]]);
    case "refs":
      return new Map(Object.entries(result.result.value.refs).map(([key, ref]) => [key, { id: ref.id, definition: encode(ref.def) }]));
    default:
      return new Map();
  }
}

function toPlatform({ os, architecture, variant = "" }: GatewayPlatform): { OS: string; Architecture: string; Variant: string } {
  return { OS: os, Architecture: architecture, Variant: variant };
}
