// The story of one run: load → evaluate → compile → solve → fill in values → once more while CUE waits for values → result.
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { UserError } from "../compiler/index.ts";
import { readClientId } from "../runtime/session/index.ts";
import { joinPolicies } from "../runtime/solve/index.ts";
import { cacheWarnings } from "./build/cache-warnings.ts";
import type { BuildExtras, OpenBuild } from "./build/connect.ts";
import { Offer, openBuild } from "./build/connect.ts";
import { ImageExports } from "./build/exports.ts";
import { explainFailure } from "./build/failure.ts";
import { StepTracker } from "./build/steps.ts";
import { loadConfig } from "./config/config.ts";
import type { UpResult } from "./events.ts";
import { parseAttest } from "./flags/attest.ts";
import { parseCache } from "./flags/cache.ts";
import { parsePatience } from "./flags/patience.ts";
import { readPolicy } from "./flags/policy.ts";
import { parseSsh } from "./flags/ssh.ts";
import { placeOf } from "./history/place.ts";
import { Hooks } from "./hooks/index.ts";
import type { Nested } from "./hooks/work.ts";
import { openPins, type Pins } from "./lock/pins.ts";
import { waitWarning } from "./modules/registry-wait.ts";
import type { RunObserver, RunWatch } from "./observers.ts";
import type { RunParts } from "./passes/parts.ts";
import { resultOf } from "./passes/result.ts";
import { Run } from "./passes/run.ts";
import type { ShellRequest, UpRequest } from "./request.ts";
import { learning, scrubEvents } from "./secrets/events.ts";
import { scopeOf } from "./secrets/provider.ts";
import { Scrubber } from "./secrets/scrubber.ts";
import { checkSecrets, parseSecrets, secretReader } from "./secrets/sources.ts";
import { scrubTerminal } from "./secrets/terminal.ts";
import { inStackTerms } from "./settings/explain.ts";
import { ErrorShell } from "./shell/error-shell.ts";
import { at, connectorsDir, rootOf } from "./workspace/find.ts";

/** Runs a job. Throws UserError: 1 the job failed, 2 the input is wrong, 3 the environment is, 130 interrupted. */
export async function up(request: UpRequest): Promise<UpResult> {
  // performance.now() says the same, but Node loads a dozen modules for it.
  const begin = process.hrtime.bigint();
  const planned = request.plan === undefined ? undefined : await openPlanned(request.plan, request);
  const whole = { name: randomUUID(), ...request, ...planned?.request };
  const place = placeOf(whole);
  // The code that remembers runs is loaded where there is something to remember them in.
  if (place === undefined) return admitted(whole, undefined, () => upIn(whole, begin, { check: planned?.check }));
  const { recorded } = await import("./history/recording.ts");
  return recorded(whole, place, (watched, watch) => admitted(watched, watch, () => upIn(watched, begin, { check: planned?.check, watch })));
}

/** Does work when there is a place for it. The run's row and its turn come first, so that whoever has a place waits for nobody without one. */
async function admitted<T>({ admission, signal }: UpRequest, watch: RunWatch | undefined, work: () => Promise<T>): Promise<T> {
  if (admission === undefined) return work();
  await watch?.begin();
  const leave = await admission.enter(signal).catch((error: unknown) => {
    throw error instanceof UserError ? error : new UserError(130, [{ code: "interrupted", message: "Interrupted", at: [] }]);
  });
  try {
    return await work();
  } finally {
    leave();
  }
}

type Beside = Pick<RunParts, "begun" | "check" | "watch"> & RunSeams & { readonly steps?: StepTracker };

/** For whoever runs a job again and again. */
export interface RunSeams {
  /** In place of reading the config from disk. */
  readonly load?: typeof loadConfig;
  /** Sees what the run tells of itself, beside whoever remembers it. */
  readonly observer?: RunObserver;
}

/** As `up`, for whoever runs a job again and again. */
export async function upAgain(request: UpRequest, seams: RunSeams): Promise<UpResult> {
  const begin = process.hrtime.bigint();
  const whole = { name: randomUUID(), ...request };
  const place = placeOf(whole);
  if (place === undefined) return admitted(whole, undefined, () => upIn(whole, begin, seams));
  const { recorded } = await import("./history/recording.ts");
  return recorded(whole, place, (watched, watch) =>
    admitted(watched, watch, () => upIn(watched, begin, { ...seams, watch })).catch((error: unknown) => {
      // Why it was ended, for the record.
      throw watched.signal.reason instanceof UserError ? watched.signal.reason : error;
    }),
  );
}

async function upIn(request: UpRequest, begin: bigint, beside: Beside): Promise<UpResult> {
  const { trigger, known, targets } = request;
  if (trigger !== undefined) {
    const { kind, changed, more } = trigger;
    request.onEvent({ type: "change", kind, changed, more, components: known === undefined ? [] : targets });
  }
  // The code that reads reports is loaded where there are to be any.
  const testing = request.reports === undefined ? undefined : new (await import("./testing/testing.ts")).Testing(request);
  const hooks = new Hooks(testing?.request ?? request);
  const whole = { ...beside, watch: both(beside.watch, beside.observer), begun: hooks.begun.bind(hooks) };
  return inRun(
    hooks.request,
    (run, parts) => hooks.around(parts, nested, () => resultOf(run, parts, { begin, observer: beside.observer, testing })),
    whole,
  );
}

/** What hooks are: a further job of the run, in a build of its own. */
const nested: Nested = (request, { config, scrubber, steps }, evaluation) => {
  const begin = process.hrtime.bigint();
  const load = async (): Promise<typeof config> => ({ ...config, evaluation, release: async () => undefined, close: () => undefined });
  return prepared(request, scrubber, (run, parts) => resultOf(run, parts, { begin }), { load, steps });
};

function both(watch: RunWatch | undefined, observer: RunObserver | undefined): RunWatch | undefined {
  if (observer === undefined) return watch;
  return {
    begin: async () => watch?.begin(),
    daemon: (name) => watch?.daemon(name),
    job: (facts) => {
      observer.job(facts);
      watch?.job(facts);
    },
    listed: (listing) => {
      observer.listed(listing);
      watch?.listed(listing);
    },
  };
}

/** A saved plan: what it asks for, and what holds the run against it. The code for it is loaded only here. */
async function openPlanned(
  file: string,
  request: UpRequest,
): Promise<{ readonly request: Partial<UpRequest>; readonly check: RunParts["check"] }> {
  const { cwd } = request;
  const { checkPlan, lookAround, plannedRequest, readPlan } = await import("./plan/index.ts");
  const plan = await readPlan(file, cwd);
  const planned = await plannedRequest(plan, request);
  const settings = planned.stack?.settings;
  return { request: planned, check: (facts) => checkPlan(file, plan, lookAround({ settings, ...facts }), cwd) };
}

/** Builds a component, saves nothing, and runs a process in it. Gives the exit code of the process; throws as `up`. */
export async function shell(request: ShellRequest): Promise<number> {
  const targets = request.component === "" ? [] : [request.component];
  return inRun({ ...request, targets }, async (run, { scrubber }) => {
    const { terminal, end } = scrubTerminal(scrubber, request.terminal);
    try {
      return await run.shell({ ...request, terminal });
    } finally {
      await end();
    }
  });
}

type Work<T> = (run: Run, parts: RunParts) => Promise<T>;

/** Nothing leaves a run with a secret in it: events, errors and results pass here. */
async function inRun<T>(request: UpRequest, work: Work<T>, beside: Beside = {}): Promise<T> {
  const scrubber = new Scrubber();
  const { tell, end } = scrubEvents(scrubber, request.onEvent);
  try {
    return scrubber.data(await prepared({ ...request, onEvent: tell }, scrubber, work, beside));
  } catch (error) {
    throw scrubber.data(error);
  } finally {
    end();
  }
}

/** Prepares all that a run needs, and takes it down afterwards. */
async function prepared<T>(request: UpRequest, scrubber: Scrubber, work: Work<T>, beside: Beside): Promise<T> {
  const { begun, check, watch, load = loadConfig } = beside;
  const secrets = parseSecrets(request.secrets ?? [], request.cwd);
  const attest = parseAttest(request.attest ?? []);
  const steps = beside.steps ?? new StepTracker(request.onEvent);
  const offer = new Offer(watch === undefined ? undefined : (listing) => watch.listed(listing));
  const secretPlaces: RunParts["secretPlaces"] = new Map();
  const root = rootOf(request);
  const readSecret = learning(
    scrubber,
    secretReader(secrets, { ...scopeOf(request), root }, (id) => secretPlaces.get(id)),
    request.onEvent,
  );
  const errorShell = new ErrorShell(request.shellOnError, readSecret, request.onEvent);
  const pins = await openPins(request);
  // The daemon's history keeps what steps print, as they print it. Which connectors a config asks for is not known yet.
  const mayHaveSecrets = secrets.size > 0 || (root !== undefined && existsSync(connectorsDir(at(root))));
  const wanted = request.daemonHistory ?? request.env["DAGGER_DAEMON_HISTORY"] === "on";
  const extras = { ...(await readExtras(request, pins)), record: wanted && !mayHaveSecrets };

  // Connecting (which may start the daemon) goes on while CUE evaluates; what is wrong with the config is told first.
  const opened = openBuild({ ...request, extras }, offer, readSecret, steps, readClientId(request.env));
  const turn = watch?.begin();
  turn?.catch(() => undefined);
  const opening = watch === undefined || turn === undefined ? opened : whenReady(opened, watch, turn);
  opening.catch(() => undefined);
  const exports = new ImageExports({ opening, steps, signal: request.signal, errorShell, attest, onEvent: request.onEvent });
  try {
    request.onEvent({ type: "phase", phase: "evaluate" });
    const onWait: UpRequest["onWait"] = (wait) => request.onEvent(waitWarning(wait));
    const config = await load({
      ...request,
      onWait,
      mayKeep: (text) => scrubber.text(text) === text,
      ...(turn === undefined ? {} : { turn }),
    });
    try {
      for (const [id, source] of parseSecrets(config.secrets, request.cwd)) if (!secrets.has(id)) secrets.set(id, source);
      const ssh = new Set((extras.ssh ?? []).map(({ id }) => id));
      const parts = {
        request,
        config,
        offer,
        opening,
        steps,
        secrets,
        readSecret,
        scrubber,
        checkSecrets: () => checkSecrets(secrets, readSecret, (id) => secretPlaces.get(id)),
        exports,
        errorShell,
        secretPlaces,
        ssh,
        pins,
        begun,
        check,
        watch,
      };
      const run = new Run(parts);
      try {
        return await work(run, parts);
      } finally {
        run.close();
      }
    } finally {
      config.close();
    }
  } catch (error) {
    const explained = inStackTerms(explainFailure(error, steps), request.stack);
    if (request.stack === undefined) throw explained;
    throw await (await import("./settings/missing.ts")).withAllMissing(explained, request);
  } finally {
    await exports.close();
    await opened.then((open) => open.close()).catch(() => undefined);
    offer.close();
  }
}

/** Nothing is asked of the daemon before the run is remembered, and its turn has come. */
async function whenReady(opened: Promise<OpenBuild>, watch: RunWatch, turn: Promise<void>): Promise<OpenBuild> {
  const [open] = await Promise.all([opened, turn]);
  watch.daemon((await open.daemon()) ?? "unknown");
  return open;
}

async function readExtras(request: UpRequest, pins: Pins): Promise<BuildExtras> {
  const { ssh = [], cacheFrom = [], cacheTo = [], sourcePolicy, onEvent, env, cwd } = request;
  const imports = parseCache(cacheFrom, "import", env, cwd);
  const exports = parseCache(cacheTo, "export", env, cwd);
  const policy = joinPolicies(sourcePolicy === undefined ? undefined : await readPolicy(sourcePolicy, cwd), pins.policy);
  return {
    ...parsePatience(env),
    ssh: parseSsh(ssh, env),
    cache: { imports, exports },
    ...(policy === undefined ? {} : { sourcePolicy: policy }),
    ...cacheWarnings(onEvent),
  };
}
