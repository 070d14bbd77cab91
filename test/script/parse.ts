// Reads the script part of a txtar test: one command a line, with quotes, variables and background marks.

export interface Command {
  /** Line in the archive, from 1. */
  readonly line: number;
  readonly text: string;
  /** `!`: the command must fail; `?`: it may. */
  readonly expect: "success" | "failure" | "either";
  readonly name: string;
  readonly args: readonly Word[];
  /** `&name&` at the end: the command goes on while the script does. */
  readonly background?: string;
}

/** A word is made of pieces; variables are looked up in those that stood outside quotes, when the command runs. */
export type Word = readonly { readonly text: string; readonly quoted: boolean }[];

/** Throws an Error with the line for a quote that is never closed or a mark without a command. */
export function parseScript(script: string): Command[] {
  return script.split("\n").flatMap((text, index) => {
    const words = splitWords(text, index + 1);
    return words.length === 0 ? [] : [command(words, text.trim(), index + 1)];
  });
}

/** The word with `$NAME` and `${NAME}` replaced; a name that is not set is the author's mistake and an Error. */
export function expand(word: Word, env: Readonly<Record<string, string>>): string {
  const value = (name: string): string => {
    const found = env[name];
    if (found === undefined) throw new Error(`$${name} is not set`);
    return found;
  };
  return word
    .map(({ text, quoted }) => (quoted ? text : text.replace(/\$(?:\{(\w+)\}|(\w+))/g, (_, a?: string, b?: string) => value(a ?? b ?? ""))))
    .join("");
}

function command(words: Word[], text: string, line: number): Command {
  const plain = (word: Word | undefined): string | undefined =>
    word?.length === 1 && word[0]?.quoted === false ? word[0].text : undefined;
  const mark = plain(words[0]);
  const expect = mark === "!" ? "failure" : mark === "?" ? "either" : "success";
  const rest = expect === "success" ? words : words.slice(1);
  const background = /^&(\w+)&$/.exec(plain(rest.at(-1)) ?? "")?.[1];
  const name = plain(rest[0]);
  if (name === undefined) throw new Error(`line ${line}: a command is missing`);
  const args = rest.slice(1, background === undefined ? undefined : -1);
  return { line, text, expect, name, args, ...(background === undefined ? {} : { background }) };
}

/** Splits at blanks; '…' keeps everything as it is, and '' inside quotes is one quote; # starts a comment. */
function splitWords(text: string, line: number): Word[] {
  const words: { text: string; quoted: boolean }[][] = [];
  let word: { text: string; quoted: boolean }[] | undefined;
  for (let at = 0; at < text.length; ) {
    const rest = text.slice(at);
    const blank = /^[ \t]+/.exec(rest)?.[0];
    if (blank !== undefined) {
      word = undefined;
      at += blank.length;
      continue;
    }
    if (word === undefined) {
      if (rest.startsWith("#")) break;
      word = [];
      words.push(word);
    }
    const quoted = /^'((?:[^']|'')*)'/.exec(rest);
    const bare = /^[^ \t']+/.exec(rest)?.[0];
    if (quoted) word.push({ text: (quoted[1] ?? "").replaceAll("''", "'"), quoted: true });
    else if (bare !== undefined) word.push({ text: bare, quoted: false });
    else throw new Error(`line ${line}: a quote is never closed`);
    at += quoted?.[0].length ?? bare?.length ?? 1;
  }
  return words;
}
