// One job on the daemon: one session, one Control.Solve, one status stream. They start together and end together.
import { setMaxListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { inputError, type UserError } from "../../compiler/diagnostic.ts";
import { SolveResponse } from "../../proto/gen/github.com/moby/buildkit/api/services/control/control.ts";
import { fieldHeader } from "../grpc/frame.ts";
import { Code, RpcError } from "../grpc/status.ts";
import { type Descriptor, newId, OciStore, Session } from "../session/index.ts";
import { type CacheEntry, type PreparedCache, prepareCache } from "./cache.ts";
import { imageError, SolveError, solveError } from "./errors.ts";
import { StatusFollower } from "./follow.ts";
import type { BuildOutcome, DirEntry, FileRange, Gateway, GatewayPlatform, ResultRef } from "./gateway.ts";
import { type BuildOptions, encodeRequest } from "./request.ts";
import { type Connection, interrupted } from "./transport.ts";
import { BuildWatch, defaultPatience } from "./watch.ts";

const solvePath = "/moby.buildkit.v1.Control/Solve";

/** What the daemon takes in one message. */
const maxRequest = 16 << 20;
/** How long the status stream may go on without a message after the solve has ended, and after it was canceled. */
const statusGrace = 5_000;
/** The same for a build that the daemon refused before it began: of that there is no status. */
const refusedGrace = 500;
const statusPause = 200;

/** What the exporters answered, e.g. `containerimage.digest`. */
export interface BuildResult {
  readonly exporterResponse: Readonly<Record<string, string>>;
}

/**
 * Exactly one Control.Solve, however it is used: `finish(definition)` alone submits the Definition with it; any other call before opens
 * the gateway of a Solve without one. End every build by `finish` or `abort`.
 *
 * All calls throw UserError: 1 `solve-failed`, `image-not-found`, `image-unavailable`, `download-stalled`,
 * `cache-export-failed`; 2 what is wrong with local files; 3 `connection-lost`, `cache-silent`, `daemon-refused`, `disk-full` …; 130 `interrupted`.
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
  #watch: BuildWatch | undefined;
  #solve: Promise<SolveResponse> | undefined;
  #isSolving = false;
  #status: Promise<void> = Promise.resolve();
  #follower: StatusFollower | undefined;
  #stopStatus = new AbortController();
  #gateway: Promise<Gateway> | undefined;
  #ended: Promise<void> | undefined;
  /** Why the build was given up by ourselves. */
  #givenUp: UserError | undefined;

  private constructor(connection: Connection, options: BuildOptions, cache: PreparedCache) {
    this.#connection = connection;
    this.#options = options;
    this.#cache = cache;
    // As many calls wait for it at once as there are components.
    setMaxListeners(0, this.#cancel.signal);
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
      else await this.#return(await this.#openGateway(), what);
      const { ExporterResponse } = (await this.#solve) as SolveResponse;
      await this.#end(false);
      this.#watch?.caches.succeeded();
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
      const gateway = await this.#openGateway();
      const result = await this.#raced(this.#whenTaken(() => work(gateway)));
      // What was told before the answer is shown before it, too.
      this.#follower?.flush();
      return result;
    } catch (error) {
      if (this.#cancel.signal.aborted) await this.#end(true);
      const explained = this.#translate(error, explain);
      // What the step wrote is shown before whatever comes of its failure.
      if (explained instanceof SolveError && explained.failure.vertex !== undefined)
        await this.#follower?.untilFailed(explained.failure.vertex);
      throw explained;
    }
  }

  /** A daemon that has not yet taken the build, because it waits for a store of cache, answers after 3 s that it knows no such build. */
  async #whenTaken<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        const result = await work();
        this.#watch?.taken();
        return result;
      } catch (error) {
        const unknown = error instanceof RpcError && error.code === Code.notFound && error.message.endsWith(`no such job ${this.ref}`);
        if (!unknown || !this.#isSolving || this.#watch?.isTaken !== false) throw error;
      }
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

  /** Its code is loaded for builds that use it: most submit their Definition with the Solve. */
  async #openGateway(): Promise<Gateway> {
    if (this.#gateway === undefined) {
      if (this.#ended !== undefined) throw new Error("this build has ended");
      this.#start(undefined);
      const call = {
        connection: this.#connection,
        ref: this.ref,
        signal: this.#cancel.signal,
        refusedSecrets: this.#session.refusedSecrets,
      };
      this.#gateway = import("./gateway.ts").then(({ Gateway }) => new Gateway(call, this.#cache.imports));
    }
    return this.#gateway;
  }

  #start(definition: Uint8Array | undefined): void {
    if (this.#ended !== undefined || this.#solve !== undefined) throw new Error("this build has ended");
    this.#isSolving = true;
    this.#watch = new BuildWatch(this.#options, (error) => {
      this.#givenUp ??= error;
      this.#cancel.abort();
    });
    this.#solve = this.#submit(definition, this.#cache.exports, this.#watch).finally(() => {
      this.#isSolving = false;
    });
    this.#solve.catch(() => {}); // whoever waits for it hears of it
    this.#status = this.#follow(this.#watch);
  }

  /** Without those exports of cache that the daemon refuses and that are to be ignored then: it has no build yet, so it is asked again. */
  async #submit(definition: Uint8Array | undefined, exports: readonly CacheEntry[], watch: BuildWatch): Promise<SolveResponse> {
    const cache = { imports: this.#cache.imports, exports };
    const head = encodeRequest(this.ref, this.#session.id, cache, this.#options);
    const parts = definition === undefined ? [head] : [head, fieldHeader(2, definition.length), definition];
    try {
      return SolveResponse.decode(await this.#connection.unaryBytes(solvePath, parts, { signal: this.#cancel.signal }));
    } catch (error) {
      const rest = error instanceof RpcError ? watch.caches.withoutRefused(error, exports) : undefined;
      if (rest === undefined) throw error;
      return this.#submit(definition, rest, watch);
    }
  }

  async #follow(watch: BuildWatch): Promise<void> {
    const follower = new StatusFollower(this.ref, (update) => {
      watch.see(update);
      this.#options.onStatus(update);
    });
    this.#follower = follower;
    const { signal } = this.#stopStatus;
    const isOpen = (): boolean => this.#isSolving && !watch.isTaken && !signal.aborted;
    do {
      await follower.follow(this.#connection, signal);
      // A daemon that waits for a store of cache says for 6 s nothing, and then that it knows no such build.
      if (isOpen()) await sleep(statusPause);
    } while (isOpen());
    watch.stop();
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
    const begin = Date.now();
    const grace = this.#watch?.isTaken === false ? refusedGrace : statusGrace;
    const timer = setInterval(() => {
      if (Date.now() - Math.max(begin, this.#follower?.heard ?? 0) > grace) this.#stopStatus.abort();
    }, 250);
    await this.#status;
    clearInterval(timer);
  }

  /** The most telling reason first: the user stopped it; our own side failed; the connection broke; the daemon says why. */
  #translate(error: unknown, explain: (error: RpcError) => UserError): unknown {
    if (this.#options.signal?.aborted === true) return interrupted();
    if (this.#givenUp !== undefined) return this.#givenUp;
    const explained = error instanceof RpcError ? (this.#watch?.caches.explain(error) ?? explain(error)) : error;
    return this.#session.failureBehind(error instanceof Error ? error.message : "") ?? explained;
  }
}

function checkSize(definition: Uint8Array): void {
  if (definition.length === 0) throw new Error("an empty Definition cannot be solved");
  if (definition.length < maxRequest - 4096) return;
  const message = `The job is too large: its LLB has ${(definition.length / (1 << 20)).toFixed(1)} MiB, and a BuildKit daemon takes 16`;
  throw inputError({ code: "definition-too-large", message, at: [], hint: "Put large contents into files and load them with `local`" });
}
