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
  readonly sample: Sample;
}

/** The whole page. Ratios are dagger's figure over buildctl's: below 1 dagger needs less. */
export function page(comparisons: readonly Comparison[], compilations: readonly Compilation[]): string {
  const machine = `${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB of memory, Node ${process.versions.node}`;
  return `# Benchmarks

\`make bench\` writes this page. Both programs run the same LLB on the same daemon, one after the other in turns; the figures are
medians of whole processes, from start to exit. dagger evaluates the CUE config and compiles it each time; buildctl reads the
finished LLB. Ratios are dagger's figure over buildctl's: below 1, dagger needs less.

Machine: ${machine}.

## Against buildctl

| | runs | dagger s | buildctl s | wall | CPU | peak memory |
|---|---:|---:|---:|---:|---:|---:|
${comparisons.map(comparisonRow).join("\n")}

## Compiling

From CUE files to LLB (\`dagger llb --format raw\`), components of ten ops, each using the one before.

| ops | wall s | CPU s | peak memory MiB | ms per op |
|---:|---:|---:|---:|---:|
${compilations.map(compilationRow).join("\n")}
`;
}

function comparisonRow({ what, runs, dagger, buildctl }: Comparison): string {
  const ratio = (a: number, b: number): string => (b > 0 ? (a / b).toFixed(2) : "–");
  const ratios = [ratio(dagger.wall, buildctl.wall), ratio(dagger.cpu, buildctl.cpu), ratio(dagger.memory, buildctl.memory)];
  return `| ${[what, runs, seconds(dagger.wall), seconds(buildctl.wall), ...ratios].join(" | ")} |`;
}

function compilationRow({ ops, sample }: Compilation): string {
  return `| ${[ops, seconds(sample.wall), seconds(sample.cpu), Math.round(sample.memory), ((sample.wall * 1000) / ops).toFixed(2)].join(" | ")} |`;
}

function seconds(value: number): string {
  return value.toFixed(value < 1 ? 3 : 2);
}
