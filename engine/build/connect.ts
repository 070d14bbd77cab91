// Opens the one build of a run: finds a daemon (or starts the embedded one), connects, and offers what the job needs.
import type { Diagnostic, ImageRequest, Job } from "../../compiler/index.ts";
import { checkDaemon, takesUsualGraph, UserError } from "../../compiler/index.ts";
import { findDaemon } from "../../runtime/daemon/index.ts";
import type { LocalDir, OpenAgents, Receiver, SshSource } from "../../runtime/session/index.ts";
import { createReceiver, dockerAuth, openAgents, withLogins } from "../../runtime/session/index.ts";
import type { Build, BuildOptions, CacheFailure, Client, ConnectOptions, DaemonCapabilities } from "../../runtime/solve/index.ts";
import { connect } from "../../runtime/solve/index.ts";
import type { UpResult } from "../events.ts";
import type { LayoutServer } from "../images.ts";
import type { Surroundings } from "../request.ts";
import type { ReadSecret } from "../secrets/provider.ts";
import { savingInterrupted } from "./interrupt.ts";
import type { Login } from "./logins.ts";
import type { StepOwner, StepTracker } from "./steps.ts";

export interface OpenRequest extends Surroundings {
  readonly buildkit?: string;
  /** Certificates for a daemon at `tcp://`, beside what the environment names. */
  readonly tls?: ConnectOptions["tls"];
  readonly signal: AbortSignal;
  /** What the whole job gets beside its config. */
  readonly extras?: BuildExtras;
}

/** Cache from and to elsewhere, rules about sources, and agents that steps may use. */
export interface BuildExtras {
  readonly cache?: BuildOptions["cache"];
  readonly sourcePolicy?: BuildOptions["sourcePolicy"];
  readonly ssh?: readonly SshSource[];
  readonly onMissingCache?: (dir: string, why: string) => void;
  readonly onCacheFailure?: (failure: CacheFailure) => void;
  /** Milliseconds that a registry or a store of cache may be silent. */
  readonly patience?: number;
  /** Whether the daemon is to record the build in its history; it does not without it. */
  readonly record?: boolean;
}

interface OpenParts {
  readonly client: Client;
  readonly build: Build;
  readonly options: BuildOptions;
  readonly steps: StepTracker;
  readonly capabilities: Promise<DaemonCapabilities | undefined>;
  readonly agents: OpenAgents;
  readonly cache: BuildExtras["cache"];
}

/** The build of a run on its daemon. What the session offers is in `Offer`, which exists before there is a connection. */
export class OpenBuild {
  readonly build: Build;
  readonly #parts: OpenParts;

  constructor(parts: OpenParts) {
    this.build = parts.build;
    this.#parts = parts;
  }

  /** A further build of the same job on the same connection. What the daemon adds for it is shown as part of `owner`. */
  async beside(more: Pick<BuildOptions, "attestations" | "exporters" | "platforms" | "signal">, owner: StepOwner): Promise<Build> {
    const { client, options, steps, cache } = this.#parts;
    const inline = cache?.exports?.filter(({ type }) => type === "inline") ?? [];
    return client.build({ ...options, cache: { ...cache, exports: inline }, ...more, onStatus: steps.follower(owner) });
  }

  /** What the daemon can do, when that is less than graphs are usually made for. */
  async oldCapabilities(): Promise<ReadonlySet<string> | undefined> {
    const caps = (await this.#parts.capabilities)?.caps;
    return caps === undefined || takesUsualGraph(caps) ? undefined : caps;
  }

  /** Name and version, when it tells them. */
  async daemon(): Promise<string | undefined> {
    return (await this.#parts.capabilities)?.name;
  }

  /** Throws UserError (3) `daemon-lacks` when the daemon cannot do all of the job: before anything runs. */
  async check(definition: Job["definition"]): Promise<void> {
    const daemon = await this.#parts.capabilities;
    if (daemon !== undefined) checkDaemon(definition, daemon);
  }

  /** As `check`, for images that are to carry attestations: a daemon that knows none would leave them out silently. */
  async checkAttestations(images: readonly Pick<Diagnostic, "path" | "at">[]): Promise<void> {
    const daemon = await this.#parts.capabilities;
    if (daemon === undefined || daemon.caps.has("exporter.image.attestations")) return;
    const message = `${daemon.name} cannot make attestations of images (exporter.image.attestations)`;
    const hint = "Use a newer BuildKit daemon, or leave out `attest`";
    throw new UserError(
      3,
      images.map(({ path, at }) => ({ code: "daemon-lacks", message, ...(path === undefined ? {} : { path }), at, hint })),
    );
  }

  /** Milliseconds that a registry may be silent. */
  get patience(): number {
    return this.#parts.options.patience ?? 180_000;
  }

  /** Whether the registry of an image says anything to the daemon within `patience`. */
  async registryAnswers(ref: string, platform: ImageRequest["platform"], patience: number, signal: AbortSignal): Promise<boolean> {
    const { client, options } = this.#parts;
    const build = await client.build({ ...options, cache: {}, exporters: [], record: false, patience, signal, onStatus: () => undefined });
    try {
      return await build.registryAnswers(ref, platform);
    } finally {
      await build.abort();
    }
  }

  async remoteImage(request: ImageRequest): Promise<{ digest: string; config: Uint8Array }> {
    return this.build.resolveImageConfig(request.ref, request.platform, request.resolveMode);
  }

  /** Ends the build if it has not ended. */
  async close(): Promise<void> {
    await this.build.abort();
    this.#parts.client.close();
    await this.#parts.agents.close();
  }
}

/** What the session offers to the daemon; read by it at the moment the daemon asks. */
export class Offer implements LayoutServer {
  readonly locals: Map<string, LocalDir> = new Map();
  readonly layouts: Map<string, string> = new Map();
  /** Of effect until the build starts. */
  readonly entitlements: string[] = [];
  receiver: Receiver | undefined;
  /** Logins of the config, by registry host. */
  logins: () => ReadonlyMap<string, Login> = () => new Map();
  #stop: () => void = () => undefined;
  readonly #onListed: LocalDir["onListed"];

  /** `onListed` is told what the daemon was offered of directories. */
  constructor(onListed?: LocalDir["onListed"]) {
    this.#onListed = onListed;
  }

  /** Serves an OCI layout from now on. */
  serve(dir: string): string {
    for (const [name, served] of this.layouts) if (served === dir) return name;
    const name = `dagger-${this.layouts.size}`;
    this.layouts.set(name, dir);
    return name;
  }

  /** Serves directories before the job is known. */
  serveLocals(locals: Job["locals"]): void {
    const onListed = this.#onListed;
    for (const { name, dir, at } of locals) this.locals.set(name, { dir, at, ...(onListed === undefined ? {} : { onListed }) });
  }

  /** Serves what a pass needs; the last pass's results are received. */
  prepare(job: Job): void {
    this.serveLocals(job.locals);
    this.entitle(job.entitlements);
    const dirs = job.dirs.map(({ prefix, dest, exact, at }) => ({ prefix: prefix.replace(/\/$/, ""), dest, exact, at }));
    this.#stop();
    const receiver = createReceiver({ memory: ["values"], dirs });
    this.receiver = receiver;
    this.#stop = savingInterrupted(() => receiver.rollback());
  }

  entitle(names: Job["entitlements"]): void {
    for (const name of names) if (!this.entitlements.includes(name)) this.entitlements.push(name);
  }

  /** One exported file of the finished build. */
  value(file: string): Uint8Array {
    const bytes = this.receiver?.values.get(file);
    if (bytes === undefined) throw new Error(`the daemon did not send ${file}`);
    return bytes;
  }

  /** Puts the saved directories in place. */
  async commit(job: Job): Promise<UpResult["saved"]> {
    const saved = (await this.receiver?.commit()) ?? [];
    return saved.map(({ dest, files, bytes }, index) => ({ path: job.dirs[index]?.path ?? "", dest, files, bytes }));
  }

  /** Forgets what was received but not put in place. */
  close(): void {
    this.receiver?.rollback();
    this.#stop();
  }
}

/** Throws UserError: 2 for a bad address, 3 when there is no daemon and none can be started, 130 when interrupted. */
export async function openBuild(
  request: OpenRequest,
  offer: Offer,
  secrets: ReadSecret,
  steps: StepTracker,
  clientId: Promise<string>,
): Promise<OpenBuild> {
  const agents = await openAgents(request.extras?.ssh ?? [], request.env, request.cwd);
  try {
    return await openWith(agents, request, offer, secrets, steps, clientId);
  } catch (error) {
    await agents.close();
    throw error;
  }
}

async function openWith(
  agents: OpenAgents,
  { buildkit, tls, signal, env, cwd, extras = {} }: OpenRequest,
  offer: Offer,
  secrets: ReadSecret,
  steps: StepTracker,
  clientId: Promise<string>,
): Promise<OpenBuild> {
  const daemon = await findDaemon({ env, cwd, signal, explicit: buildkit });
  const client = await connect(daemon.address, { env, cwd, signal, tls });
  // Goes on while CUE evaluates; a daemon of a known version costs one short call.
  const capabilities = client.capabilities(env, signal);
  const session = {
    name: "dagger",
    sharedKey: await clientId,
    locals: offer.locals,
    layouts: offer.layouts,
    ssh: agents.agents,
    secrets,
    auth: withLogins(dockerAuth(env, cwd), async (host) => {
      const login = offer.logins().get(host);
      const secret = login && (await secrets(login.secret));
      return secret && { username: login.username, secret: Buffer.from(secret).toString("utf8") };
    }),
    get receiver(): Receiver {
      // Asked for only when the result is sent, after the job was given.
      return offer.receiver as Receiver;
    },
  };
  const options: BuildOptions = {
    session,
    exporters: [{ type: "local", attrs: {} }],
    entitlements: offer.entitlements,
    // Inline cache lies in images: their own builds write it.
    cache: { ...extras.cache, exports: extras.cache?.exports?.filter(({ type }) => type !== "inline") ?? [] },
    ...(extras.sourcePolicy === undefined ? {} : { sourcePolicy: extras.sourcePolicy }),
    ...(extras.onMissingCache === undefined ? {} : { onMissingCache: extras.onMissingCache }),
    ...(extras.onCacheFailure === undefined ? {} : { onCacheFailure: extras.onCacheFailure }),
    ...(extras.patience === undefined ? {} : { patience: extras.patience }),
    record: extras.record ?? false,
    downloads: (digest) => steps.download(digest),
    onStatus: steps.follower(),
    signal,
  };
  return new OpenBuild({ client, build: await client.build(options), options, steps, capabilities, agents, cache: extras.cache });
}
