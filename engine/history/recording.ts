// A run that is remembered: it goes on as any other, and what it tells is written into the store, a batch at a time.
import { hash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../compiler/index.ts";
import type { Listing } from "../../runtime/session/index.ts";
import type { UpEvent, UpResult } from "../events.ts";
import type { JobFacts, RunWatch } from "../observers.ts";
import { factsOf, isOwnListing, listingKey } from "../provenance/facts.ts";
import { FileDigests } from "../provenance/files.ts";
import { Waits } from "../provenance/waits.ts";
import type { UpRequest } from "../request.ts";
import { basisOf } from "../stacks/used.ts";
import type { Json, NewEvent, NewLog } from "../store/index.ts";
import { version } from "../version.ts";
import { ComponentBook } from "./components.ts";
import { configText, requestData } from "./config.ts";
import { endOf, outputsOf, summaryOf } from "./ending.ts";
import { eventOf, logOf } from "./entries.ts";
import type { RunPlace } from "./place.ts";
import type { Ending, Entries } from "./recorder.ts";
import { waitingText } from "./words.ts";
import { Writer } from "./writer.ts";

/** Milliseconds between batches. */
const pause = 200;
/** Milliseconds until what is known before the daemon works is written: while it works, there is little else to do. */
const atOnce = 1;
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
  /** The request's, and what others have to say about this run. */
  readonly signal: AbortSignal;
  /** Why somebody else ended the run. */
  reason: unknown;
  readonly #request: UpRequest;
  /** Of the workspace. */
  readonly #root: string;
  readonly #writer: Writer;
  readonly #cancel = new AbortController();
  /** Of a run that is over before its turn has come. */
  readonly #leave = new AbortController();
  readonly #book = new ComponentBook();
  #facts: JobFacts | undefined;
  #described = false;
  readonly #waits = new Waits();
  /** What was not told the writer yet: the job that the run began with, and the daemon. */
  #config: JobFacts | undefined;
  #daemon: string | undefined;
  #events: NewEvent[] = [];
  #logs: NewLog[] = [];
  #bytes = 0;
  #unwritten = 0;
  #lost = 0;
  #begun: Promise<void> | undefined;
  #started = false;
  #broken = false;
  #timer: NodeJS.Timeout | undefined;
  #early: NodeJS.Timeout | undefined;

  constructor(request: UpRequest, place: RunPlace) {
    this.#request = request;
    this.#root = place.root;
    const interrupt = (): void => {
      this.#cancel.abort(request.signal.reason);
      this.#leave.abort(new UserError(130, [{ code: "interrupted", message: "Interrupted", at: [] }]));
    };
    request.signal.addEventListener("abort", interrupt, { once: true, signal: this.#leave.signal });
    if (request.signal.aborted) interrupt();
    this.signal = this.#cancel.signal;
    const { location, tenant, stack, env, lease } = place;
    const { idempotencyKey, repeat } = request;
    // A store of one's own makes no workspace of a directory.
    const digests = existsSync(join(place.root, ".dagger")) ? join(place.root, ".dagger", "state", "files") : undefined;
    this.#writer = new Writer({
      location,
      tenant,
      run: {
        stack,
        env,
        versions: { ...versions() },
        request: requestData(request, place),
        ...(repeat === undefined ? {} : { parent: repeat.run }),
        ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
      },
      ...(lease === undefined ? {} : { lease: { key: lease, supersede: request.supersede === true } }),
      digests: new FileDigests(digests, Date.now),
      signal: this.#leave.signal,
      onCreated: (run, created) => {
        request.onRecorded?.(run, created);
        if (created) request.onEvent({ type: "recorded", run });
      },
      onWait: (before) => this.#warn(waitingText(before)),
      onNotice: (text) => this.#warn(text),
      onCancel: (reason) => {
        this.reason ??= reason;
        this.#cancel.abort(reason);
      },
      onFail: (error) => this.#fail(error),
    });
  }

  begin(): Promise<void> {
    this.#begun ??= this.#begin();
    return this.#begun;
  }

  async #begin(): Promise<void> {
    try {
      await this.#writer.begin();
      this.#started = true;
    } catch (error) {
      // Who checks out a tree that nobody may write to wants it run all the same.
      if (!isReadOnly(error)) throw error;
    }
  }

  take(event: UpEvent): void {
    this.#book.take(event);
    if (this.#broken) return;
    if (event.type === "log") this.#log(event);
    else {
      const kept = eventOf(event, Date.now());
      if (kept !== undefined) this.#events.push(kept);
    }
    if (event.type === "phase" && event.phase === "solve") this.#early = setTimeout(() => this.#prepare(), atOnce).unref();
    this.#timer ??= setTimeout(() => this.#flush(), pause).unref();
  }

  daemon(name: string): void {
    this.#daemon = name;
  }

  listed(listing: Listing): void {
    // Those of dagger itself are no part of what a config is made from.
    if (!isOwnListing(listing)) this.#writer.write(async (recorder) => recorder.listed(listingKey(listing), listing));
  }

  job(facts: JobFacts): void {
    if (this.#facts === undefined) this.#config = facts;
    this.#facts = facts;
    this.#waits.note(facts.job);
    this.#described = false;
  }

  /** What the components are made from; what the daemon tells of git refs and addresses comes later than the job. */
  #describe(): void {
    const facts = this.#facts;
    if (facts === undefined || this.#described) return;
    this.#described = true;
    const { config, job, run, images, resolved, scrubber } = facts;
    const made = factsOf({ job, run, images, resolved, waits: this.#waits, own: config.own, root: this.#root });
    const told = scrubber.data(made);
    this.#writer.write(async (recorder) => recorder.facts(told));
  }

  /** Resolves when all is written, or cannot be. */
  async end(state: "done" | "failed" | "cancelled", { result, error }: { result?: UpResult; error?: unknown }): Promise<void> {
    clearTimeout(this.#early);
    clearTimeout(this.#timer);
    // One that waits for its turn needs it no more.
    this.#leave.abort(error);
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
    this.#writer.write((recorder) => recorder.end(ending));
    await this.#writer.close();
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

  /** What became of the components is left for later: in a short run it is written once. */
  #prepare(): void {
    this.#describe();
    this.#write({ ...this.#collected(), components: [] });
  }

  #flush(): void {
    this.#timer = undefined;
    this.#describe();
    this.#write({ ...this.#collected(), components: this.#book.changes() });
  }

  #write(entries: Entries): void {
    const bytes = this.#bytes;
    this.#bytes = 0;
    this.#writer.write(async (recorder) => {
      await recorder.take(entries);
      this.#unwritten -= bytes;
    });
  }

  #collected(): Omit<Entries, "components"> {
    this.#tellLost(Date.now());
    const entries = {
      events: this.#events,
      logs: this.#logs,
      ...(this.#config === undefined ? {} : { config: configText(this.#request, this.#config, this.#root) }),
      ...(this.#daemon === undefined ? {} : { daemon: this.#daemon }),
    };
    [this.#events, this.#logs, this.#config, this.#daemon] = [[], [], undefined, undefined];
    return entries;
  }

  #warn(message: string, more: { readonly code?: string; readonly detail?: readonly string[] } = {}): void {
    this.#request.onEvent({ type: "warning", message, detail: [], at: [], ...more });
  }

  /** A run that goes on does so without being remembered. */
  #fail(error: UserError): void {
    this.#broken = true;
    clearTimeout(this.#early);
    clearTimeout(this.#timer);
    if (!(this.#started || isReadOnly(error)) || this.reason !== undefined) return;
    const [first] = error.diagnostics;
    const detail = first?.hint === undefined ? [] : [first.hint];
    this.#warn(`The run is not recorded${this.#started ? " any further" : ""}: ${first?.message ?? ""}`, {
      code: first?.code ?? "history-failed",
      detail,
    });
  }
}

function isReadOnly(error: unknown): boolean {
  return error instanceof UserError && error.diagnostics[0]?.code === "store-read-only";
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
  const versions = Object.keys(config.versions).length === 0 ? {} : { versions: config.versions };
  return {
    definition,
    images: Object.fromEntries(images),
    ...versions,
    ...(inputs.length === 0 ? {} : { inputs: Object.fromEntries(inputs) as Json }),
  };
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
