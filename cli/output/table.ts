// Rows in columns that line up.
import { width } from "./width.ts";

/** Text of a table, each line ending with a newline; cells are padded to the widest of their column, two spaces between. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, index) => (widths[index] = Math.max(widths[index] ?? 0, width(cell))));
  const pad = (cell: string, index: number) => cell + " ".repeat((widths[index] ?? 0) - width(cell));
  return rows.map((row) => `${row.map(pad).join("  ").trimEnd()}\n`).join("");
}

/** One document of JSON, indented, ending with a newline. */
export function formatJson(data: unknown): string {
  return `${JSON.stringify(data, null, 2)}\n`;
}
