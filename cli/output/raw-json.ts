// Progress as BuildKit's own tools print it with `--progress rawjson`: one SolveStatus per line, with the names and types of Go's client.
import type { UpEvent } from "../../engine/index.ts";
import type { Out } from "../io.ts";
import type { ProgressPrinter } from "./progress.ts";

type Status = Extract<UpEvent, { type: "solve" }>["status"];
type Vertex = Status["vertexes"][number];
type Warning = Status["warnings"][number];

export class RawJsonProgress implements ProgressPrinter {
  readonly #out: Out;

  constructor(out: Out) {
    this.#out = out;
  }

  event(event: UpEvent): void {
    if (event.type === "solve") this.#line(solveStatus(event.status));
    // dagger's own have no vertex.
    else if (event.type === "warning" && event.fromDaemon !== true) {
      const { code = "", message, detail } = event;
      // The code is no field of BuildKit's; who does not know it leaves it out.
      this.#line({ warnings: [{ ...some({ code }), short: base64(message), ...list("detail", detail.map(base64)) }] });
    }
  }

  finish(): void {
    // Go's client says nothing at the end either.
  }

  #line(status: object): void {
    if (Object.keys(status).length > 0) this.#out.write(`${JSON.stringify(status)}\n`);
  }
}

/** What Go calls `omitempty` is left out here, too; the order is that of its structs. */
function solveStatus({ vertexes, statuses, logs, warnings }: Status): object {
  return {
    ...list("vertexes", vertexes.map(vertexJson)),
    ...list(
      "statuses",
      statuses.map(({ id, vertex, name, total, current, time, started, completed }) => ({
        id,
        ...some({ vertex, name, total }),
        current,
        timestamp: timeJson(time),
        ...times({ started, completed }),
      })),
    ),
    ...list(
      "logs",
      logs.map(({ vertex, stream, data, time }) => ({ ...some({ vertex, stream }), data: base64(data), timestamp: timeJson(time) })),
    ),
    ...list("warnings", warnings.map(warningJson)),
  };
}

function vertexJson({ digest, inputs, name, started, completed, cached, error, group }: Vertex): object {
  return {
    ...some({ digest }),
    ...list("inputs", inputs),
    ...some({ name }),
    ...times({ started, completed }),
    ...some({ cached, error }),
    ...(group === undefined ? {} : { progressGroup: some({ id: group.id, name: group.name, weak: group.weak }) }),
  };
}

function warningJson({ vertex, level, short, detail, url, file, ranges }: Warning): object {
  return {
    ...some({ vertex, level, short: base64(short) }),
    ...list("detail", detail.map(base64)),
    ...some({ url }),
    ...(file === undefined ? {} : { sourceInfo: some({ filename: file.filename, data: base64(file.data), language: file.language }) }),
    ...list(
      "range",
      ranges.map(({ start, end }) => ({
        start: some({ line: start.line, character: start.character }),
        end: some({ line: end.line, character: end.character }),
      })),
    ),
  };
}

/** Without what is empty: "", 0 and false. */
function some(fields: Readonly<Record<string, string | number | boolean>>): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== "" && value !== 0 && value !== false));
}

function list(name: string, items: readonly unknown[]): object {
  return items.length === 0 ? {} : { [name]: items };
}

function times({ started, completed }: { started: number | undefined; completed: number | undefined }): object {
  return {
    ...(started === undefined ? {} : { started: timeJson(started) }),
    ...(completed === undefined ? {} : { completed: timeJson(completed) }),
  };
}

/** RFC 3339 with microseconds: a number of milliseconds since 1970 holds no more. */
function timeJson(ms: number): string {
  const micros = Math.round(ms * 1000);
  const seconds = Math.floor(micros / 1e6);
  const fraction = String(micros - seconds * 1e6)
    .padStart(6, "0")
    .replace(/0+$/, "");
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}${fraction === "" ? "" : `.${fraction}`}Z`;
}

function base64(data: Uint8Array | string): string {
  return (typeof data === "string" ? Buffer.from(data) : Buffer.from(data.buffer, data.byteOffset, data.byteLength)).toString("base64");
}
