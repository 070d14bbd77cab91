// Cuts a process's output, which arrives in arbitrary pieces, into lines that are safe to show in a terminal.

/** A line without newline is cut here: some programs write megabytes without one. */
export const longestLine: number = 64 * 1024;

/**
 * Splits bytes into lines. Pieces may end anywhere, also inside a UTF-8 character or between CR and LF. A lone carriage
 * return starts the line again, as in a terminal: of a progress bar only the last state is kept.
 */
export class LineSplitter {
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  #line = "";
  /** A carriage return was the last character: the next one decides what it means. */
  #returned = false;

  /** The lines that are complete now, without their newline. */
  push(data: Uint8Array): string[] {
    return this.#take(this.#decoder.decode(data, { stream: true }));
  }

  /** What is left when the output ends. */
  end(): string[] {
    const lines = this.#take(this.#decoder.decode());
    if (this.#line !== "") lines.push(this.#line);
    this.#line = "";
    this.#returned = false;
    return lines;
  }

  /** The line that is still being written. */
  get partial(): string {
    return this.#line;
  }

  #take(text: string): string[] {
    const lines: string[] = [];
    for (const part of text.split(/([\r\n])/)) {
      if (part === "") continue;
      if (part === "\n") {
        lines.push(this.#line);
        this.#line = "";
        this.#returned = false;
      } else if (part === "\r") {
        this.#returned = true;
      } else {
        this.#append(part, lines);
      }
    }
    return lines;
  }

  #append(part: string, lines: string[]): void {
    this.#line = this.#returned ? part : this.#line + part;
    this.#returned = false;
    while (this.#line.length > longestLine) {
      lines.push(this.#line.slice(0, longestLine));
      this.#line = this.#line.slice(longestLine);
    }
  }
}

// A log may hold anything: what could move the cursor, retitle the window or answer as a keyboard is taken out.
// The patterns are built from code points so that no control character stands in this file.
const esc = String.fromCharCode(0x1b);
const introducer = (seven: string, eight: string): string => `(?:${esc}${seven}|${eight})`;
/** OSC, DCS, SOS, PM, APC: a string up to BEL or ST; one that never ends takes the rest of the line with it. */
const strings = new RegExp(
  `${introducer("[\\]PX^_]", "[\\u0090\\u0098\\u009d-\\u009f]")}[^\\u0007\\u009c${esc}]*(?:\\u0007|\\u009c|${esc}\\\\|(?=${esc})|$)`,
  "g",
);
const csi = new RegExp(`${introducer("\\[", "\\u009b")}([0-?]*)([ -/]*)([@-~]|$)`, "g");
const escapes = new RegExp(`${esc}[ -/]*(?:[0-~]|$)`, "g");
/** C0 without tab, DEL, C1, and the marks that reorder text. */
const controls = /[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
const suspicious = /[^\t\x20-\x7e\xa0-\u061b\u061d-\u200d\u2010-\u2029\u202f-\u2065\u206a-\uffff]/;

/** The line without anything that a terminal would act on; colours are kept when `colour` is set, and end with the line. */
export function clean(line: string, colour: boolean = false): string {
  if (!suspicious.test(line)) return line;
  let coloured = false;
  const kept: string[] = [];
  const marked = line.replace(strings, "").replace(csi, (_, parameters: string, middle: string, final: string) => {
    if (!colour || final !== "m" || middle !== "" || !/^[0-9;:]*$/.test(parameters)) return "";
    coloured = true;
    kept.push(`${esc}[${parameters}m`);
    // A private-use mark stands for the colour while the rest is cleaned.
    return mark;
  });
  let index = 0;
  let text = marked.replace(escapes, "");
  if (text.includes("\b")) text = eraseBackwards(text);
  text = text.replace(controls, "");
  if (!coloured) return text;
  return `${text.replace(marks, () => kept[index++] ?? "")}${esc}[0m`;
}

const mark = "\u{f8ff0}";
const marks = /\u{f8ff0}/gu;

/** Applies backspaces, with which man pages and spinners write over what they wrote. */
function eraseBackwards(text: string): string {
  const chars: string[] = [];
  for (const char of text) {
    if (char === "\b") chars.pop();
    else chars.push(char);
  }
  return chars.join("");
}
