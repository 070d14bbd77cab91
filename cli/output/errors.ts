// Prints what is wrong: message, place, source line, further places, next step; as text for people and as data for programs.
import type { Diagnostic, Position, UpEvent, UpResult } from "../../engine/index.ts";
import type { ReadLine } from "./excerpt.ts";
import { excerpt, formatPosition } from "./excerpt.ts";
import { clean } from "./lines.ts";
import type { Style } from "./style.ts";
import { plural } from "./units.ts";

type Warning = Pick<Extract<UpEvent, { type: "warning" }>, "code" | "message" | "detail" | "at">;

export interface ErrorFormat {
  readonly style: Style;
  readonly columns: number;
  readonly readLine: ReadLine;
}

/** Places that are shown with their source line; a conflict seldom has more that tell something. */
const placesWithLine = 3;
const mostPlaces = 12;
const mostDiagnostics = 50;

/** The findings as text, ending with a newline. */
export function formatDiagnostics(diagnostics: readonly Diagnostic[], format: ErrorFormat): string {
  const shown = diagnostics.slice(0, mostDiagnostics).map((diagnostic) => formatDiagnostic(diagnostic, format));
  if (diagnostics.length > 1) {
    const more = diagnostics.length - shown.length;
    const rest = more > 0 ? `, ${more} not shown (--output json lists all)` : "";
    shown.push(format.style.bold(`${plural(diagnostics.length, "error")}${rest}`));
  }
  return `${shown.join("\n\n")}\n`;
}

function formatDiagnostic(diagnostic: Diagnostic, format: ErrorFormat): string {
  const { style } = format;
  const [first = "", ...rest] = diagnostic.message.split("\n").map((line) => clean(line));
  const lines = [
    `${style.bold(style.red("error"))}${style.dim(`[${diagnostic.code}]`)}: ${style.bold(first)}`,
    ...rest.map((line) => `  ${line}`),
  ];
  const places = distinct(diagnostic.at);
  const gutter = Math.max(1, ...places.slice(0, placesWithLine).map((at) => String(Math.max(0, at.line)).length)) + 1;
  for (const at of places.slice(0, placesWithLine)) lines.push(...excerpt(at, format.readLine, style, gutter, format.columns));
  const note = (label: string, text: string) => lines.push(`${" ".repeat(gutter)} ${style.blue("=")} ${label} ${text}`);
  // One place of a line is enough where the line itself is not shown.
  const others = places.filter(
    (at, i) => i < placesWithLine || places.findIndex(({ file, line }) => file === at.file && line === at.line) === i,
  );
  for (const at of others.slice(placesWithLine, mostPlaces)) note("also at", formatPosition(at));
  if (others.length > mostPlaces) note("and at", plural(others.length - mostPlaces, "more place"));
  if (diagnostic.path !== undefined && diagnostic.path !== "") note("in", clean(diagnostic.path));
  const mounts = diagnostic.step?.mounts?.filter(({ dest }) => dest !== "/") ?? [];
  if (mounts.length > 0) note("mounts:", mounts.map(mountWords).join(", "));
  if (diagnostic.hint !== undefined) {
    const [hint = "", ...more] = diagnostic.hint.split("\n").map((line) => clean(line));
    note(style.green("hint:"), hint);
    for (const line of more) lines.push(`${" ".repeat(gutter + 9)}${line}`);
  }
  return lines.join("\n");
}

type StepMount = NonNullable<NonNullable<Diagnostic["step"]>["mounts"]>[number];

/** `/token (secret token)`, `/src (bind of /app)`, `/tmp (tmpfs)`. */
function mountWords({ dest, kind, source }: StepMount): string {
  const of = source === undefined ? "" : `${kind === "bind" ? " of" : ""} ${source}`;
  return clean(`${dest} (${kind}${of})`);
}

function distinct(places: readonly Position[]): Position[] {
  const seen = new Map(places.map((at) => [`${at.file}\0${at.line}\0${at.column}`, at]));
  return [...seen.values()];
}

/** The document that `--output json` and `--output yaml` give instead of a result when a command fails. */
export interface Failure {
  readonly exit: number;
  readonly diagnostics: readonly Diagnostic[];
  /** What was finished in spite of it. */
  readonly result?: UpResult;
  /** The document that was asked for on stdout is there already. */
  readonly printed?: true;
}

/** One warning as text, ending with a newline. */
export function formatWarning({ code, message, detail, at }: Warning, style: Style): string {
  const places = distinct(at).map((place) => `    at ${formatPosition(place)}\n`);
  const details = detail.map((line) => `    ${clean(line)}\n`);
  const name = code === undefined ? "warning" : `warning[${code}]`;
  return `${style.yellow(name)}: ${clean(message)}\n${details.join("")}${places.slice(0, placesWithLine).join("")}`;
}
