// Data as CUE: fields without quotes where their names need none.

/** Text, ending with a newline. A struct at the top is a file's fields. */
export function cueText(value: unknown): string {
  const text = isStruct(value) ? fields(value, "") : show(value, "");
  return `${text}\n`;
}

function isStruct(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function show(value: unknown, indent: string): string {
  const deeper = `${indent}\t`;
  if (Array.isArray(value)) {
    if (value.length === 0) return "[]";
    return `[\n${value.map((item: unknown) => `${deeper}${show(item, deeper)},\n`).join("")}${indent}]`;
  }
  if (!isStruct(value)) return JSON.stringify(value);
  return Object.keys(value).length === 0 ? "{}" : `{\n${fields(value, deeper)}\n${indent}}`;
}

function fields(struct: Readonly<Record<string, unknown>>, indent: string): string {
  return Object.entries(struct)
    .map(([name, value]) => `${indent}${label(name)}: ${show(value, indent)}`)
    .join("\n");
}

/** Names that begin with # or _ mean something else without quotes. */
function label(name: string): string {
  return /^[\p{L}$][\p{L}\p{N}_$]*$/u.test(name) ? name : JSON.stringify(name);
}
