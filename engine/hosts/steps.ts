// The host steps of a run: each gets its input, runs as a process of this machine, and leaves a directory for the next pass.
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { mkdir, rmdir, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type HostService, type HostStep, type HostText, UserError } from "../../compiler/index.ts";
import { exitHint, signalOf } from "../build/failure.ts";
import { savingInterrupted } from "../build/interrupt.ts";
import type { StepReport, StepTracker } from "../build/steps.ts";
import type { Step } from "../events.ts";
import type { RunParts } from "../passes/parts.ts";
import type { ServiceImage } from "../services/index.ts";
import { rootOf } from "../workspace/find.ts";
import { bringImage, bringInput } from "./input.ts";
import type { Command, Ended } from "./process.ts";
import { Processes } from "./processes.ts";

/** The pause before a further try never gets longer. Milliseconds. */
const longestBackoff = 300_000;

/** One of a run; `close` removes all that the steps left. */
export class HostSteps {
  readonly #parts: RunParts;
  readonly #cancel = new AbortController();
  readonly #atOnce: number;
  readonly #processes: Processes;
  readonly #signal: AbortSignal;
  readonly #top: string;
  readonly #stop: () => void;
  readonly #dirs = new Map<string, string>();
  readonly #failed = new Set<string>();
  /** What all steps left that left nothing. */
  #nothing: string | undefined;

  constructor(parts: RunParts) {
    this.#parts = parts;
    this.#atOnce = parts.request.jobs ?? availableParallelism();
    this.#processes = new Processes(this.#atOnce);
    this.#signal = AbortSignal.any([parts.request.signal, this.#cancel.signal]);
    this.#top = mkdtempSync(join(parts.request.env["TMPDIR"] ?? "/tmp", "dagger-host-"));
    this.#stop = savingInterrupted(() => rmSync(this.#top, { recursive: true, force: true }));
  }

  /** The directory that the step of a key left, once it has run. */
  dirOf(key: string): string | undefined {
    return this.#dirs.get(key);
  }

  /** All directories that steps left. */
  get dirs(): readonly string[] {
    return [...new Set(this.#dirs.values())];
  }

  /** Those that no pass has run yet. */
  fresh(steps: readonly HostStep[]): readonly HostStep[] {
    return steps.filter(({ key }) => !this.#dirs.has(key) && !this.#failed.has(key));
  }

  /** Runs steps side by side. The first that fails ends the others, unless `onFailure` takes it. Throws UserError. */
  async run(steps: readonly HostStep[], onFailure?: (step: HostStep, error: UserError) => void): Promise<void> {
    const waiting = [...steps];
    const asked = this.#processes.prepare(steps.length);
    const work = async (): Promise<void> => {
      for (let step = waiting.shift(); step !== undefined && !this.#signal.aborted; step = waiting.shift()) {
        try {
          await this.#run(step);
        } catch (error) {
          this.#failed.add(step.key);
          if (onFailure === undefined || !(error instanceof UserError) || error.exit !== 1) {
            this.#cancel.abort();
            throw error;
          }
          onFailure(step, error);
        }
      }
    };
    // Who brings a service up waits for no turn.
    const workers = Math.min(steps.some(({ service }) => service !== undefined) ? this.#atOnce : asked, steps.length);
    const settled = await Promise.allSettled(Array.from({ length: workers }, work));
    // The others only ended because of the first.
    const failure =
      settled.find((one) => one.status === "rejected" && !isInterrupt(one.reason)) ?? settled.find((one) => one.status === "rejected");
    if (failure?.status === "rejected") throw failure.reason;
    if (this.#signal.aborted) throw interrupted();
  }

  /** Ends what still runs. */
  cancel(): void {
    this.#cancel.abort();
  }

  close(): void {
    this.cancel();
    this.#processes.close();
    rmSync(this.#top, { recursive: true, force: true });
    this.#stop();
  }

  async #run(step: HostStep): Promise<void> {
    const { opening, steps } = this.#parts;
    const { component, name, at, path, key } = step;
    const root = join(this.#top, `${encodeURIComponent(path).slice(-60)}-${key}`);
    if (step.input !== undefined) steps.plan(step.input);
    if (step.image !== undefined) steps.plan(step.image.definition);
    const texts = await bringInput(step, root, opening, this.#signal);
    const report = fromStart(steps, { digest: `host:${key}`, name, component, at });
    if (step.service !== undefined) return this.#bringUp(step, step.service, root, texts, report);
    const ended = await this.#tries(step, root, texts, report).catch((error: unknown) => {
      report.tell("error", String(error));
      throw error;
    });
    if (this.#signal.aborted) {
      report.tell("canceled");
      throw interrupted();
    }
    if (isGood(ended, step)) {
      this.#dirs.set(step.key, step.input === undefined ? await this.#leftIn(root) : root);
      report.tell("done");
      return;
    }
    const error = failed(step, ended);
    report.tell("error", error.message);
    throw error;
  }

  /** Of a step that found nothing in its directory. Thousands that leave nothing there need none to be removed at the end. */
  async #leftIn(root: string): Promise<string> {
    const emptied = await rmdir(root).then(
      () => true,
      () => false,
    );
    if (!emptied) return root;
    if (this.#nothing === undefined) {
      this.#nothing = join(this.#top, "nothing");
      mkdirSync(this.#nothing);
    }
    return this.#nothing;
  }

  /** A service goes on after the run; what follows it has its name. */
  async #bringUp(
    step: HostStep,
    service: HostService,
    root: string,
    texts: ReadonlyMap<string, Buffer>,
    report: StepReport,
  ): Promise<void> {
    const { request, config } = this.#parts;
    report.tell("started");
    // In a container, its directory is none of this machine.
    const here = step.image === undefined ? step : { ...step, dir: "/" };
    const { args, env, secretNames } = await this.#command(here, root, texts, report);
    const say = (text: string): void => report.log(2, Buffer.from(`dagger: ${text}\n`));
    const { bringUp } = await import("../services/index.ts");
    const { env: surroundings, cwd, stack } = request;
    const place = {
      root: rootOf(request),
      config: config.dir,
      files: root,
      signal: this.#signal,
      surroundings: { env: surroundings, cwd },
      stack,
    };
    try {
      const image = step.image === undefined ? undefined : await this.#image(step, service);
      const started = await bringUp({ step, service, ...place, image, args, env, secretNames, say });
      report.tell(started ? "done" : "cached");
    } catch (error) {
      report.tell(this.#signal.aborted ? "canceled" : "error", error instanceof Error ? error.message : String(error));
      throw error;
    }
    const left = join(this.#top, "services", service.name);
    await mkdir(left, { recursive: true });
    await writeFile(join(left, "service.json"), `${JSON.stringify({ name: service.name })}\n`);
    this.#dirs.set(step.key, left);
  }

  /** As an archive, for the engine that runs it. */
  async #image(step: HostStep, { name }: HostService): Promise<ServiceImage> {
    const archive = join(this.#top, `${step.key}.tar`);
    const ref = `localhost/dagger-${name}:${step.key}`;
    return { ref, archive, digest: await bringImage(step, archive, ref, this.#parts.opening, this.#signal) };
  }

  async #tries(step: HostStep, root: string, texts: ReadonlyMap<string, Buffer>, report: StepReport): Promise<Ended> {
    const { retry = { count: 0, backoff: 0 } } = step;
    const say = (text: string): void => report.log(2, Buffer.from(`dagger: ${text}\n`));
    const command = await this.#command(step, root, texts, report);
    for (let attempt = 0, pause = retry.backoff; ; attempt++, pause = Math.min(pause * 2, longestBackoff)) {
      const ended = await this.#processes.run(command);
      if (ended.error !== undefined) say(ended.error);
      if (ended.timedOut) say(`${command.args[0] ?? ""} took longer than its timeout of ${step.timeout ?? 0} ms and is ended`);
      if (isGood(ended, step) || attempt === retry.count || this.#signal.aborted) return ended;
      say(`try ${attempt + 1} of ${retry.count + 1} ended with exit code ${ended.code}; trying again after ${pause} ms`);
      await sleep(pause, undefined, { signal: this.#signal }).catch(() => undefined);
    }
  }

  async #command(
    { args, env, dir, stdin, timeout }: HostStep,
    root: string,
    texts: ReadonlyMap<string, Buffer>,
    report: StepReport,
  ): Promise<Command & { readonly secretNames: readonly string[] }> {
    const { request, config } = this.#parts;
    const textOf = (text: HostText): string => (typeof text === "string" ? text : (texts.get(text.file)?.toString("utf8") ?? ""));
    const cwd = join(root, dir).replace(/\/+$/, "");
    if (cwd !== root) await mkdir(cwd, { recursive: true });
    const variables: Record<string, string> = {};
    const secretNames: string[] = [];
    for (const name of ["PATH", "HOME"]) variables[name] = request.env[name] ?? "";
    const [tools = ""] = config.own;
    Object.assign(variables, {
      DAGGER_ROOT: root,
      DAGGER_CONFIG_DIR: config.dir,
      DAGGER_CALLER_DIR: request.cwd,
      DAGGER_TOOLS: tools,
      PWD: cwd,
    });
    for (const [name, value] of env) {
      if (typeof value === "string" || "file" in value) variables[name] = textOf(value);
      else {
        const secret = await this.#parts.readSecret(value.secret);
        if (secret === undefined) continue;
        variables[name] = Buffer.from(secret).toString("utf8");
        secretNames.push(name);
      }
    }
    return {
      args: args.map(textOf),
      env: variables,
      secretNames,
      cwd,
      signal: this.#signal,
      onStarted: () => report.tell("started"),
      onOutput: (stream, data) => report.log(stream, data),
      ...(stdin === undefined ? {} : { stdin: stdin instanceof Uint8Array ? stdin : textOf(stdin) }),
      ...(timeout === undefined ? {} : { timeout }),
    };
  }
}

/** A step is told of from its start on: one that waits for its turn may never have it. */
function fromStart(steps: StepTracker, step: Step): StepReport {
  let report: StepReport | undefined;
  const begun = (): StepReport => {
    if (report === undefined) {
      report = steps.report(step);
      report.tell("started");
    }
    return report;
  };
  return {
    tell: (state, error) => {
      if (state === "started") begun();
      else if (report !== undefined || state !== "canceled") begun().tell(state, error);
    },
    log: (stream, data) => begun().log(stream, data),
  };
}

function isGood({ code, timedOut, error }: Ended, { validExitCodes }: HostStep): boolean {
  if (error !== undefined || timedOut) return false;
  return validExitCodes.length === 0 ? code === 0 : validExitCodes.includes(code);
}

function failed({ key, component, name, at }: HostStep, { code, error }: Ended): UserError {
  const of = component === "" ? "" : ` of ${component}`;
  return new UserError(1, [
    {
      code: "command-failed",
      message: `\`${name}\`${of} ended with exit code ${code}${signalOf(code)}${error === undefined ? "" : `: ${error}`}`,
      ...(component === "" ? {} : { path: component }),
      at,
      step: { digest: `host:${key}`, name, exitCode: code },
      hint: code === 126 || code === 127 ? "Install it on this machine, or check its name and PATH" : exitHint(code),
    },
  ]);
}

function interrupted(): UserError {
  return new UserError(130, [{ code: "interrupted", message: "Interrupted", at: [] }]);
}

function isInterrupt(error: unknown): boolean {
  return error instanceof UserError && error.exit === 130;
}
