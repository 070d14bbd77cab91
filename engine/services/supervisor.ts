// Looks after one service for as long as it runs: starts it, sees when it is ready, starts it again, ends it. A process of its own.
import { setTimeout as sleep } from "node:timers/promises";
import { type Ended, runCommand } from "../hosts/process.ts";
import { ServiceLog } from "./log.ts";
import type { ServiceOrder } from "./order.ts";
import { look } from "./probe.ts";
import { logFile, markOf, type ServiceState, type ServiceStatus, writeState } from "./state.ts";

/** The pause before a start never gets longer, and is the first one again after the service has run for so long. Milliseconds. */
const longestBackoff = 60_000;

export class Supervisor {
  readonly #order: ServiceOrder;
  readonly #log: ServiceLog;
  readonly #stop = new AbortController();
  #state: ServiceState;
  #writing: Promise<void> = Promise.resolve();
  /** The begin of a line of the log that is not complete, by stream. */
  readonly #begun: Record<1 | 2, string> = { 1: "", 2: "" };
  #lineSeen = false;

  constructor(order: ServiceOrder) {
    this.#order = order;
    this.#log = new ServiceLog(logFile(order.dir), order.secrets);
    const { component, config, line, fingerprint, service, container } = order;
    const supervisor = markOf(process.pid);
    this.#state = {
      ...{ name: service.name, component, config, line, fingerprint, status: "starting", since: Date.now(), restarts: 0 },
      ...(supervisor === undefined ? {} : { supervisor }),
      ...(container === undefined ? {} : { container }),
    };
  }

  /** Ends the service, for good. */
  stop(): void {
    this.#stop.abort();
  }

  /** Resolves when the service has ended for good. */
  async run(): Promise<void> {
    const { onStart, onExit } = this.#order.service;
    await this.#tell("starting");
    await this.#clear();
    const refused = await this.#beside("onStart", onStart);
    if (refused !== undefined) return this.#tell("failed", { why: refused });
    const last = await this.#keepRunning();
    await this.#clear();
    await this.#beside("onExit", onExit);
    await this.#tell(last.status, last.why === undefined ? {} : { why: last.why });
  }

  async #keepRunning(): Promise<{ readonly status: ServiceStatus; readonly why?: string }> {
    const { service } = this.#order;
    const deadline = service.ready === undefined ? undefined : Date.now() + service.ready.timeout;
    let ready = false;
    for (let pause = service.backoff; ; pause = Math.min(pause * 2, longestBackoff)) {
      const began = Date.now();
      const { ended, late, gotReady } = await this.#once(ready ? undefined : deadline);
      ready ||= gotReady;
      if (this.#stop.signal.aborted) return { status: "stopped" };
      if (late !== undefined) return { status: "failed", why: late };
      const why = ended.error ?? `it ended with exit code ${ended.code}`;
      const again = service.restart === "always" || (service.restart === "on-failure" && ended.code !== 0);
      // What cannot be started will not be able to later.
      if (!again || ended.error !== undefined) return ended.code === 0 && ready ? { status: "stopped", why } : { status: "failed", why };
      if (Date.now() - began >= longestBackoff) pause = service.backoff;
      if (!ready && deadline !== undefined && Date.now() + pause > deadline) return { status: "failed", why: `${why}, again and again` };
      this.#log.say(`${why}; it is started again after ${pause} ms`);
      await this.#tell("restarting", { why, restarts: this.#state.restarts + 1 });
      await sleep(pause, undefined, { signal: this.#stop.signal }).catch(() => undefined);
      if (this.#stop.signal.aborted) return { status: "stopped" };
      await this.#clear();
    }
  }

  /** One life of the process; `late` when it was ended because it did not get ready in time. */
  async #once(deadline: number | undefined): Promise<{ readonly ended: Ended; readonly late?: string; readonly gotReady: boolean }> {
    const { args, env, cwd, service } = this.#order;
    const over = new AbortController();
    const signal = AbortSignal.any([this.#stop.signal, over.signal]);
    this.#lineSeen = false;
    let watching: Promise<string | undefined> = Promise.resolve(undefined);
    const ended = await runCommand({
      ...{ args, env, cwd, signal, grace: service.grace },
      onOutput: (stream, data) => this.#output(stream, data),
      onStarted: (pid) => {
        watching = this.#untilReady(pid, signal, deadline, () => over.abort());
      },
    });
    over.abort();
    const late = await watching;
    this.#log.end();
    return { ended, ...(late === undefined ? {} : { late }), gotReady: this.#state.status === "ready" };
  }

  /** Tells when the process is ready. Gives why, when that took too long and it is ended for it. */
  async #untilReady(pid: number, signal: AbortSignal, deadline: number | undefined, end: () => void): Promise<string | undefined> {
    const { service, env, cwd } = this.#order;
    const { ready } = service;
    const mark = markOf(pid);
    const process = mark === undefined ? {} : { process: mark };
    if (ready === undefined) {
      await this.#tell("ready", process);
      return undefined;
    }
    const { status, why } = this.#state;
    await this.#tell(status, { ...process, ...(why === undefined ? {} : { why }) });
    for (;;) {
      if (signal.aborted) return undefined;
      const why = this.#lineSeen ? undefined : await look(ready, { env, cwd, signal });
      if (signal.aborted) return undefined;
      if (why === undefined) {
        await this.#tell("ready", process);
        return undefined;
      }
      if (deadline !== undefined && Date.now() > deadline) {
        end();
        return `it did not get ready within ${ready.timeout / 1000} s: ${why}`;
      }
      await sleep(ready.interval, undefined, { signal }).catch(() => undefined);
    }
  }

  #output(stream: 1 | 2, data: Uint8Array): void {
    const shown = this.#log.write(stream, data);
    const { ready } = this.#order.service;
    if (ready?.kind !== "log" || this.#lineSeen) return;
    const lines = (this.#begun[stream] + Buffer.from(shown).toString("utf8")).split("\n");
    this.#begun[stream] = (lines.at(-1) ?? "").slice(-10_000);
    const pattern = new RegExp(ready.what);
    this.#lineSeen = lines.some((line) => pattern.test(line));
  }

  /** What an earlier life has left of a container: the command that stayed with it may have been killed. */
  async #clear(): Promise<void> {
    const { remove = [], env, cwd } = this.#order;
    if (remove.length > 0) await runCommand({ args: remove, env, cwd, signal: new AbortController().signal, onOutput: () => undefined });
  }

  /** Runs a command of the service besides its own; gives why it failed. */
  async #beside(what: "onStart" | "onExit", args: readonly string[]): Promise<string | undefined> {
    if (args.length === 0) return undefined;
    const { env, cwd } = this.#order;
    // It is run to its end also when the service is told to stop.
    const { signal } = new AbortController();
    const { code, error } = await runCommand({ args, env, cwd, signal, onOutput: (stream, data) => void this.#log.write(stream, data) });
    if (code === 0) return undefined;
    const why = `${what} (${this.#order.said[what].join(" ")}) ended with exit code ${code}${error === undefined ? "" : `: ${error}`}`;
    this.#log.say(why);
    return why;
  }

  #tell(status: ServiceStatus, more: Partial<ServiceState> = {}): Promise<void> {
    const { why: _, process: known, ...rest } = this.#state;
    const goesOn = status === "starting" || status === "ready" || status === "restarting";
    this.#state = { ...rest, ...(goesOn && known !== undefined ? { process: known } : {}), status, since: Date.now(), ...more };
    const state = this.#state;
    this.#writing = this.#writing.then(() => writeState(this.#order.dir, state)).catch(() => undefined);
    return this.#writing;
  }
}
