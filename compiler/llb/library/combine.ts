// Ops over several states.
import type { Output, Ref } from "../../graph/vertex.ts";
import { lazySources } from "./file-actions.ts";
import { fresh, type Made, madeOf, withOutput } from "./filesystem.ts";
import { combine } from "./lazy.ts";
import { invalid, toBase } from "./options.ts";
import { type PlainOptions, State } from "./state.ts";

/** Lays filesystems over each other, the last on top. The rest of the state is that of the first one that is not scratch. */
export function merge(states: readonly State[], options: PlainOptions = {}): State {
  const lazy = combine(lazySources(states), (...made: Made[]) => {
    const filled = made.filter(({ out }) => out !== null);
    const [first] = filled;
    if (first === undefined) return fresh(null);
    if (filled.length === 1) return first;
    const inputs = filled.map(({ out }) => out as Output);
    return withOutput(first, { vertex: { kind: "merge", ...toBase(options), inputs }, index: 0 });
  });
  return new State(lazy);
}

/** What `upper` has and `lower` has not. Over scratch that is `upper` itself; else the rest of the state is that of `lower`. */
export function diff(lower: State, upper: State, options: PlainOptions = {}): State {
  const lazy = combine([madeOf(lower), madeOf(upper)], (below: Made, above: Made) => {
    if (below.out === null) return above.out === null ? fresh(null) : above;
    return withOutput(below, { vertex: { kind: "diff", ...toBase(options), lower: below.out, upper: above.out }, index: 0 });
  });
  return new State(lazy);
}

/**
 * Hands states on once all of them are made; those with `output: false` only have to be. Gives one state per output, that inherits
 * nothing. Scratch states are left out, as there is nothing to make. Throws UserError `llb-invalid` when nothing is left.
 */
export function passthrough(
  id: string,
  inputs: readonly { readonly state: State; readonly output?: boolean }[],
  options: PlainOptions = {},
): State[] {
  const made = combine(lazySources(inputs.map(({ state }) => state)), (...all: Made[]) => {
    const used = all.flatMap(({ out }, i) => (out === null ? [] : [{ out, input: i }]));
    const outputs = used.flatMap(({ input }, i) => (inputs[input]?.output === false ? [] : [i]));
    const vertex = { kind: "passthrough", ...toBase(options), id, inputs: used.map(({ out }) => out), outputs } as const;
    /** Output of each input. */
    return inputs.map((_, i): Ref => {
      const index = outputs.findIndex((position) => used[position]?.input === i);
      return index < 0 ? null : { vertex, index };
    });
  });
  const wanted = inputs.flatMap(({ output }, i) => (output === false ? [] : [i]));
  if (wanted.length === 0) throw invalid(`The passthrough ${JSON.stringify(id)} has no output`);
  return wanted.map((position) => new State(combine([made], (refs) => fresh(refs[position] ?? null))));
}
