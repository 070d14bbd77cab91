// Reads the workloads of an evaluated config: its tasks and daemons, or the components that are named, with all that these take.
import type { Diagnostic, Position } from "../diagnostic.ts";
import { orderDiagnostics, UserError } from "../diagnostic.ts";
import { narrow } from "../graph/choose.ts";
import { findMarks, isMarked, type Marks } from "../graph/marks.ts";
import { resolvePath } from "../llb/index.ts";
import { placeInConfig } from "../ops/place.ts";
import type { Program } from "../ops/program.ts";
import { publishedPorts } from "../ops/published.ts";
import { readOps, type Workflow } from "../ops/read.ts";
import { toProbe } from "../ops/service.ts";
import { milliseconds } from "../ops/supervision.ts";
import { fieldAt, splitPath } from "../ops/walk.ts";
import type { Field, Value } from "../value.ts";
import { type Handed, handedBy, type Process, processesIn, processOf } from "./find.ts";
import { readMounts } from "./mounts.ts";
import { networkOf, readProcess } from "./process.ts";
import { Programs } from "./programs.ts";
import { namedImages } from "./pushed.ts";
import { type Root, rootOf } from "./root.ts";
import type { Workload, WorkloadImage, WorkloadOutput, Workloads } from "./workload.ts";

export interface WorkloadWish {
  /** CUE paths of components, or of structs that hold some; empty means all. */
  readonly targets: readonly string[];
  /** The components that are meant, in place of all tasks and daemons. */
  readonly components?: readonly Field[];
  /** CUE path below which components push the images that are meant. */
  readonly images?: string;
}

/** Throws UserError (2) with everything that another system cannot do. */
export function readWorkloads(root: Value, wish: WorkloadWish): Workloads {
  const whole = readOps(root);
  const workflow = narrow(whole, wish.targets);
  if (whole.problems.length > 0) throw new UserError(2, placeInConfig(whole.problems, root));
  const reader = new Reader(whole, wish.images);
  const named = wish.components?.map((field) => reader.named(field, wish.targets.length > 0 ? workflow : undefined)) ?? [];
  const asked = wish.components === undefined ? reader.usual(workflow) : named.filter((process) => process !== undefined);
  for (const process of asked) reader.add(process);
  const problems = orderDiagnostics(placeInConfig(reader.problems, root));
  if (problems.length > 0) throw new UserError(2, problems);
  return {
    workloads: reader.workloads,
    named: named.map((process) => process && reader.pathOf(process)),
    losses: orderDiagnostics(placeInConfig(reader.losses, root)),
  };
}

class Reader {
  readonly problems: Diagnostic[] = [];
  readonly losses: Diagnostic[] = [];
  readonly workloads: Workload[] = [];
  readonly #workflow: Workflow;
  readonly #programs: Programs;
  readonly #marks: Marks;
  readonly #images: ReturnType<typeof namedImages>;
  readonly #added = new Set<string>();
  /** The component that a process is known by: the one that is nearest to it. */
  readonly #names = new Map<string, { readonly program: Program; readonly hops: number }>();
  /** Components that export a value of what a process leaves. */
  readonly #exporting = new Map<string, Program[]>();
  readonly #outputs = new Map<string, WorkloadOutput[]>();

  constructor(workflow: Workflow, images: string | undefined) {
    this.#workflow = workflow;
    this.#programs = new Programs(workflow);
    this.#marks = findMarks(workflow.root);
    this.problems.push(...this.#marks.problems);
    this.#images = namedImages(this.#programs, images);
    // CUE may have made copies of a component where others take it: the one that stands highest gives the name.
    const height = ({ component }: Program): number => splitPath(component).length;
    for (const program of [...workflow.components].sort((a, b) => height(a) - height(b))) this.#note(program);
  }

  /** All tasks and daemons; not tests and hooks, which are of runs. */
  usual({ components }: Workflow): Process[] {
    const tests = new Set(this.#marks.tests.map(({ path }) => path));
    const hooks = new Set(this.#marks.hooks.map(({ field }) => field.path));
    return components.flatMap((program) => {
      const process = processOf(program, this.#programs);
      const { component, at } = program;
      const field = fieldAt(this.#workflow.root, component);
      const isTask = field !== undefined && isMarked(field, "task");
      if (tests.has(component)) {
        this.losses.push(loss(component, at, `${component} is a test, and is left out: dagger test runs it`));
        return [];
      }
      if (hooks.has(component)) {
        this.losses.push(loss(component, at, `${component} is a hook of runs, and is left out`));
        return [];
      }
      if (program.ops.some((op) => op.do === "host")) {
        this.losses.push(loss(component, at, `${component} has a step on this machine, and is left out`));
        return [];
      }
      return process !== undefined && (isTask || (process.op.do === "service" && process.hops === 0)) ? [process] : [];
    });
  }

  /** The process of a component, when it is `among` some; of all without. */
  named(field: Field, among: Workflow | undefined): Process | undefined {
    const program = this.#workflow.program(field);
    const process = processOf(program, this.#programs);
    if (process !== undefined) {
      const isAsked = among?.components.some((one) => processOf(one, this.#programs)?.key === process.key) ?? true;
      return isAsked ? process : undefined;
    }
    const host = program.ops.some((op) => op.do === "host");
    const why = host
      ? "has a step on this machine, which is not there in another system"
      : "does not end with a process that another system could run";
    this.problems.push({
      code: "target-component",
      message: `${field.path.replace(/[.]from$/, "")} ${why}`,
      path: field.path,
      at: [...field.at, ...program.at],
      hint: "Name a #Task or a #Daemon, or a component whose last op is an exec",
    });
    return undefined;
  }

  /** Adds a process behind all that it needs. */
  add(process: Process): void {
    if (this.#added.has(process.key)) return;
    this.#added.add(process.key);
    const { op, before, program } = process;
    const path = this.pathOf(process);
    this.problems.push(...program.missing.map((missing) => waiting(path, missing.path, program.at)));
    const root = rootOf(before, this.#programs, this.#images);
    const needed = new Map<string, Process>();
    const told = { problem: (one: Diagnostic) => void this.problems.push(one), loss: (one: Diagnostic) => void this.losses.push(one) };
    const output = (handed: Handed): { of: string; output: string } => {
      needed.set(handed.process.key, handed.process);
      return { of: this.pathOf(handed.process), output: this.#outputOf(handed).path };
    };
    const mounts =
      op.do === "exec" ? readMounts(op, this.#programs, { ...told, output, after: (one) => void needed.set(one.key, one) }) : volumesOf(op);
    // What an image has to hold was made by these: with a name for it they need not run.
    if (root.ref === undefined) for (const one of processesIn(before, this.#programs)) needed.set(one.key, one);
    const needs = [...needed.values()];
    for (const one of needs) this.add(one);
    const named = this.#names.get(process.key)?.program;
    this.workloads.push({
      kind: op.do === "service" ? "daemon" : "task",
      path,
      at: named?.at ?? op.place.at,
      ...(op.do === "service" ? { name: op.name, daemon: daemonOf(op) } : {}),
      trigger: (named && this.#marks.triggers.get(named.value)?.trigger) ?? { kind: "auto" },
      image: imageOf(root),
      process: readProcess(op, root, told),
      mounts,
      needs: needs.map((one) => this.pathOf(one)),
      outputs: this.#outputs.get(process.key) ?? [],
    });
    this.#tellValues(process.key);
    if (op.do === "service") this.#tellNetwork(op, path);
  }

  /** Networks with names are those of an engine of this machine. */
  #tellNetwork({ container, place }: Extract<Process["op"], { do: "service" }>, path: string): void {
    const network = container?.network;
    if (network === undefined || networkOf(network) !== undefined) return;
    this.losses.push(
      loss(path, place.at, `The network ${network} of the container of ${path} is of this machine: it has that of the target`),
    );
  }

  #note(program: Program): void {
    const handed = handedBy(program, this.#programs);
    if (handed !== undefined) this.#addOutput(handed, program);
    const process = processOf(program, this.#programs);
    if (process !== undefined && program.ops.some((op) => op.do === "export")) {
      this.#exporting.set(process.key, [...(this.#exporting.get(process.key) ?? []), program]);
    }
    const known = process && this.#names.get(process.key);
    if (process !== undefined && (known === undefined || process.hops < known.hops))
      this.#names.set(process.key, { program, hops: process.hops });
  }

  #addOutput({ process, path: from }: Handed, { component, at, ops }: Program): WorkloadOutput {
    const known = this.#outputs.get(process.key) ?? [];
    const same = known.find((one) => one.from === from);
    if (same !== undefined) return same;
    const save = ops.find((op) => op.do === "save-dir")?.dest;
    const name = /[.]outputs[.](.+)$/.exec(component)?.[1] ?? from.slice(1);
    const output = { path: component, name, from, at, ...(save === undefined ? {} : { save }) };
    this.#outputs.set(process.key, [...known, output]);
    return output;
  }

  /** What is taken without a component of its own is an output, too. */
  #outputOf(handed: Handed): WorkloadOutput {
    const path = `${this.pathOf(handed.process)}${handed.path}`;
    return this.#addOutput(handed, { ...handed.process.program, component: path, ops: [] });
  }

  pathOf({ key, op }: Process): string {
    return this.#names.get(key)?.program.component ?? op.place.path.replace(/[.]?#up\b.*$/, "").replace(/[.]_[^.]*$/, "");
  }

  /** Values are of a run only: so are conditions on them. */
  #tellValues(key: string): void {
    for (const { component, at } of this.#exporting.get(key) ?? []) {
      this.losses.push(loss(component, at, `The value of ${component} is not known there, and what must be true of it is not checked`));
    }
  }
}

function imageOf({ ref, archive, lacks, dirs, files, platform }: Root): WorkloadImage {
  return {
    ...(ref === undefined ? {} : { ref }),
    ...(archive === undefined ? {} : { archive }),
    ...(lacks === undefined ? {} : { lacks }),
    dirs,
    files,
    ...(platform === undefined ? {} : { platform }),
  };
}

function daemonOf(op: Extract<Process["op"], { do: "service" }>): NonNullable<Workload["daemon"]> {
  const { restart, grace, onStart, onExit, ready, container } = op;
  const ports = container?.ports.flatMap(publishedPorts) ?? [];
  return { restart, grace: milliseconds(grace), onStart, onExit, ports, ...(ready === undefined ? {} : { ready: toProbe(ready) }) };
}

function volumesOf({ container }: Extract<Process["op"], { do: "service" }>): Workload["mounts"] {
  return container?.volumes.map(([path, what]) => ({ kind: "volume", dest: resolvePath("/", path), what })) ?? [];
}

function waiting(path: string, missing: string, at: readonly Position[]): Diagnostic {
  return {
    code: "target-step",
    message: `${path} waits for ${missing}, which only a run computes`,
    path,
    at,
    hint: "Hand it on as an output, whose file the task reads, or leave the component out of the target",
  };
}

function loss(path: string, at: readonly Position[], message: string): Diagnostic {
  return { code: "target-loss", message, path, at };
}
