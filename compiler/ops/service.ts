// The op service: a process on the client's machine that goes on after the run. The run waits until it is ready.
import type { Diagnostic } from "../diagnostic.ts";
import type { State } from "../graph/state.ts";
import { emptyState } from "../graph/state.ts";
import type { HostService, ReadyProbe } from "../job.ts";
import { resolvePath } from "../llb/index.ts";
import type { Field, Value } from "../value.ts";
import { concrete, optional, readRecord, required, standard, wrongType } from "./fields.ts";
import { copyContents, fileOutput } from "./files.ts";
import { hostLine } from "./host.ts";
import { stateConfig } from "./image.ts";
import { published } from "./published.ts";
import type { FieldType, OpSpec, ReadContext } from "./spec.ts";
import { duration, milliseconds } from "./supervision.ts";
import { listOf, mapOf, name, oneOf, string, text } from "./types.ts";
import type { OpBase, SecretRef, Text } from "./use.ts";
import { processVariables } from "./variables.ts";

interface Ready {
  readonly http?: string;
  readonly tcp?: string;
  readonly command?: readonly string[];
  readonly log?: string;
  readonly timeout: string;
  readonly interval: string;
}

export interface ServiceOp extends OpBase<"service"> {
  readonly name: string;
  readonly args: readonly Text[];
  readonly env: readonly (readonly [name: string, value: Text | SecretRef])[];
  readonly dir?: string;
  readonly ready?: Ready;
  readonly restart: HostService["restart"];
  readonly backoff: string;
  /** Milliseconds between being told to end and being killed. */
  readonly grace: string;
  readonly onStart: readonly string[];
  readonly onExit: readonly string[];
  readonly container?: Container;
}

interface Container {
  readonly ports: readonly string[];
  readonly volumes: readonly (readonly [path: string, what: string])[];
  readonly network?: string;
}

const containerFields = {
  ports: standard(listOf(published), []),
  volumes: standard(mapOf(name), []),
  network: optional(name),
};

const container: FieldType<Container> = {
  words: "{ports, volumes, network}",
  read: (field, context) => {
    const value = concrete(field, context);
    if (value === undefined) return undefined;
    if (value.kind !== "struct") return wrongType(field, container.words, context);
    const read = readRecord("container", containerFields, field, context) as Container | undefined;
    const [relative] = read?.volumes.find(([path]) => !path.startsWith("/")) ?? [];
    return relative === undefined
      ? read
      : wrongType(field, "absolute directories of the container for volumes", context, `See ${JSON.stringify(relative)}`);
  },
};

const probes = ["http", "tcp", "command", "log"] as const;
const readyFields = {
  http: optional(name),
  tcp: optional(name),
  command: optional(listOf(string)),
  log: optional(name),
  timeout: standard(duration, "1m"),
  interval: standard(duration, "200ms"),
};

/** When a service is ready: exactly one way to see it. */
const ready: FieldType<Ready> = {
  words: "{http}, {tcp}, {command} or {log}",
  read: (field, context) => {
    const value = concrete(field, context);
    if (value === undefined) return undefined;
    if (value.kind !== "struct") return wrongType(field, ready.words, context);
    const read = readRecord("ready", readyFields, field, context) as Ready | undefined;
    if (read === undefined) return undefined;
    const problem = wrongProbe(read, value);
    return problem === undefined ? read : wrongType(field, problem, context, 'Write for example ready: http: "http://127.0.0.1:8080/"');
  },
};

function wrongProbe({ http, tcp, command, log }: Ready, value: Value): string | undefined {
  const given = probes.filter((probe) => value.fields.has(probe));
  if (given.length !== 1) return "one of http, tcp, command and log";
  if (http !== undefined && !/^https?:\/\/[^/]/.test(http)) return "an address such as http://127.0.0.1:8080/ for http";
  if (tcp !== undefined && !/^(\[[^\]]+\]|[^:[\]]+):\d{1,5}$/.test(tcp)) return "an address such as 127.0.0.1:5432 for tcp";
  if (command?.length === 0) return "a command and its arguments for command";
  return log !== undefined && !isPattern(log) ? "a regular expression for log" : undefined;
}

function isPattern(text: string): boolean {
  try {
    return new RegExp(text) instanceof RegExp;
  } catch {
    return false;
  }
}

export const service: OpSpec<ServiceOp> = {
  do: "service",
  fields: {
    name: required(name),
    args: required(listOf(text)),
    env: standard(processVariables, []),
    dir: optional(name),
    ready: optional(ready),
    restart: standard(oneOf("never", "on-failure", "always"), "on-failure"),
    backoff: standard(duration, "1s"),
    grace: standard(duration, "10s"),
    onStart: standard(listOf(string), []),
    onExit: standard(listOf(string), []),
    container: optional(container),
  },
  words: (op) => `service ${op.name}`,
  check: checkService,
  lower: (op, state, context) => {
    for (const [, value] of op.env)
      if (typeof value !== "string" && !("kind" in value)) context.secret(value.secret, value.optional, op.place.at);
    if (op.container !== undefined && state.fs === null) context.problem(noImage(op));
    const files = context.host(op, state, {
      line: serviceLine(op),
      args: op.args,
      env: op.container === undefined ? op.env : [...computedEnv(state), ...op.env],
      ...(op.container === undefined ? {} : { imageConfig: stateConfig(state) }),
      dir: resolvePath(state.dir, op.dir ?? "."),
      validExitCodes: [],
      service: toService(op),
    });
    const after = emptyState(state.platform);
    if (files === undefined) return after;
    const { meta } = files.vertex;
    return { ...after, fs: fileOutput(null, [copyContents(files, "/", "/")], { ...meta, name: `${meta.name} (copy)` }) };
  },
};

/** What an image cannot say: it is made before these are known. */
function computedEnv({ env }: State): [string, Text][] {
  return env.filter(([, value]) => typeof value !== "string").map(([name, value]) => [name, value]);
}

function noImage({ name, place: { path, at } }: ServiceOp): Diagnostic {
  return {
    code: "empty-image",
    message: `The service ${name} has no filesystem to run in: it has a container, and there are no files before it`,
    path,
    at,
    hint: "Begin with `fetch-container`, or load what builds its image",
  };
}

function toService({ name, ready, restart, backoff, grace, onStart, onExit, container }: ServiceOp): HostService {
  return {
    ...(container === undefined ? {} : { container }),
    ...{ name, restart, backoff: milliseconds(backoff), grace: milliseconds(grace), onStart, onExit },
    ...(ready === undefined ? {} : { ready: toProbe(ready) }),
  };
}

/** Its times become milliseconds. */
export function toProbe({ http, tcp, command, log, timeout, interval }: Ready): ReadyProbe {
  const times = { timeout: milliseconds(timeout), interval: milliseconds(interval) };
  if (http !== undefined) return { kind: "http", what: http, ...times };
  if (tcp !== undefined) return { kind: "tcp", what: tcp, ...times };
  return command !== undefined ? { kind: "command", what: command, ...times } : { kind: "log", what: log ?? "", ...times };
}

/** All commands that it runs on the client's machine, as a shell would take them. */
export function serviceLine(op: Pick<ServiceOp, "args" | "container" | "env" | "onStart" | "onExit" | "ready">): string {
  const more = [op.onStart, op.onExit, op.ready?.command ?? []].filter((args) => args.length > 0);
  return [`${containerWords(op.container)}${hostLine(op)}`, ...more.map((args) => hostLine({ args, env: [] }))].join("; ");
}

/** What it gets of the machine is part of what a person agrees to. */
function containerWords(container: Container | undefined): string {
  if (container === undefined) return "";
  const { ports, volumes, network } = container;
  const flags = [
    ...(network === undefined ? [] : [`--network ${network}`]),
    ...ports.map((port) => `--publish ${port}`),
    ...volumes.map(([path, what]) => `--volume ${what}:${path}`),
  ];
  return `${["container", ...flags].join(" ")} `;
}

function checkService(op: ServiceOp, field: Field, context: ReadContext): void {
  const place = (label: string) => ({ path: `${field.path}.${label}`, at: field.value.fields.get(label)?.at ?? field.at });
  if (op.args.length === 0 || op.args[0] === "") {
    const hint = `Give the command and its arguments, e.g. args: ["./server", "--port", "8080"]`;
    context.problem({ code: "empty-args", message: "Op service has no command", ...place("args"), hint });
  }
  if (!/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(op.name)) {
    const message = `A service has a name of small letters, digits and "-", got ${JSON.stringify(op.name)}`;
    context.problem({ code: "wrong-type", message, ...place("name"), hint: `Write for example name: "db"` });
  }
}
