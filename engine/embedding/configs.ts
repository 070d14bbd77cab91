// The calls of an embedded engine that are about a config: run, planned, looked at, checked, evaluated.
import { inputError } from "../../compiler/index.ts";
import type { Vetted } from "../config/vet.ts";
import type { UpEvent, UpResult } from "../events.ts";
import { evaluate, inspect, loadWatching, plan, up, upWithDependencies, vet } from "../index.ts";
import type { LockRequest } from "../lock/lock.ts";
import type { Plan } from "../plan/index.ts";
import type { Admission, ReadRequest, Surroundings, UpRequest } from "../request.ts";
import type { WatchEvent } from "../watching/index.ts";
import type { Access, Calls } from "./calls.ts";
import type { LockOptions } from "./keeping.ts";
import type {
  ComponentOptions,
  ConfigOptions,
  DaemonOptions,
  EvalOptions,
  InspectOptions,
  Place,
  PlanOptions,
  UpOptions,
  VetOptions,
  WatchOptions,
} from "./requests.ts";
import { placeOf, resourceOf, secretsOf, socketsOf, typedInputs } from "./requests.ts";
import { Listener } from "./running.ts";

type Config = ReadRequest & { readonly typedInputs: ReturnType<typeof typedInputs>; readonly signal: AbortSignal };
type Ready = { readonly place: Place; readonly request: Config };
type Recording = Pick<UpRequest, "idempotencyKey" | "onRecorded">;

const runFlags = [
  "buildkit",
  "tls",
  "allowHost",
  "cacheFrom",
  "cacheTo",
  "attest",
  "locked",
  "sourcePolicy",
  "daemonHistory",
  "keepGoing",
  "reports",
  "gradual",
  "supersede",
  "plan",
] as const;

export class Configs {
  readonly #surroundings: Surroundings;
  readonly #calls: Calls;
  readonly #daemon: DaemonOptions;
  readonly #admission: Admission;

  constructor(surroundings: Surroundings, calls: Calls, { buildkit, tls }: DaemonOptions, admission: Admission) {
    this.#admission = admission;
    this.#surroundings = surroundings;
    this.#calls = calls;
    this.#daemon = { ...(buildkit === undefined ? {} : { buildkit }), ...(tls === undefined ? {} : { tls }) };
  }

  up(of: UpOptions, tell: (event: UpEvent) => void = () => undefined, recording: Recording = {}): Promise<UpResult> {
    return this.#calls.run({ action: "run", resource: of.plan === undefined ? resourceOf(of) : `plan/${of.plan}` }, of, async (outer) => {
      if (of.plan !== undefined) checkAlone(of);
      const listener = new Listener(outer, tell);
      const { place, request } = await this.#about(of, listener.signal);
      const run = of.withDependencies === true ? upWithDependencies : up;
      const running = run({
        ...request,
        ...this.#daemon,
        ...given(of, runFlags),
        ...targetsOf(of),
        ...secretsOf(of.secrets, place.secrets),
        ssh: socketsOf(of.ssh, place.ssh),
        noCache: of.noCache ?? false,
        onEvent: (event) => listener.hear(event),
        ...recording,
        admission: this.#admission,
      });
      return listener.watch(running);
    });
  }

  watch(of: WatchOptions): AsyncGenerator<WatchEvent, undefined> {
    return this.#calls.iterate({ action: "run", resource: resourceOf(of) }, of, async (signal) => {
      const { place, request } = await this.#about(of, signal);
      const { watch } = await loadWatching();
      return watch({
        ...request,
        ...this.#daemon,
        ...given(
          of,
          runFlags.filter((flag) => flag !== "plan"),
        ),
        ...given(of, ["quiet", "limit", "poll", "queue", "sources", "workers", "onConflict"]),
        ...targetsOf(of),
        ...secretsOf(of.secrets, place.secrets),
        ssh: socketsOf(of.ssh, place.ssh),
        noCache: of.noCache ?? false,
        admission: this.#admission,
      });
    });
  }

  plan(of: PlanOptions): Promise<Plan> {
    return this.#call("plan", of, ({ place, request }) => {
      const { secrets } = secretsOf(of.secrets, place.secrets);
      const flags = given(of, ["buildkit", "tls", "run", "out"]);
      return plan({ ...request, ...this.#daemon, ...flags, ...targetsOf(of), secrets, ssh: socketsOf(of.ssh, place.ssh) });
    });
  }

  inspect(of: InspectOptions): Promise<string | Uint8Array> {
    const { stage, format = "text" } = of;
    return this.#call("read", of, ({ request }) =>
      inspect({ ...request, ...this.#daemon, ...given(of, ["buildkit", "tls", "run"]), ...targetsOf(of), stage, format }),
    );
  }

  vet(of: VetOptions): Promise<Vetted> {
    return this.#call("read", of, ({ place, request }) => {
      const { secrets } = secretsOf(of.secrets, place.secrets);
      return vet({ ...request, ...targetsOf(of), secrets, ssh: socketsOf(of.ssh, place.ssh) });
    });
  }

  eval(of: EvalOptions): Promise<string> {
    return this.#call("read", of, ({ request }) =>
      evaluate({ ...request, ...given(of, ["expression", "all", "concrete"]), format: of.format ?? "json" }),
    );
  }

  /** What `lock` needs of a config. */
  async lock(of: LockOptions, signal: AbortSignal): Promise<LockRequest> {
    const { place, request } = await this.#about(of, signal);
    const { secrets } = secretsOf(of.secrets, place.secrets);
    return { ...request, ...this.#daemon, ...given(of, ["buildkit", "tls", "allowHost"]), secrets, ssh: socketsOf(of.ssh, place.ssh) };
  }

  #call<T>(action: Access["action"], of: ConfigOptions, work: (ready: Ready) => Promise<T>): Promise<T> {
    return this.#calls.run({ action, resource: resourceOf(of) }, of, async (signal) => work(await this.#about(of, signal)));
  }

  /** The parts that every request about a config has. */
  async #about(of: ConfigOptions, signal: AbortSignal): Promise<Ready> {
    const place = await placeOf(of, this.#surroundings, signal);
    const { dir, stack } = place;
    const request = {
      ...this.#surroundings,
      dir,
      inputs: [],
      typedInputs: typedInputs(of),
      ...given(of, ["tags", "injectVars", "offline"]),
      ...(stack === undefined ? {} : { stack }),
      signal,
    };
    return { place, request };
  }
}

function targetsOf({ targets = [] }: ComponentOptions): { readonly targets: readonly string[] } {
  return { targets };
}

/** A plan says itself what it is of. */
function checkAlone(of: UpOptions): void {
  const names = ["dir", "stack", "environment", "inputs", "directories", "tags", "targets", "injectVars", "withDependencies"] as const;
  const others = names.filter((name) => of[name] !== undefined);
  if (others.length === 0) return;
  throw inputError({
    code: "bad-request",
    message: `A saved plan says itself which config it is of: plan cannot go with ${others.join(", ")}`,
    at: [],
    hint: "Leave that out, or make a plan with it",
  });
}

/** These fields, as far as they are there. */
function given<T extends object, K extends keyof T>(from: T, names: readonly K[]): { readonly [name in K]?: NonNullable<T[name]> } {
  const found = names.filter((name) => from[name] !== undefined).map((name) => [name, from[name]] as const);
  return Object.fromEntries(found) as { readonly [name in K]?: NonNullable<T[name]> };
}
