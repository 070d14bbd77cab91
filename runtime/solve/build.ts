// One job on the daemon: one session, one Control.Solve, one status stream. They start together and end together.

import { inputError, type UserError } from "../../compiler/diagnostic.ts";
import {
  SolveRequest,
  SolveResponse,
  StatusRequest,
  StatusResponse,
} from "../../proto/gen/github.com/moby/buildkit/api/services/control/control.ts";
import { fieldHeader } from "../grpc/frame.ts";
import { Code, RpcError } from "../grpc/status.ts";
import { type Descriptor, type Incoming, newId, OciStore, Session, type SessionServices } from "../session/index.ts";
import { type CacheOptions, type PreparedCache, prepareCache } from "./cache.ts";
import { imageError, solveError } from "./errors.ts";
import { type BuildOutcome, type DirEntry, type FileRange, Gateway, type GatewayPlatform, type ResultRef } from "./gateway.ts";
import type { SourcePolicy } from "./policy.ts";
import { SilenceWatch } from "./silence.ts";
import { type Download, StallWatch } from "./stalls.ts";
import { StatusReader, type StatusUpdate } from "./status.ts";
import { type Connection, interrupted, type Method } from "./transport.ts";

const solvePath = "/moby.buildkit.v1.Control/Solve";
const statusMethod: Method<StatusRequest, StatusResponse> = {
  path: "/moby.buildkit.v1.Control/Status",
  request: StatusRequest,
  response: StatusResponse,
};

/** What the daemon takes in one message. */
const maxRequest = 16 << 20;
/** How long the status stream may go on without a message after the solve has ended, and after it was canceled. */
const statusGrace = 5_000;
const defaultPatience = 180_000;
/** Where nobody counts the bytes (a blob of an exported cache, git, HTTP), a transfer may take this many times longer than a question. */
const uncountedFactor = 5;

export interface ExporterSpec {
  /** `local`, `image`, `oci`, … */
  readonly type: string;
  readonly attrs: Readonly<Record<string, string>>;
  /** Takes what it sends: needed for `tar`, and for `oci` and `docker` as archives; without it the session's `receiver` does. */
  readonly output?: Incoming;
  /** Directory (absolute) that `oci` or `docker` with `tar=false` fills: an OCI layout, whose other images stay. Of one exporter only. */
  readonly layout?: string;
}

/** Values of the `attest:` options, e.g. provenance `mode=max`, sbom `generator=IMAGE`; empty for the defaults. Images carry them. */
export interface Attestations {
  readonly provenance?: string;
  readonly sbom?: string;
}

export interface BuildOptions {
  readonly session: SessionServices;
  readonly exporters: readonly ExporterSpec[];
  /** e.g. `network.host`; what the Definition needs beyond the ordinary. */
  readonly entitlements?: readonly string[];
  readonly cache?: CacheOptions;
  readonly sourcePolicy?: SourcePolicy;
  readonly attestations?: Attestations;
  /** What the result is for, e.g. `linux/arm64`; the daemon warns of one for other platforms. By default its own. */
  readonly platforms?: readonly string[];
  /** Whether the daemon records the build in its own history. */
  readonly record: boolean;
  /** Milliseconds (180,000) that a server or a store of cache may be silent; the daemon itself would wait for ever. */
  readonly patience?: number;
  /** Which vertices take something from the network: one that stands still ends the build. */
  downloads?(digest: string): Download | undefined;
  /** A cache to import that is not there. */
  onMissingCache?(dir: string, why: string): void;
  onStatus(update: StatusUpdate): void;
  readonly signal?: AbortSignal;
}

/** What the exporters answered, e.g. `containerimage.digest`. */
export interface BuildResult {
  readonly exporterResponse: Readonly<Record<string, string>>;
}

/**
 * Exactly one Control.Solve, however it is used: `finish(definition)` alone submits the Definition with it; any other call before opens
 * the gateway of a Solve without one. End every build by `finish` or `abort`.
 *
 * All calls throw UserError: 1 `solve-failed`, `image-not-found`, `image-unavailable`, `download-stalled`; 2 what is wrong with local files; 3 `connection-lost`,
 * `daemon-refused`, `disk-full` …; 130 `interrupted`.
 */
export class Build {
  /** The id of the build in the daemon. */
  readonly ref: string = newId();
  readonly #connection: Connection;
  readonly #options: BuildOptions;
  readonly #session: Session;
  readonly #cache: PreparedCache;
  /** Cancels all that runs in the daemon for this build. */
  readonly #cancel = new AbortController();
  readonly #onAbort = (): void => this.#cancel.abort();
  #solve: Promise<SolveResponse> | undefined;
  #status: Promise<void> = Promise.resolve();
  #lastStatus = 0;
  #stopStatus = new AbortController();
  #gateway: Gateway | undefined;
  #ended: Promise<void> | undefined;
  /** Why the build was given up by ourselves. */
  #givenUp: UserError | undefined;

  private constructor(connection: Connection, options: BuildOptions, cache: PreparedCache) {
    this.#connection = connection;
    this.#options = options;
    this.#cache = cache;
    if (options.signal?.aborted === true) throw interrupted();
    options.signal?.addEventListener("abort", this.#onAbort);
    const exporters = new Map(options.exporters.flatMap(({ output }, id) => (output === undefined ? [] : [[id, output] as const])));
    const layout = this.#layout();
    const stores = new Map([...cache.stores, ...(layout === undefined ? [] : [["export", layout] as const])]);
    this.#session = new Session(connection, options.session, { exporters, stores });
  }

  /** Opens the session. Nothing runs before the build is used. Throws UserError (exit 2) `bad-cache`. */
  static async open(connection: Connection, options: BuildOptions): Promise<Build> {
    return new Build(connection, options, await prepareCache(options.cache ?? {}, options.onMissingCache?.bind(options)));
  }

  /** Digest and OCI config (JSON) of an image, as the daemon resolves it; `mode` is `default`, `pull` or `local`. */
  async resolveImageConfig(
    ref: string,
    platform: GatewayPlatform,
    mode: string,
  ): Promise<{ digest: string; config: Uint8Array; ref: string }> {
    return this.#call(
      (gateway) => this.#inTime(gateway.resolveImageConfig(ref, platform, mode)),
      (error) => imageError(error, ref),
    );
  }

  /** Whether the registry of an image says anything at all, as far as the daemon can hear it: also that there is no such image. */
  async registryAnswers(ref: string, platform: GatewayPlatform): Promise<boolean> {
    return this.#call(async (gateway) => {
      const answered = gateway.resolveImageConfig(ref, platform, "pull").then(
        () => true,
        () => true,
      );
      return this.#inTime(answered).catch(() => false);
    });
  }

  /** Ids of the LLB capabilities that the daemon has. */
  async capabilities(): Promise<ReadonlySet<string>> {
    return this.#call((gateway) => gateway.capabilities());
  }

  /** Computes an encoded pb.Definition without ending the build. */
  async solve(definition: Uint8Array): Promise<ResultRef> {
    checkSize(definition);
    return this.#call((gateway) => gateway.solve(definition));
  }

  async readFile(ref: ResultRef, path: string, range?: FileRange): Promise<Buffer> {
    return this.#call((gateway) => gateway.readFile(ref, path, range));
  }

  async readDir(ref: ResultRef, path: string, pattern?: string): Promise<DirEntry[]> {
    return this.#call((gateway) => gateway.readDir(ref, path, pattern));
  }

  /** Any other calls of the gateway; what they throw is explained as by every call of the build. */
  async gateway<T>(work: (gateway: Gateway) => Promise<T>): Promise<T> {
    return this.#call(work);
  }

  /** Computes the last Definition, or takes a result that `solve` gave; runs the exporters on it; ends the build. */
  async finish(what: Uint8Array | ResultRef | BuildOutcome): Promise<BuildResult> {
    try {
      if (what instanceof Uint8Array) checkSize(what);
      const gateway = this.#gateway;
      if (gateway === undefined && what instanceof Uint8Array) this.#start(what);
      else await this.#return(this.#openGateway(), what);
      const { ExporterResponse } = (await this.#solve) as SolveResponse;
      await this.#end(false);
      await this.#cache.finish(ExporterResponse);
      await this.#enterImage(ExporterResponse);
      return { exporterResponse: ExporterResponse };
    } catch (error) {
      await this.#end(true);
      throw this.#translate(error, solveError);
    }
  }

  /** Cancels what still runs, waits until the daemon has stopped it, and closes the session. Safe to call at any time, also after `finish`. */
  async abort(): Promise<void> {
    await this.#end(true);
  }

  /** The daemon asks for the store `export`, whichever exporter it is. */
  #layout(): OciStore | undefined {
    const [dest, ...more] = this.#options.exporters.flatMap(({ layout }) => (layout === undefined ? [] : [layout]));
    if (more.length > 0) throw new Error("a build can fill one OCI layout only");
    return dest === undefined ? undefined : new OciStore({ dest });
  }

  /** Enters the image that was written to an OCI layout into its index, under all its names. */
  async #enterImage(response: Readonly<Record<string, string>>): Promise<void> {
    const described = response["containerimage.descriptor"];
    const layout = this.#layout();
    if (layout === undefined || described === undefined) return;
    const names = response["image.name"]?.split(",").map((image) => ({ image })) ?? [{ tag: "latest" }];
    await layout.put(JSON.parse(Buffer.from(described, "base64").toString("utf8")) as Descriptor, names);
  }

  async #return(gateway: Gateway, what: Uint8Array | ResultRef | BuildOutcome): Promise<void> {
    try {
      await gateway.return(what instanceof Uint8Array ? await this.#raced(gateway.solve(what)) : what);
    } catch (error) {
      // The build then ends with this error in the daemon's history, too.
      if (error instanceof RpcError && !this.#cancel.signal.aborted) await gateway.fail(error).catch(() => {});
      throw error;
    }
  }

  async #call<T>(work: (gateway: Gateway) => Promise<T>, explain: (error: RpcError) => UserError = solveError): Promise<T> {
    try {
      return await this.#raced(work(this.#openGateway()));
    } catch (error) {
      if (this.#cancel.signal.aborted) await this.#end(true);
      throw this.#translate(error, explain);
    }
  }

  async #inTime<T>(resolving: Promise<T>): Promise<T> {
    const ms = this.#options.patience ?? defaultPatience;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const error = new RpcError(Code.deadlineExceeded, `its registry gives no answer within ${Math.round(ms / 1000)} s`);
      timer = setTimeout(() => reject(error), ms);
    });
    return Promise.race([resolving, late]).finally(() => clearTimeout(timer));
  }

  /** When the Solve itself ends while a call waits, its error tells more. */
  #raced<T>(work: Promise<T>): Promise<T> {
    const ended = (this.#solve as Promise<unknown>).then(() => {
      throw new RpcError(Code.aborted, "the daemon ended the build too early");
    });
    return Promise.race([work, ended]);
  }

  #openGateway(): Gateway {
    if (this.#gateway === undefined) {
      if (this.#ended !== undefined) throw new Error("this build has ended");
      this.#start(undefined);
      this.#gateway = new Gateway(this.#connection, this.ref, this.#cancel.signal, this.#cache.imports);
    }
    return this.#gateway;
  }

  #start(definition: Uint8Array | undefined): void {
    if (this.#ended !== undefined || this.#solve !== undefined) throw new Error("this build has ended");
    const head = SolveRequest.encode(
      SolveRequest.fromPartial({
        Ref: this.ref,
        Session: this.#session.id,
        Cache: {
          Imports: this.#cache.imports.map((c) => ({ Type: c.type, Attrs: { ...c.attrs } })),
          Exports: this.#cache.exports.map((c) => ({ Type: c.type, Attrs: { ...c.attrs } })),
        },
        ...(this.#options.sourcePolicy === undefined ? {} : { SourcePolicy: this.#options.sourcePolicy.message }),
        FrontendAttrs: frontendAttrs(this.#options),
        Entitlements: [...(this.#options.entitlements ?? [])],
        Internal: !this.#options.record,
        Exporters: this.#options.exporters.map((e) => ({ Type: e.type, Attrs: { ...e.attrs } })),
        // Daemons before 0.13 know one exporter, in a field of its own.
        ExporterDeprecated: this.#options.exporters[0]?.type ?? "",
        ExporterAttrsDeprecated: { ...this.#options.exporters[0]?.attrs },
      }),
    ).finish();
    const parts = definition === undefined ? [head] : [head, fieldHeader(2, definition.length), definition];
    this.#solve = this.#connection
      .unaryBytes(solvePath, parts, { signal: this.#cancel.signal })
      .then((bytes) => SolveResponse.decode(bytes));
    this.#solve.catch(() => {}); // whoever waits for it hears of it
    this.#status = this.#follow();
  }

  /** The status stream is only shown: whatever is wrong with it, the solve tells. */
  async #follow(): Promise<void> {
    const reader = new StatusReader();
    const patience = this.#options.patience ?? defaultPatience;
    const giveUp = (error: UserError): void => {
      this.#givenUp ??= error;
      this.#cancel.abort();
    };
    const uncounted = patience * uncountedFactor;
    const silence = new SilenceWatch({ importing: patience, exporting: uncounted }, giveUp);
    const stalls = new StallWatch({ counted: patience, uncounted }, (digest) => this.#options.downloads?.(digest), giveUp);
    const onMessage = (message: StatusResponse): void => {
      this.#lastStatus = Date.now();
      const update = reader.read(message);
      silence.see(update);
      stalls.see(update);
      this.#options.onStatus(update);
    };
    const options = {
      signal: this.#stopStatus.signal,
      onHeaders: (headers: Parameters<StatusReader["onHeaders"]>[0]) => reader.onHeaders(headers, Date.now()),
    };
    await this.#connection.serverStream(statusMethod, { Ref: this.ref }, onMessage, options).catch(() => {});
    silence.stop();
    stalls.stop();
  }

  /** Solve and status end before the session does: steps that are being canceled may still need it. */
  #end(cancel: boolean): Promise<void> {
    this.#ended ??= (async () => {
      if (cancel) this.#cancel.abort();
      await this.#solve?.catch(() => {});
      await this.#drainStatus();
      this.#options.signal?.removeEventListener("abort", this.#onAbort);
      this.#session.close();
    })();
    return this.#ended;
  }

  async #drainStatus(): Promise<void> {
    this.#lastStatus = Date.now();
    const timer = setInterval(() => {
      if (Date.now() - this.#lastStatus > statusGrace) this.#stopStatus.abort();
    }, 250);
    await this.#status;
    clearInterval(timer);
  }

  /** The most telling reason first: the user stopped it; our own side failed; the connection broke; the daemon says why. */
  #translate(error: unknown, explain: (error: RpcError) => UserError): unknown {
    if (this.#options.signal?.aborted === true) return interrupted();
    if (this.#givenUp !== undefined) return this.#givenUp;
    const explained = error instanceof RpcError ? explain(error) : error;
    return this.#session.failureBehind(error instanceof Error ? error.message : "") ?? explained;
  }
}

function frontendAttrs({ platforms = [], attestations: { provenance, sbom } = {} }: BuildOptions): Record<string, string> {
  return {
    ...(platforms.length === 0 ? {} : { platform: platforms.join(",") }),
    ...(provenance === undefined ? {} : { "attest:provenance": provenance }),
    ...(sbom === undefined ? {} : { "attest:sbom": sbom }),
  };
}

function checkSize(definition: Uint8Array): void {
  if (definition.length === 0) throw new Error("an empty Definition cannot be solved");
  if (definition.length < maxRequest - 4096) return;
  const message = `The job is too large: its LLB has ${(definition.length / (1 << 20)).toFixed(1)} MiB, and a BuildKit daemon takes 16`;
  throw inputError({ code: "definition-too-large", message, at: [], hint: "Put large contents into files and load them with `local`" });
}
