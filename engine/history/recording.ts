// A run that is remembered: it goes on as any other, while a thread beside it writes what it tells into the store.
import { hash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { UserError } from "../../compiler/index.ts";
import type { Listing } from "../../runtime/session/index.ts";
import type { UpEvent, UpResult } from "../events.ts";
import { factsOf, listingKey } from "../provenance/facts.ts";
import { Waits } from "../provenance/waits.ts";
import type { UpRequest } from "../request.ts";
import { basisOf } from "../stacks/used.ts";
import type { Json, NewEvent, NewLog } from "../store/index.ts";
import { version } from "../version.ts";
import type { JobFacts, RunWatch } from "../watch.ts";
import { ComponentBook } from "./components.ts";
import { configText, requestData } from "./config.ts";
import { endOf, outputsOf, summaryOf } from "./ending.ts";
import { eventOf, logOf } from "./entries.ts";
import type { Ending, Entries, FromRecorder, PlainError, RecorderTask, ToRecorder } from "./messages.ts";
import type { RunPlace } from "./place.ts";
import { waitingText } from "./words.ts";

/** Milliseconds between batches. */
const pause = 200;
/** Bytes of logs that may be on their way into the store; what comes while there are more is left out, and said to be. */
const mostUnwritten = 64 * 1024 * 1024;

/** Runs `work` and remembers it. What goes wrong with the store before it runs ends it; later, that is a warning. */
export async function recorded(
  request: UpRequest,
  place: RunPlace,
  work: (request: UpRequest, watch: RunWatch) => Promise<UpResult>,
): Promise<UpResult> {
  const recording = new Recording(request, place);
  const onEvent = (event: UpEvent): void => {
    recording.take(event);
    request.onEvent(event);
  };
  try {
    const result = await work({ ...request, signal: recording.signal, onEvent }, recording);
    await recording.end("done", { result });
    return result;
  } catch (error) {
    const told = recording.reason ?? error;
    const kept = (error as { readonly result?: UpResult }).result;
    await recording.end(endOf(told), { error: told, ...(kept === undefined ? {} : { result: kept }) });
    throw told;
  }
}

class Recording implements RunWatch {
  readonly ready: Promise<void>;
  /** The request's, and what others have to say about this run. */
  readonly signal: AbortSignal;
  /** Why somebody else ended the run. */
  reason: UserError | undefined;
  readonly #request: UpRequest;
  /** Of the workspace. */
  readonly #root: string;
  readonly #worker: Worker;
  readonly #cancel = new AbortController();
  readonly #over: Promise<void>;
  readonly #book = new ComponentBook();
  #facts: JobFacts | undefined;
  #described = false;
  readonly #waits = new Waits();
  #events: NewEvent[] = [];
  #logs: NewLog[] = [];
  #bytes = 0;
  #unwritten = 0;
  #lost = 0;
  #started = false;
  #broken = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(request: UpRequest, place: RunPlace) {
    this.#request = request;
    this.#root = place.root;
    this.signal = AbortSignal.any([request.signal, this.#cancel.signal]);
    const { idempotencyKey, repeat } = request;
    const run = {
      ...{ stack: place.stack, env: place.env, versions: { ...versions() }, request: requestData(request, place) },
      ...(repeat === undefined ? {} : { parent: repeat.run }),
      ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    };
    const lease = place.lease === undefined ? {} : { lease: { key: place.lease, supersede: request.supersede === true } };
    const state = join(place.root, ".dagger", "state");
    // A store of one's own makes no workspace of a directory.
    const digests = existsSync(join(place.root, ".dagger")) ? { digests: join(state, "files") } : {};
    this.#worker = startWorker({ location: place.location, tenant: place.tenant, run, ...lease, ...digests });
    // Neither the end of the process nor that of a run that failed early waits for it.
    this.#worker.unref();
    const onAbort = (): void => this.#say({ type: "abort" });
    request.signal.addEventListener("abort", onAbort, { once: true });
    let over = (): void => undefined;
    this.#over = new Promise((resolve) => {
      over = resolve;
    });
    this.ready = new Promise((resolve, reject) => {
      const fail = (error: PlainError): void => {
        this.#fail(error);
        // Who checks out a tree that nobody may write to wants it run all the same.
        if (isReadOnly(error)) resolve();
        else reject(asError(error));
        over();
      };
      this.#worker.on("message", (message: FromRecorder) => {
        if (message.type === "ready") {
          this.#started = true;
          resolve();
        } else if (message.type === "failed") fail(message.error);
        else if (message.type === "created") request.onRecorded?.(message.run, message.created);
        else if (message.type === "ended") over();
        else this.#hear(message);
      });
      this.#worker.on("error", (error) => fail(crashed(error)));
      this.#worker.on("exit", () => {
        request.signal.removeEventListener("abort", onAbort);
        over();
      });
    });
    this.ready.catch(() => undefined);
  }

  take(event: UpEvent): void {
    this.#book.take(event);
    if (event.type === "log") this.#log(event);
    else {
      const kept = eventOf(event, Date.now());
      if (kept !== undefined) this.#events.push(kept);
    }
    this.#timer ??= setTimeout(() => this.#flush(), pause).unref();
  }

  daemon(name: string): void {
    this.#say({ type: "daemon", name });
  }

  listed(listing: Listing): void {
    // Those of dagger itself are no part of what a config is made from.
    if (!listing.name.startsWith("dagger-run-")) this.#say({ type: "listed", key: listingKey(listing), files: listing });
  }

  job(facts: JobFacts): void {
    if (this.#facts === undefined) this.#say({ type: "config", text: configText(this.#request, facts, this.#root) });
    this.#facts = facts;
    this.#waits.note(facts.job);
    this.#described = false;
    // While the daemon works.
    setImmediate(() => this.#describe());
  }

  /** What the components are made from; what the daemon tells of git refs and addresses comes later than the job. */
  #describe(): void {
    const facts = this.#facts;
    if (facts === undefined || this.#described) return;
    this.#described = true;
    const { config, job, run, images, resolved, scrubber } = facts;
    const made = factsOf({ job, run, images, resolved, waits: this.#waits, own: config.own, root: this.#root });
    const told = scrubber.data(made);
    this.#say({ type: "facts", facts: told });
  }

  /** Resolves when all is written, or cannot be. */
  async end(state: "done" | "failed" | "cancelled", { result, error }: { result?: UpResult; error?: unknown }): Promise<void> {
    if (this.#broken) return;
    clearTimeout(this.#timer);
    this.#worker.ref();
    // What the daemon told since.
    if ((this.#facts?.resolved.size ?? 0) > 0) this.#described = false;
    this.#describe();
    const facts = this.#facts;
    const outputs = outputsOf(result, state);
    const given = new Map(outputs.filter(({ component }) => component !== "").map(({ component, value }) => [component, value]));
    const ending: Ending = {
      ...this.#collected(),
      components: this.#book.final(state, given),
      end: { state, ...summaryOf({ result, error, facts }), passes: result?.passes.length ?? 0 },
      outputs,
      provenance: { ...provenanceOf(facts), ...basisOfRun(this.#request) },
    };
    this.#say({ type: "end", ...ending });
    await this.#over;
  }

  #log(event: Extract<UpEvent, { type: "log" }>): void {
    if (this.#unwritten > mostUnwritten) {
      this.#lost += event.data.length;
      return;
    }
    this.#tellLost(event.time);
    this.#logs.push(logOf(event));
    this.#bytes += event.data.length;
    this.#unwritten += event.data.length;
  }

  /** The store is slower than the run: what it had no room for is said where it would be. */
  #tellLost(time: number): void {
    if (this.#lost === 0) return;
    this.#events.push({ time, type: "lost", data: { bytes: this.#lost } });
    this.#lost = 0;
  }

  #flush(): void {
    this.#timer = undefined;
    this.#say({ type: "entries", bytes: this.#bytes, ...this.#collected(), components: this.#book.changes() });
    this.#bytes = 0;
  }

  #collected(): Omit<Entries, "components"> {
    this.#tellLost(Date.now());
    const entries = { events: this.#events, logs: this.#logs };
    this.#events = [];
    this.#logs = [];
    return entries;
  }

  #say(message: ToRecorder): void {
    if (!this.#broken) this.#worker.postMessage(message);
  }

  #hear(message: Exclude<FromRecorder, { type: "ready" | "failed" | "ended" | "created" }>): void {
    if (message.type === "written") this.#unwritten -= message.bytes;
    else if (message.type === "cancel") {
      this.reason ??= asError(message.error);
      this.#cancel.abort(this.reason);
    } else {
      const text = message.type === "waiting" ? waitingText(message.before) : message.text;
      this.#request.onEvent({ type: "warning", message: text, detail: [], at: [] });
    }
  }

  /** A run that goes on does so without being remembered. */
  #fail(error: PlainError): void {
    const { diagnostics } = error;
    const going = (this.#started || isReadOnly(error)) && !this.#broken;
    this.#broken = true;
    clearTimeout(this.#timer);
    if (!going || this.#cancel.signal.aborted) return;
    const [first] = diagnostics;
    const detail = first?.hint === undefined ? [] : [first.hint];
    const message = `The run is not recorded${this.#started ? " any further" : ""}: ${first?.message ?? ""}`;
    this.#request.onEvent({ type: "warning", code: first?.code ?? "history-failed", message, detail, at: [] });
  }
}

function isReadOnly({ diagnostics: [first] }: PlainError): boolean {
  return first?.code === "store-read-only";
}

function versions(): { dagger: string; cue: string; buildkit: string } {
  return { dagger: version.dagger, cue: version.cue, buildkit: version.buildkit };
}

function provenanceOf(facts: JobFacts | undefined): { readonly [key: string]: Json } {
  if (facts === undefined) return {};
  const { config, definition, images, scrubber } = facts;
  // A digest of what has a secret in it would let one guess.
  const open = config.evaluation.fills.filter(({ text = "", json = "" }) => scrubber.text(text) === text && scrubber.text(json) === json);
  const inputs = open.map(({ path, text = "", json = "" }) => [path, `sha256:${hash("sha256", JSON.stringify([text, json]))}`]);
  return { definition, images: Object.fromEntries(images), ...(inputs.length === 0 ? {} : { inputs: Object.fromEntries(inputs) as Json }) };
}

/** Beside its files, an environment is made from what it sets, and from what others gave. */
function basisOfRun({ stack, inputs, typedInputs = [] }: UpRequest): { readonly [key: string]: Json } {
  if (stack === undefined) return {};
  const given = [
    ...inputs.map((text) => text.split("=")[0] ?? ""),
    ...typedInputs.map((one) => ("path" in one ? one.path : (one.text.split("=")[0] ?? ""))),
  ];
  return { basis: basisOf(stack, given) };
}

function asError({ exit, diagnostics }: PlainError): UserError {
  return new UserError(exit, diagnostics);
}

function crashed(error: Error): PlainError {
  return { exit: 3, diagnostics: [{ code: "history-failed", message: `The run is not recorded: ${error.message}`, at: [] }] };
}

function startWorker(task: RecorderTask): Worker {
  const options = { workerData: task };
  // In the bundled command line the thread's code is a file of its own beside the bundle.
  if (import.meta.url.endsWith(".js")) return new Worker(new URL("./worker.js", import.meta.url), options);
  if (!import.meta.url.endsWith(".ts")) return new Worker(new URL("./history-worker.cjs", import.meta.url), options);
  // From source, as in tests: tsx does not reach into threads by itself.
  const tsx = import.meta.resolve("tsx/esm/api");
  const file = new URL("./worker.ts", import.meta.url).href;
  return new Worker(`import(${JSON.stringify(tsx)}).then((tsx) => (tsx.register(), import(${JSON.stringify(file)})));`, {
    ...options,
    eval: true,
  });
}
