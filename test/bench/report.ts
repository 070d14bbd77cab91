// Turns samples into the tables of docs/benchmarks.md.
import { cpus, totalmem } from "node:os";
import type { Sample } from "./measure.ts";

export interface Comparison {
  readonly what: string;
  readonly runs: number;
  readonly dagger: Sample;
  readonly buildctl: Sample;
}

export interface Compilation {
  readonly ops: number;
  /** Every run evaluates the config. */
  readonly anew: Sample;
  /** The config was evaluated before, and has not changed. */
  readonly kept: Sample;
}

/** The whole page. Ratios are dagger's figure over buildctl's: below 1 dagger needs less. */
export function page(comparisons: readonly Comparison[], compilations: readonly Compilation[]): string {
  const machine = `${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB of memory, Node ${process.versions.node}`;
  return `# Benchmarks

\`make bench\` writes this page. Both programs run the same LLB on the same daemon, one after the other in turns; the figures are
medians of whole processes, from start to exit. buildctl reads the finished LLB; dagger reads the CUE config and
compiles it. What is "first" is evaluated by CUE in the measured run too; of the others the evaluation is kept from the run before, as
a user has it. Ratios are dagger's figure over buildctl's: below 1, dagger needs less.

Machine: ${machine}.

## Against buildctl

| | runs | dagger s | buildctl s | wall | CPU | peak memory | dagger MiB |
|---|---:|---:|---:|---:|---:|---:|---:|
${comparisons.map(comparisonRow).join("\n")}

## Compiling

From CUE files to LLB (\`dagger llb --format raw\`), components of ten ops, each using the one before. The last column is
the wall time when the config was evaluated before and has not changed.

| ops | wall s | CPU s | peak memory MiB | ms per op | evaluated before: wall s |
|---:|---:|---:|---:|---:|---:|
${compilations.map(compilationRow).join("\n")}
`;
}

function comparisonRow({ what, runs, dagger, buildctl }: Comparison): string {
  const ratio = (a: number, b: number): string => (b > 0 ? (a / b).toFixed(2) : "–");
  const ratios = [ratio(dagger.wall, buildctl.wall), ratio(dagger.cpu, buildctl.cpu), ratio(dagger.memory, buildctl.memory)];
  return `| ${[what, runs, seconds(dagger.wall), seconds(buildctl.wall), ...ratios, Math.round(dagger.memory)].join(" | ")} |`;
}

function compilationRow({ ops, anew, kept }: Compilation): string {
  const perOp = ((anew.wall * 1000) / ops).toFixed(2);
  return `| ${[ops, seconds(anew.wall), seconds(anew.cpu), Math.round(anew.memory), perOp, seconds(kept.wall)].join(" | ")} |`;
}

function seconds(value: number): string {
  return value.toFixed(value < 1 ? 3 : 2);
}
