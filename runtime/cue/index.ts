// The door of runtime/cue: reading CUE files and evaluating them.
export { createEvaluator, type Evaluation, type Evaluator, type EvaluatorOptions, type Fill } from "./evaluate.ts";
export { type ReadOptions, readSource, type Source } from "./source.ts";
