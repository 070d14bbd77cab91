// Opens the one build of a run: finds a daemon (or starts the embedded one), connects, and offers what the job needs.
import type { ImageRequest, Job } from "../compiler/index.ts";
import { findDaemon } from "../runtime/daemon/index.ts";
import type { LocalDir, Receiver } from "../runtime/session/index.ts";
import { createReceiver, dockerAuth } from "../runtime/session/index.ts";
import type { Build, Client } from "../runtime/solve/index.ts";
import { connect } from "../runtime/solve/index.ts";
import type { UpResult } from "./events.ts";
import type { LayoutServer } from "./images.ts";
import { savingInterrupted } from "./interrupt.ts";
import type { StepTracker } from "./steps.ts";

export interface OpenRequest {
  readonly buildkit?: string;
  readonly signal: AbortSignal;
}

/** The build of a run with all that its session serves; the session exists before the job is known. */
export class OpenBuild implements LayoutServer {
  readonly build: Build;
  readonly #client: Client;
  readonly #offer: Offer;

  constructor(client: Client, build: Build, offer: Offer) {
    this.#client = client;
    this.build = build;
    this.#offer = offer;
  }

  /** Serves an OCI layout from now on. */
  serve(dir: string): string {
    return this.#offer.layout(dir);
  }

  /** Serves what a pass needs; the last pass's results are received. */
  prepare(job: Job): void {
    this.#offer.job(job);
  }

  /** Allows the build more; of no effect once it has started. */
  entitle(names: Job["entitlements"]): void {
    this.#offer.entitle(names);
  }

  async remoteImage(request: ImageRequest): Promise<{ digest: string; config: Uint8Array }> {
    return this.build.resolveImageConfig(request.ref, request.platform, request.resolveMode);
  }

  /** One exported file of the finished build. */
  value(file: string): Uint8Array {
    const bytes = this.#offer.receiver?.values.get(file);
    if (bytes === undefined) throw new Error(`the daemon did not send ${file}`);
    return bytes;
  }

  /** Puts the saved directories in place. */
  async commit(job: Job): Promise<UpResult["saved"]> {
    const saved = (await this.#offer.receiver?.commit()) ?? [];
    return saved.map(({ dest, files, bytes }, index) => ({ path: job.dirs[index]?.path ?? "", dest, files, bytes }));
  }

  /** Ends the build if it has not ended, and forgets what was received but not put in place. */
  async close(): Promise<void> {
    await this.build.abort();
    this.#offer.receiver?.rollback();
    this.#offer.stop();
    this.#client.close();
  }
}

/** What the session offers; read by it at the moment the daemon asks. */
class Offer {
  readonly locals: Map<string, LocalDir> = new Map();
  readonly layouts: Map<string, string> = new Map();
  readonly entitlements: string[] = [];
  receiver: Receiver | undefined;
  #stop: () => void = () => undefined;

  layout(dir: string): string {
    for (const [name, served] of this.layouts) if (served === dir) return name;
    const name = `dagger-${this.layouts.size}`;
    this.layouts.set(name, dir);
    return name;
  }

  job(job: Job): void {
    for (const { name, dir, at } of job.locals) this.locals.set(name, { dir, at });
    this.entitle(job.entitlements);
    const dirs = job.dirs.map(({ prefix, dest, at }) => ({ prefix: prefix.replace(/\/$/, ""), dest, at }));
    this.stop();
    const receiver = createReceiver({ memory: ["values"], dirs });
    this.receiver = receiver;
    this.#stop = savingInterrupted(() => receiver.rollback());
  }

  entitle(names: Job["entitlements"]): void {
    for (const name of names) if (!this.entitlements.includes(name)) this.entitlements.push(name);
  }

  stop(): void {
    this.#stop();
  }
}

/** Throws UserError: 2 for a bad address, 3 when there is no daemon and none can be started, 130 when interrupted. */
export async function openBuild(
  request: OpenRequest,
  secrets: (id: string) => Promise<Uint8Array | undefined>,
  steps: StepTracker,
  clientId: Promise<string>,
): Promise<OpenBuild> {
  const { signal } = request;
  const daemon = await findDaemon({ signal, explicit: request.buildkit });
  const client = await connect(daemon.address, { signal });
  const offer = new Offer();
  const session = {
    name: "dagger",
    sharedKey: await clientId,
    locals: offer.locals,
    layouts: offer.layouts,
    secrets,
    auth: dockerAuth(process.env),
    get receiver(): Receiver {
      // Asked for only when the result is sent, after the job was given.
      return offer.receiver as Receiver;
    },
  };
  const build = await client.build({
    session,
    exporters: [{ type: "local", attrs: {} }],
    entitlements: offer.entitlements,
    record: true,
    onStatus: (update) => steps.update(update),
    signal,
  });
  return new OpenBuild(client, build, offer);
}
