// The compiler: Value → ops → graph → Definition. Pure: what it must ask the world goes through ports.

import type { Diagnostic } from "./diagnostic.ts";
import { UserError } from "./diagnostic.ts";
import { Builder } from "./graph/build.ts";
import type { BuildOptions, Built } from "./graph/built.ts";
import { collect } from "./graph/collect.ts";
import { checkDirectory } from "./graph/directory.ts";
import { resolveImages } from "./graph/images.ts";
import { buildOtherPlatforms, toImageOutputs } from "./graph/outputs.ts";
import { partsOf } from "./graph/parts.ts";
import type { Selection } from "./graph/select.ts";
import { select } from "./graph/select.ts";
import type { Output } from "./graph/vertex.ts";
import type { Component, Deferred, Definition, ImageOutput, Job } from "./job.ts";
import type { MarshalOptions } from "./llb/index.ts";
import { marshal } from "./llb/index.ts";
import { hostLine } from "./ops/host.ts";
import { placeInConfig } from "./ops/place.ts";
import { describeOps } from "./ops/print.ts";
import type { Program } from "./ops/program.ts";
import type { Workflow } from "./ops/read.ts";
import { readOps } from "./ops/read.ts";
import { serviceLine } from "./ops/service.ts";
import type { Ports } from "./ports.ts";
import type { Value } from "./value.ts";

export interface CompileOptions extends BuildOptions {
  /** CUE paths of components, or of structs that hold some; empty means all. */
  readonly targets?: readonly string[];
  /** `local.unique` of directories that `localUnique` does not name; a fixed one makes the output repeatable. */
  readonly localUniqueId?: string;
  /** What misses a value is left undone (`Job.undone`); without it that is an error. */
  readonly gradual?: boolean;
  /** Only tests run, and their reports come back into directories below this one (absolute, on the client). */
  readonly reports?: string;
  /** LLB capabilities of the daemon, when they are known. */
  readonly caps?: ReadonlySet<string>;
}

/** Compiles a config to what one pass runs. Throws UserError (2) with every mistake of the config. */
export async function compile(root: Value, ports: Ports, options: CompileOptions): Promise<Job> {
  const workflow = readOps(root, { gradual: options.gradual === true });
  const selection = selectPrograms(workflow, options);
  const builder = await buildGraph(selection.order, ports, options);
  const tests = placeReports(selection.tests, options);
  const chosen = withReports(choose(builder, selection), tests);
  const images = await buildImages(chosen, selection, builder, ports, options);
  return {
    ...toJob(builder, chosen, images, selection, options),
    tests,
    waiting: selection.waiting,
    parts: () => partsOf(workflow, selection),
    describe: () => describeOps(workflow, { places: true }),
  };
}

/** What is built in this pass, once the config has no mistakes. */
function selectPrograms(workflow: Workflow, { targets = [], gradual = false, reports }: CompileOptions): Selection {
  const selection = select(workflow, { targets, gradual, tests: reports !== undefined });
  fail(placeInConfig([...workflow.problems, ...selection.problems], workflow.root.value));
  return selection;
}

async function buildGraph(order: readonly Program[], ports: Ports, options: CompileOptions): Promise<Builder> {
  const problems: Diagnostic[] = [];
  const images = await resolveImages(order, ports.images, {
    platform: options.platform,
    directory: (path, op, field) => checkDirectory(path, op, field, options, problems),
    problem: (diagnostic) => void problems.push(diagnostic),
  });
  const builder = new Builder(options, { images, frontends: ports.frontends, define: definer(options) });
  await builder.addAll(order);
  fail([...problems, ...builder.problems]);
  return builder;
}

/** What gives values, files and images: the components that were asked for, and the inline ops in them. */
interface Chosen {
  readonly listed: readonly Built[];
  readonly giving: readonly Built[];
}

function choose(builder: Builder, selection: Selection): Chosen {
  const wanted = new Set(selection.wanted.map((program) => program.component));
  const listed = selection.wanted.map((program) => builder.built.get(program.value)).filter((built) => built !== undefined);
  const inline = [...builder.built.values()].filter(({ program }) => !program.named && wanted.has(program.component));
  return { listed, giving: [...listed, ...inline] };
}

function placeReports(tests: Selection["tests"], { reports = "" }: CompileOptions): Job["tests"] {
  return tests.map(({ reports: paths, ...test }, n) => ({
    ...test,
    reports: paths.map((path, m) => ({ path, dest: `${reports}/${n}.${m}` })),
  }));
}

/** The files of reports come back beside what the config saves. */
function withReports({ listed, giving }: Chosen, tests: Job["tests"]): Chosen {
  const dests = new Map(tests.flatMap(({ reports }) => reports.map(({ path, dest }) => [path, dest])));
  const reported = giving.map((built): Built => {
    const { program, state } = built;
    const dest = program.named ? dests.get(program.component) : undefined;
    const op = program.ops.at(-1);
    if (dest === undefined || op === undefined || state.fs === null) return built;
    const meta = { name: "collect report", component: program.component, at: program.at };
    return { ...built, dirs: [...built.dirs, { op, meta, from: state.fs, src: "/", dest, exact: false }] };
  });
  return { listed, giving: reported };
}

/** The images that leave the job. What they need for further platforms is served by the same session as all else. */
async function buildImages(
  { giving }: Chosen,
  { order }: Selection,
  builder: Builder,
  ports: Ports,
  options: CompileOptions,
): Promise<ImageOutput[]> {
  const others = await buildOtherPlatforms(giving, order, (platform, programs) =>
    buildGraph(programs, ports, { ...options, platform, runPlatform: options.platform }),
  );
  for (const other of others.values()) builder.adopt(other);
  const problems: Diagnostic[] = [];
  const images = toImageOutputs(giving, { others, define: definer(options), problem: (diagnostic) => void problems.push(diagnostic) });
  fail(problems);
  return images;
}

function toJob(
  builder: Builder,
  { listed, giving }: Chosen,
  images: readonly ImageOutput[],
  selection: Selection,
  options: CompileOptions,
): Omit<Job, "describe" | "parts" | "tests" | "waiting"> {
  const all = [...builder.built.values()];
  const { terminal, values, dirs, verdicts } = collect(giving, options.hosts !== undefined);
  const part: Job["part"] = (components) => {
    const some = collect(
      giving.filter(({ program }) => components.has(program.component)),
      options.hosts !== undefined,
    );
    return { definition: marshal(some.terminal, marshalOptions(options)), values: some.values, dirs: some.dirs, verdicts: some.verdicts };
  };
  return {
    graph: {
      terminal,
      components: toComponents(all, listed, builder),
      images,
      hooks: selection.hooks.map(({ program: _, ...hook }) => hook),
    },
    definition: marshal(terminal, marshalOptions(options)),
    define: definer(options),
    part,
    values,
    dirs,
    verdicts,
    images,
    locals: [...builder.locals.values()],
    secrets: [...builder.secrets.values()],
    ssh: [...builder.ssh.values()],
    entitlements: [...builder.entitlements],
    hosts: builder.hosts.steps,
    onHost: [...selection.order, ...selection.later, ...selection.hooks.map(({ program }) => program)].flatMap(onHost),
    wanted: selection.wanted.filter(({ value }) => !builder.hosts.waiting.has(value)).map(({ component }) => component),
    deferred: [...selection.deferred, ...waitingForHosts(selection.order, builder)],
    undone: selection.undone,
  };
}

/** What the processes on the client would be that a program starts. */
function onHost({ ops, component }: Program): Job["onHost"][number][] {
  return ops.flatMap((op) => {
    const line = op.do === "host" ? hostLine(op) : op.do === "service" ? serviceLine(op) : undefined;
    return line === undefined ? [] : [{ path: op.place.path, component, line, at: op.place.at }];
  });
}

function waitingForHosts(order: readonly Program[], { hosts: { waiting } }: Builder): Deferred[] {
  return order.flatMap(({ value, named, component, at }) => {
    const waits = named ? waiting.get(value) : undefined;
    return waits === undefined ? [] : [{ path: component, missing: [], hosts: waits, at }];
  });
}

function definer(options: CompileOptions): (fs: Output) => Definition {
  return (fs) => marshal(fs, marshalOptions(options));
}

/** The same for the whole graph and for what a frontend is asked about: their ops are to be the same bytes. */
function marshalOptions(options: CompileOptions): MarshalOptions {
  return {
    platform: options.platform,
    localUniqueId: options.localUniqueId ?? "",
    ignoreCacheDownstream: true,
    ...(options.caps === undefined ? {} : { caps: options.caps }),
  };
}

/** The components that were asked for, then those that they use. */
function toComponents(all: readonly Built[], listed: readonly Built[], builder: Builder): Component[] {
  const named = [...new Set([...listed, ...all.filter(({ program }) => program.named)])];
  return named.map((built) => {
    const { program, state } = built;
    return { path: program.component, at: program.at, output: state.fs, process: toProcess(built, builder), doc: program.doc };
  });
}

function toProcess({ state, steps }: Built, builder: Builder): Component["process"] {
  const { dir, user, platform } = state;
  const like = steps.at(-1)?.vertex;
  const env = state.env.flatMap(([name, value]) => (typeof value === "string" ? [[name, value] as const] : []));
  const computedEnv = state.env.flatMap(([name, value]) => {
    const file = typeof value === "string" ? null : builder.computed(value);
    return file === null ? [] : [[name, file] as const];
  });
  return { env, computedEnv, dir, user, platform, ...(like?.kind === "exec" ? { like } : {}) };
}

function fail(problems: readonly Diagnostic[]): void {
  if (problems.length === 0) return;
  const distinct = new Map(problems.map((problem) => [JSON.stringify([problem.code, problem.message, problem.path, problem.at]), problem]));
  throw new UserError(2, [...distinct.values()].sort(byPlace));
}

/** In the order of the files' lines, as a person reads them; findings without a place come last. */
function byPlace(a: Diagnostic, b: Diagnostic): number {
  const [p, q] = [a.at[0], b.at[0]];
  if (p === undefined || q === undefined) return Number(p === undefined) - Number(q === undefined);
  return p.file < q.file ? -1 : p.file > q.file ? 1 : p.line - q.line || p.column - q.column;
}
