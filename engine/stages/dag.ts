// Reads betterform_dag.mk: which stages there are, and which each comes after. Of GNU make it knows what such files have: calls of define_stage
// and dag_deps, comments, lines that go on after a backslash, and variables that are set and used as lists of names.
import { type Diagnostic, inputError, type Position } from "../../compiler/index.ts";

export interface DagStage {
  readonly name: string;
  readonly after: readonly string[];
  readonly at: Position;
}

/** `file` is named in messages. Throws UserError (2) with everything that is wrong in it. */
export function readDag(text: string, file: string): readonly DagStage[] {
  return new DagReader(file).read(text);
}

interface Call {
  readonly macro: string;
  readonly args: readonly string[];
  readonly at: Position;
}

class DagReader {
  readonly #file: string;
  readonly #problems: Diagnostic[] = [];
  readonly #variables = new Map<string, string>();
  readonly #stages = new Map<string, { readonly after: Set<string>; readonly at: Position }>();
  readonly #mentioned = new Map<string, Position>();

  constructor(file: string) {
    this.#file = file;
  }

  read(text: string): DagStage[] {
    for (const { text: line, number } of logicalLines(text)) this.#line(line, number);
    for (const [name, at] of this.#mentioned) {
      if (this.#stages.has(name)) continue;
      this.#problem(at, "unknown-stage", `Stage ${name} is not defined`, `Add a line for it: $(call define_stage, ${name}, )`);
    }
    if (this.#problems.length > 0) throw inputError(...this.#problems);
    return [...this.#stages].map(([name, { after, at }]) => ({ name, after: [...after], at }));
  }

  #line(line: string, number: number): void {
    const at = (column: number): Position => ({ file: this.#file, line: number, column: column + 1 });
    if (line.trim() === "") return;
    const set = /^\s*([\w.-]+)\s*(\+?=|::?=|\?=)(.*)$/.exec(line);
    if (set !== null) {
      const [, name = "", how, value = ""] = set;
      const before = this.#variables.get(name);
      if (how === "?=" && before !== undefined) return;
      this.#variables.set(name, how === "+=" ? `${before ?? ""} ${this.#expand(value, at(0))}` : this.#expand(value, at(0)));
      return;
    }
    const place = at(line.search(/\S/));
    const [, macro, rest] = /^\s*\$[({](?:eval\s+\$[({])?call\s+([\w-]+)\s*,(.*?)[)}]+\s*$/.exec(this.#expand(line, place)) ?? [];
    if (macro === undefined || rest === undefined) {
      const hint = "A line is a comment, sets a variable, or calls define_stage: $(call define_stage, NAME, STAGES BEFORE)";
      this.#problem(place, "bad-dag", `Cannot read ${JSON.stringify(line.trim())}`, hint);
      return;
    }
    this.#call({ macro, args: rest.split(","), at: place });
  }

  #call({ macro, args, at }: Call): void {
    const [first = "", second = "", ...more] = args.map((arg) => arg.trim());
    const [names, needs] = [first, second].map((arg) => arg.split(/\s+/).filter((name) => name !== "")) as [string[], string[]];
    if (macro !== "define_stage" && macro !== "dag_deps") {
      this.#problem(at, "bad-dag", `There is no macro ${macro} for stages`, "Use define_stage, or dag_deps");
      return;
    }
    if (names.length === 0 || more.length > 0 || (macro === "define_stage" && names.length > 1)) {
      const hint = macro === "define_stage" ? "$(call define_stage, NAME, STAGES BEFORE)" : "$(call dag_deps, NAMES, STAGES BEFORE)";
      this.#problem(
        at,
        "bad-dag",
        `${macro} takes ${macro === "define_stage" ? "one name" : "names"} and the stages before`,
        `Write ${hint}`,
      );
      return;
    }
    for (const name of names) {
      const known = this.#stages.get(name);
      if (macro === "define_stage" && known !== undefined) {
        this.#problem(at, "bad-dag", `Stage ${name} is defined a second time; first in line ${known.at.line}`, "Take one of them out");
        continue;
      }
      this.#stages.set(name, { at: known?.at ?? at, after: new Set([...(known?.after ?? []), ...needs]) });
    }
    for (const need of needs) {
      // What dag_deps names is a stage by that.
      if (macro === "dag_deps" && !this.#stages.has(need)) this.#stages.set(need, { at, after: new Set() });
      this.#mentioned.set(need, this.#mentioned.get(need) ?? at);
    }
  }

  #expand(text: string, at: Position): string {
    return text.replace(/\$[({]([\w.-]+)[)}]/g, (_whole, name: string) => {
      const value = this.#variables.get(name);
      if (value === undefined) this.#problem(at, "bad-dag", `The variable ${name} has no value here`, "Set it above, or write the names");
      return value ?? "";
    });
  }

  #problem(at: Position, code: "bad-dag" | "unknown-stage", message: string, hint: string): void {
    this.#problems.push({ code, message, at: [at], hint });
  }
}

/** Lines with what follows them after a backslash, without comments; each with the number of its first line. */
function logicalLines(text: string): { readonly text: string; readonly number: number }[] {
  const lines: { text: string; number: number }[] = [];
  let begun: { text: string; number: number } | undefined;
  text.split(/\r?\n/).forEach((line, index) => {
    const whole: { text: string; number: number } =
      begun === undefined ? { text: line, number: index + 1 } : { ...begun, text: `${begun.text} ${line.trimStart()}` };
    // An even number of backslashes is backslashes, as make reads them.
    begun = /(^|[^\\])(\\\\)*\\$/.test(line) ? { ...whole, text: whole.text.slice(0, -1) } : undefined;
    if (begun === undefined) lines.push(whole);
  });
  if (begun !== undefined) lines.push(begun);
  return lines.map(({ text, number }) => ({ text: text.replace(/(^|[^\\])#.*$/, "$1"), number }));
}
