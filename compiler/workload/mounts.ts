// Mounts of a process, as far as another system can make them: outputs of tasks, files that the config says, secrets, empty places.
import type { Diagnostic } from "../diagnostic.ts";
import { resolvePath } from "../llb/index.ts";
import type { ExecOp } from "../ops/exec-op.ts";
import type { MountSpec } from "../ops/mount.ts";
import type { Program } from "../ops/program.ts";
import { type Handed, handedBy, type Process, processOf } from "./find.ts";
import type { Programs } from "./programs.ts";
import { leavesFiles } from "./pushed.ts";
import type { WorkloadFile, WorkloadMount } from "./workload.ts";

/** What reads a mount tells to whoever asked. */
export interface MountTold {
  /** The mount takes what a task hands on: gives its task's path and the output's name. */
  readonly output: (handed: Handed) => { readonly of: string; readonly output: string };
  /** A process has to come first. */
  readonly after: (process: Process) => void;
  readonly problem: (diagnostic: Diagnostic) => void;
  readonly loss: (diagnostic: Diagnostic) => void;
}

/** What package task mounts of what has only to be done before. */
const onlyAfter = /^\/task\/after\/\d+$/;

export function readMounts(op: ExecOp, programs: Programs, told: MountTold): WorkloadMount[] {
  return op.mount.flatMap(([path, mount]) => {
    const dest = resolvePath("/", path);
    return readMount(dest, mount, op, programs, told) ?? [];
  });
}

function readMount(dest: string, mount: MountSpec, op: ExecOp, programs: Programs, told: MountTold): WorkloadMount | undefined {
  switch (mount.kind) {
    case "tmpfs":
      return { kind: "tmpfs", dest, size: mount.size };
    case "cache":
      if (mount.from !== undefined) told.loss(loss(op, dest, "begins empty: it is filled by no component there"));
      return { kind: "cache", dest, readonly: mount.readonly === true };
    case "secret": {
      const { secret, mode, uid, gid, optional } = mount;
      return { kind: "secret", dest, secret, mode, uid, gid, optional };
    }
    case "bind":
      return readBind(dest, mount, op, programs, told);
    case "ssh":
    case "stream":
    case "tool": {
      const what = mount.kind === "tool" ? "a program of dagger" : "an agent or socket of this machine";
      told.problem(unsaid(op, dest, `it is ${what}`, "Leave it out of the target, or do without it"));
      return undefined;
    }
  }
}

function readBind(
  dest: string,
  mount: Extract<MountSpec, { kind: "bind" }>,
  op: ExecOp,
  programs: Programs,
  told: MountTold,
): WorkloadMount | undefined {
  const program = programs.of(mount.from);
  const handed = handedBy(program, programs);
  const process = handed?.process ?? processOf(program, programs);
  if (onlyAfter.test(dest)) {
    if (process !== undefined) told.after(process);
    return undefined;
  }
  const files = filesOf(program);
  if (files !== undefined) {
    const path = resolvePath("/", mount.path);
    return { kind: "files", dest, files: files.flatMap((file) => placed(file, path)) };
  }
  if (process?.op.do === "service") {
    told.after(process);
    told.loss(loss(op, dest, `is not there: ${process.op.name} runs elsewhere, and is reached by its name`));
    return undefined;
  }
  if (handed !== undefined && mount.path === "/" && !mount.output) {
    if (!mount.readonly) told.loss(loss(op, dest, "cannot be written to there"));
    return { kind: "output", dest, ...told.output(handed), at: op.place.at };
  }
  const what =
    process === undefined
      ? `${program.component} is no task`
      : `it is the whole filesystem of ${program.component}, or a part of an output`;
  const hint =
    process === undefined
      ? "Put the files into its image, or let a task hand them on as an output"
      : "Name an output of the task that has these files";
  told.problem({ ...unsaid(op, dest, what, hint), at: mount.from.at });
  return undefined;
}

/** The files of a program that consists of nothing else than files with a known content. */
function filesOf({ ops }: Program): WorkloadFile[] | undefined {
  const files: WorkloadFile[] = [];
  for (const op of ops) {
    if (op.do === "write-file" && typeof op.content === "string")
      files.push({ path: resolvePath("/", op.dest), content: op.content, mode: op.mode });
    else if (op.do !== "scratch" && !leavesFiles(op)) return undefined;
  }
  return files.length === 0 ? undefined : files;
}

/** A file below the path that is mounted, as it is named there: "" for the path itself. */
function placed(file: WorkloadFile, path: string): WorkloadFile[] {
  if (file.path === path) return [{ ...file, path: "" }];
  const below = path === "/" ? path : `${path}/`;
  return file.path.startsWith(below) ? [{ ...file, path: file.path.slice(below.length) }] : [];
}

function unsaid({ place }: ExecOp, dest: string, what: string, hint: string): Diagnostic {
  return {
    code: "target-input",
    message: `What is mounted at ${dest} is not there in another system: ${what}`,
    path: `${place.path}.mount`,
    at: place.fields.get("mount") ?? place.at,
    hint,
  };
}

function loss({ place }: ExecOp, dest: string, what: string): Diagnostic {
  return {
    code: "target-loss",
    message: `What is mounted at ${dest} ${what}`,
    path: `${place.path}.mount`,
    at: place.fields.get("mount") ?? place.at,
  };
}
