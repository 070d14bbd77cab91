// Reads documents of inputs (JSON, YAML) into one value per field, so that each field that the config lacks is told.

export interface DataEntry {
  /** CUE path. */
  readonly path: string;
  /** JSON text of a scalar, a list, or an empty object. */
  readonly json: string;
}

/** The entries of a document below the CUE path `at`; none, and `problem` says why, when it cannot be read. */
export async function parseData(
  format: "json" | "yaml",
  text: string,
  at: string,
  problem: (why: string) => void,
): Promise<readonly DataEntry[]> {
  try {
    const data = await parse(format, text);
    if (at === "" && !isObject(data)) throw new TypeError(`it holds ${describe(data)}, not an object`);
    const found = [...entries(at, data)];
    // An empty object sets nothing.
    return at === "" && isObject(data) && Object.keys(data).length === 0 ? [] : found;
  } catch (error) {
    problem((error as Error).message.split("\n")[0] ?? "");
    return [];
  }
}

async function parse(format: "json" | "yaml", text: string): Promise<unknown> {
  if (format === "json") {
    const data: unknown = JSON.parse(text);
    // JSON.parse rounds integers of 16 digits and more; YAML reads the same text and keeps them.
    if (!/\d{16}/.test(text)) return data;
  }
  const yaml = await import("yaml");
  return yaml.parse(text, { intAsBigInt: true }) as unknown;
}

function* entries(path: string, data: unknown): Generator<DataEntry> {
  if (!isObject(data) || Object.keys(data).length === 0) {
    yield { path, json: toJson(data) };
    return;
  }
  for (const [label, value] of Object.entries(data)) yield* entries(join(path, label), value);
}

function join(path: string, label: string): string {
  const written = /^[A-Za-z$][\w$]*$/.test(label) ? label : JSON.stringify(label);
  return path === "" ? written : `${path}.${written}`;
}

function isObject(data: unknown): data is Readonly<Record<string, unknown>> {
  return typeof data === "object" && data !== null && !Array.isArray(data);
}

function toJson(data: unknown): string {
  if (typeof data === "bigint") return data.toString();
  if (typeof data === "number" && !Number.isFinite(data)) throw new TypeError("CUE has neither infinity nor NaN");
  if (Array.isArray(data)) return `[${data.map(toJson).join(",")}]`;
  if (isObject(data)) return `{${Object.entries(data).map(([label, value]) => `${JSON.stringify(label)}:${toJson(value)}`)}}`;
  return JSON.stringify(data ?? null);
}

function describe(data: unknown): string {
  if (data === null || data === undefined) return "nothing";
  return Array.isArray(data) ? "a list" : `a ${typeof data}`;
}
