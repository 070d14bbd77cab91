// A failure as text for people, with the lines that it is about.
import { type Io, wantsColour } from "../io.ts";
import { type Failure, formatDiagnostics } from "./errors.ts";
import { createLineReader } from "./excerpt.ts";
import { createStyle } from "./style.ts";

export function formatFailure(failure: Failure, io: Io): string {
  const style = createStyle(wantsColour(io.stderr, io.env));
  const columns = io.stderr.isTTY ? io.stderr.size().columns : 160;
  return formatDiagnostics(failure.diagnostics, { style, columns, readLine: createLineReader(io.cwd) });
}
