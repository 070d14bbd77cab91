// The programs of a config, and which of them do the same: a component that stands at two places may be two values for CUE.
import { hash } from "node:crypto";
import type { Program } from "../ops/program.ts";
import type { Workflow } from "../ops/read.ts";
import type { From } from "../ops/use.ts";
import type { Value } from "../value.ts";

export class Programs {
  /** The components that a job without targets computes. */
  readonly components: readonly Program[];
  readonly #workflow: Workflow;
  readonly #known = new Map<Value, string>();

  constructor(workflow: Workflow) {
    this.#workflow = workflow;
    this.components = workflow.components;
  }

  /** The program that `from` stands for. */
  of({ value, path, at }: From): Program {
    return this.#workflow.program({ label: "", path, value, at, doc: "", attributes: [] });
  }

  /** Equal for programs with equal ops, wherever these are written. */
  identity(program: Program): string {
    // Chains of components may be thousands long: a stack, not recursion.
    const open = new Set<Program>();
    const stack = [program];
    for (let one = stack.at(-1); one !== undefined; one = stack.at(-1)) {
      const uses = this.#known.has(one.value) || open.has(one) ? [] : one.uses.map((use) => this.#workflow.program(use));
      const missing = uses.filter((used) => !this.#known.has(used.value) && !open.has(used));
      open.add(one);
      stack.push(...missing);
      if (missing.length > 0) continue;
      stack.pop();
      if (!this.#known.has(one.value)) this.#known.set(one.value, this.#digest(one));
    }
    return this.#known.get(program.value) ?? "";
  }

  #digest({ ops }: Program): string {
    const told = ops.map(({ place: _, ...op }) => op);
    return hash(
      "sha256",
      JSON.stringify(told, (_label, value: unknown) => this.#plain(value)),
    );
  }

  /** Another program by what it does. */
  #plain(value: unknown): unknown {
    if (typeof value !== "object" || value === null || !("kind" in value) || !("value" in value)) return value;
    if (value.kind !== "from" && value.kind !== "computed") return value;
    return { [value.kind]: this.#known.get(value.value as Value) };
  }
}
