// Writes the data of a module file as CUE, laid out as `cue fmt` has it.

/** One field a line. */
export function formatCue(data: Readonly<Record<string, unknown>>): string {
  return Object.entries(data)
    .filter(([, value]) => !isStruct(value) || Object.keys(value).length > 0)
    .map(([name, value]) => `${field(name, value, "")}\n`)
    .join("");
}

function field(name: string, value: unknown, indent: string): string {
  const label = labelOf(name);
  if (!isStruct(value)) return `${indent}${label}: ${inline(value)}`;
  const fields = Object.entries(value);
  const labels = fields.map(([inner]) => indent + "\t" + labelOf(inner));
  const inner = fields.map(([innerName, innerValue]) => field(innerName, innerValue, `${indent}\t`));
  return `${indent}${label}: {\n${align(labels, inner).join("\n")}\n${indent}}`;
}

/** Values of neighbouring lines start in the same column. */
function align(labels: readonly string[], lines: readonly string[]): string[] {
  if (lines.some((line) => line.includes("\n"))) return [...lines];
  const longest = Math.max(...labels.map((label) => label.length));
  return lines.map((line, i) => {
    const end = (labels[i] ?? "").length + 1;
    return line.slice(0, end) + " ".repeat(longest + 1 - end) + line.slice(end);
  });
}

function labelOf(name: string): string {
  return /^[a-zA-Z][a-zA-Z0-9]*$/.test(name) ? name : JSON.stringify(name);
}

/** On one line. */
function inline(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inline).join(", ")}]`;
  if (!isStruct(value)) return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([name, inner]) => `${labelOf(name)}: ${inline(inner)}`)
    .join(", ")}}`;
}

function isStruct(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
