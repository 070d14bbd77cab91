// Finds processes, and what they hand on, behind components: a component may only load another, or copy one file of it.
import type { ExecOp } from "../ops/exec-op.ts";
import type { Program } from "../ops/program.ts";
import type { ServiceOp } from "../ops/service.ts";
import type { Programs } from "./programs.ts";
import { leavesFiles } from "./pushed.ts";

/** The last process of a program. Components that only load the same one have the same `key`. */
export interface Process {
  readonly key: string;
  /** The program that it is the last op of. */
  readonly program: Program;
  readonly op: ExecOp | ServiceOp;
  /** The ops before it. */
  readonly before: Program["ops"];
  /** How many components are between it and the one it was looked for in. */
  readonly hops: number;
}

/** A file or directory of what a process leaves. */
export interface Handed {
  readonly process: Process;
  /** Absolute. */
  readonly path: string;
}

/** The process whose filesystem a program ends with; undefined when it ends with something else. */
export function processOf(program: Program, programs: Programs): Process | undefined {
  const seen = new Set<Program>();
  for (let one = program; !seen.has(one); ) {
    seen.add(one);
    const index = one.ops.findLastIndex((op) => !leavesFiles(op));
    const op = one.ops[index];
    if (op?.do === "exec" || op?.do === "service")
      return { key: programs.identity(one), program: one, op, before: one.ops.slice(0, index), hops: seen.size - 1 };
    if (op?.do !== "load") return undefined;
    one = programs.of(op.from);
  }
  return undefined;
}

/** What a program copies, and nothing else, out of the filesystem of a process. */
export function handedBy(program: Program, programs: Programs): Handed | undefined {
  const [copy, ...more] = program.ops.filter((op) => op.do !== "scratch" && !leavesFiles(op));
  if (copy?.do !== "copy" || more.length > 0 || copy.dest !== "/" || /[*?[\]]/.test(copy.src)) return undefined;
  const whole = copy.include === undefined && copy.exclude === undefined && copy.mode === undefined && copy.owner === undefined;
  const process = whole && copy.src.startsWith("/") ? processOf(programs.of(copy.from), programs) : undefined;
  return process === undefined ? undefined : { process, path: copy.src.replace(/(.)\/$/, "$1") };
}

/** Every process that the ops before another one load or copy from. */
export function processesIn(ops: Program["ops"], programs: Programs): Process[] {
  return ops.flatMap((op) => {
    if (op.do !== "load" && op.do !== "copy") return [];
    const used = programs.of(op.from);
    const process = processOf(used, programs) ?? handedBy(used, programs)?.process;
    return process === undefined ? [] : [process];
  });
}
