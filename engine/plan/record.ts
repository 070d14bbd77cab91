// What a run left behind: its progress as JSON lines (`dagger up --progress json 2> FILE`), read back by step.
import { readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { inputError } from "../../compiler/index.ts";

/** How a step of a run ended; `waiting` for one that the run never came to. */
export type StepState = "waiting" | "started" | "cached" | "done" | "error" | "canceled";

/** One step of a run. Times are milliseconds since 1970. */
export interface RecordedStep {
  readonly digest: string;
  readonly name: string;
  readonly component: string;
  /** The first pass that it was part of. */
  readonly pass: number;
  readonly state: StepState;
  readonly started?: number;
  readonly completed?: number;
  readonly error?: string;
  /** What its processes wrote, oldest first, without the codes of terminals; the end of it where that was too long. */
  readonly log: string;
  /** Characters of the log that are left out at its beginning. */
  readonly cut: number;
}

/** One run. Times are milliseconds since 1970; 0 when the record has no line that tells them. */
export interface RunRecord {
  readonly began: number;
  readonly ended: number;
  /** As the last line has it: done, failed or canceled; undefined for a run that was killed or still goes on. */
  readonly outcome?: string;
  /** For each pass but the first, the values that CUE waited for. */
  readonly passes: readonly (readonly string[])[];
  /** In the order in which they became known. */
  readonly steps: readonly RecordedStep[];
}

/** Characters of one step's log that are kept. */
export const longestLog = 65_536;

type Line = Readonly<Record<string, unknown>>;
type Growing = { -readonly [Key in keyof RecordedStep]: RecordedStep[Key] };

/** Reads the record in a file; relative paths start at `cwd`. Throws UserError (2) `bad-run-record`. */
export async function readRecord(path: string, cwd: string): Promise<RunRecord> {
  const file = resolve(cwd, path);
  try {
    if ((await stat(file)).isDirectory()) throw new Error("it is a directory");
    return parseRecord(await readFile(file, "utf8"), path);
  } catch (error) {
    if (!(error instanceof Error) || error.name === "UserError" || "diagnostics" in error) throw error;
    throw bad(`Cannot read the run in ${path}: ${error.message}`);
  }
}

/** Reads JSON lines; `name` is what messages call them. Only the last line may be incomplete: then the run was killed. */
export function parseRecord(text: string, name: string): RunRecord {
  const lines = text.split("\n");
  const steps = new Map<string, Growing>();
  const passes: (readonly string[])[] = [];
  const run: { began: number; ended: number; outcome?: string } = { began: 0, ended: 0 };
  for (const [index, raw] of lines.entries()) {
    if (raw.trim() === "") continue;
    const line = parseLine(raw);
    if (line === undefined && index === lines.length - 1) break;
    if (line === undefined) throw bad(`Line ${index + 1} of ${name} is no progress of a run`);
    if (typeof line["time"] === "number") {
      run.began = run.began === 0 ? line["time"] : Math.min(run.began, line["time"]);
      run.ended = Math.max(run.ended, line["time"]);
    }
    if (line["type"] === "pass" && Array.isArray(line["because"])) passes.push(line["because"].map(String));
    else if (line["type"] === "end" && typeof line["outcome"] === "string") run.outcome = line["outcome"];
    else takeStep(line, steps, passes.length + 1);
  }
  if (run.began === 0) throw bad(`There is no run in ${name}`);
  return { ...run, passes, steps: [...steps.values()].map(finished) };
}

function parseLine(raw: string): Line | undefined {
  try {
    const line = JSON.parse(raw) as unknown;
    return typeof line === "object" && line !== null && typeof (line as Line)["type"] === "string" ? (line as Line) : undefined;
  } catch {
    return undefined;
  }
}

function takeStep(line: Line, steps: Map<string, Growing>, pass: number): void {
  if (line["type"] === "plan" && Array.isArray(line["steps"])) {
    for (const step of line["steps"] as unknown[]) known(step, steps, pass);
    return;
  }
  const step = known(line["step"], steps, pass);
  if (step === undefined) return;
  if (line["type"] === "log" && typeof line["text"] === "string") addLog(step, line["text"]);
  if (line["type"] !== "step" || !isState(line["state"])) return;
  step.state = line["state"];
  // An image goes on when its layers are needed: it began when it first did.
  if (typeof line["started"] === "number") step.started ??= line["started"];
  if (typeof line["completed"] === "number") step.completed = line["completed"];
  if (typeof line["error"] === "string") step.error = line["error"];
}

function known(reference: unknown, steps: Map<string, Growing>, pass: number): Growing | undefined {
  if (typeof reference !== "object" || reference === null) return undefined;
  const { digest, name = "", component = "" } = reference as Line;
  if (typeof digest !== "string") return undefined;
  const before = steps.get(digest);
  if (before !== undefined) return before;
  const step: Growing = { digest, name: String(name), component: String(component), pass, state: "waiting", log: "", cut: 0 };
  steps.set(digest, step);
  return step;
}

function isState(state: unknown): state is StepState {
  return ["started", "cached", "done", "error", "canceled"].includes(String(state));
}

/** Twice the length is held before it is cut, so that a long log is not copied for every piece. */
function addLog(step: Growing, text: string): void {
  step.log += text;
  if (step.log.length > 2 * longestLog) cut(step);
}

function cut(step: Growing): void {
  const over = step.log.length - longestLog;
  if (over <= 0) return;
  step.cut += over;
  step.log = step.log.slice(over);
}

function finished(step: Growing): RecordedStep {
  cut(step);
  // Colours and cursor moves, and all but the last state of a line that is drawn again and again.
  const log = step.log
    .replace(/\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[@-_])/g, "")
    .replace(/\r\n/g, "\n")
    .replace(/[^\n]*\r/g, "");
  return { ...step, log };
}

function bad(message: string): Error {
  return inputError({
    code: "bad-run-record",
    message,
    at: [],
    hint: "Make one with `dagger up --progress json 2> run.jsonl`",
  });
}
