// Turns what was measured into a page.
import { cpus, totalmem } from "node:os";

/** A promise, and what was measured. */
export interface Bound {
  readonly what: string;
  readonly figure: number;
  /** The figure may be this, or (`strict`) must be below. */
  readonly most: number;
  readonly strict?: boolean;
}

export interface Section {
  readonly title: string;
  readonly text: string;
  readonly bounds: readonly Bound[];
}

export function page(sections: readonly Section[]): string {
  const machine = `${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB of memory, Node ${process.versions.node}`;
  const bounds = sections.flatMap((section) => section.bounds);
  const rows = bounds.map((bound) => [
    bound.what,
    `${bound.strict === true ? "below" : "at most"} ${bound.most}`,
    bound.figure.toFixed(bound.figure < 10 ? 2 : 0),
    holds(bound) ? "held" : "**not held**",
  ]);
  return `# Benchmarks

\`PAGE=1 make bench\` writes this page, all of it in one run. Figures are medians of whole processes, from start to exit, unless a section says
otherwise; programs that are compared run in turns. Ratios are dagger's figure over the other's: below 1, dagger needs less.

Machine: ${machine}.

## What is promised

${table(["", "bound", "measured", ""], rows)}
${sections.map(({ title, text }) => `\n## ${title}\n\n${text}\n`).join("")}`;
}

export function holds({ figure, most, strict }: Bound): boolean {
  return strict === true ? figure < most : figure <= most;
}

/** The first column is text, the others are figures. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), `|---|${"---:|".repeat(head.length - 1)}`, ...rows.map(line)].join("\n");
}

export function ratio(a: number, b: number): string {
  return b > 0 ? (a / b).toFixed(2) : "–";
}

export function seconds(value: number): string {
  return value.toFixed(value < 1 ? 3 : 2);
}

export function milliseconds(value: number): string {
  return (value * 1000).toFixed(0);
}
