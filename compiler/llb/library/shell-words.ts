// Splits a command line as a shell does, without expanding anything.
import { invalid } from "./options.ts";

/**
 * The words of a command line: quotes and backslashes as in a shell, `#` at the start of a word begins a comment. For arguments of
 * `State.run`. Throws UserError `llb-invalid` for a quote that is not closed.
 */
export function shellWords(line: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let rest = line;
  for (let token = next(rest, word === undefined); token !== undefined; token = next(rest, word === undefined)) {
    rest = rest.slice(token.length);
    if (token.kind === "text") word = (word ?? "") + token.text;
    else if (word !== undefined) {
      words.push(word);
      word = undefined;
    }
  }
  if (rest !== "") throw invalid(`Cannot split ${JSON.stringify(line)}: a quote or backslash at its end is open`);
  return word === undefined ? words : [...words, word];
}

type Token = { readonly kind: "text"; readonly text: string; readonly length: number } | { readonly kind: "gap"; readonly length: number };

/** The next piece; undefined at the end, or when what is there does not end. */
function next(rest: string, between: boolean): Token | undefined {
  const gap = (between ? /^(?:[ \t\r\n]+|#[^\n]*)/ : /^[ \t\r\n]+/).exec(rest)?.[0];
  if (gap !== undefined) return { kind: "gap", length: gap.length };
  const text = (match: RegExpExecArray, value: string): Token => ({ kind: "text", text: value, length: match[0].length });
  const plain = (between ? /^[^ \t\r\n"'\\#][^ \t\r\n"'\\]*/ : /^[^ \t\r\n"'\\]+/).exec(rest);
  if (plain !== null) return text(plain, plain[0]);
  const single = /^'([^']*)'/.exec(rest);
  if (single !== null) return text(single, single[1]!);
  const double = /^"((?:[^"\\]|\\[\s\S])*)"/.exec(rest);
  if (double !== null) return text(double, double[1]!.replace(/\\([\s\S])/g, "$1"));
  const escaped = /^\\([\s\S])/u.exec(rest);
  return escaped === null ? undefined : text(escaped, escaped[1]!);
}
