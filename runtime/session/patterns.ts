// Include and exclude patterns as BuildKit and .dockerignore know them: `*`, `?`, `[a-z]`, `\`, `**`, and `!` for exceptions.
// The peer is github.com/moby/patternmatcher: results must be equal, or the client would send other files than `docker build` does.

/** One pattern. `text` is cleaned and without its `!`. */
interface Pattern {
  readonly text: string;
  readonly exception: boolean;
  readonly test: (path: string) => boolean;
}

/** Which patterns matched a directory: what is below it need not be matched against those again. */
export type Matched = readonly boolean[];

/** Thrown for a pattern that cannot be read. */
export class PatternError extends Error {
  readonly pattern: string;

  constructor(pattern: string, why: string) {
    super(`the pattern ${JSON.stringify(pattern)} is wrong: ${why}`);
    this.name = "PatternError";
    this.pattern = pattern;
  }
}

export class Matcher {
  readonly #patterns: readonly Pattern[];
  /** The plain directory prefix of each pattern that could match something below a directory, see `mayMatchBelow`. */
  readonly #plain: boolean;
  readonly #exceptionsPlain: boolean;

  /** Throws PatternError. Empty patterns are ignored. */
  constructor(patterns: readonly string[]) {
    this.#patterns = patterns
      .map((p) => p.trim())
      .filter((p) => p !== "")
      .map(parsePattern);
    this.#plain = this.#patterns.every((p) => p.exception || isPlain(p.text));
    this.#exceptionsPlain = this.#patterns.every((p) => !p.exception || isPlain(p.text));
  }

  get hasExceptions(): boolean {
    return this.#patterns.some((p) => p.exception);
  }

  /** Whether a slash-separated path matches. `parent` is what `hits` gave for its directory; leave it out at the top. */
  matches(path: string, parent?: Matched): boolean {
    let matched = false;
    for (let n = 0; n < this.#patterns.length; n++) {
      const pattern = this.#patterns[n] as Pattern;
      if (hit(pattern, path, matched, parent?.[n])) matched = !pattern.exception;
    }
    return matched;
  }

  /** Which patterns match a directory, for what is below it. Files have no need of the list, and most paths are files. */
  hits(path: string, parent?: Matched): Matched {
    let matched = false;
    return this.#patterns.map((pattern, n) => {
      const isHit = hit(pattern, path, matched, parent?.[n]);
      if (isHit) matched = !pattern.exception;
      return isHit;
    });
  }

  /** Matches a path without knowing what matched its directories. */
  matchWithParents(path: string): boolean {
    let info: Matched | undefined;
    let end = path.indexOf("/");
    for (; end !== -1; end = path.indexOf("/", end + 1)) info = this.hits(path.slice(0, end), info);
    return this.matches(path, info);
  }

  /** For include patterns: false when nothing below `dir`, which did not match, can match. */
  mayMatchBelow(dir: string): boolean {
    return !this.#plain || this.#patterns.some((p) => !p.exception && `${plainPrefix(p.text)}/`.startsWith(`${dir}/`));
  }

  /** For exclude patterns: false when everything below `dir`, which did match, matches too. */
  mayExceptBelow(dir: string): boolean {
    if (!this.hasExceptions) return !this.#exceptionsPlain;
    return !this.#exceptionsPlain || this.#patterns.some((p) => p.exception && `${plainPrefix(p.text)}/`.startsWith(`${dir}/`));
  }
}

/** `matched` is what those before it say. A pattern that could not change the outcome is not tried. */
function hit(pattern: Pattern, path: string, matched: boolean, inParent: boolean | undefined): boolean {
  return inParent === true || (pattern.exception === matched && pattern.test(path));
}

function parsePattern(raw: string): Pattern {
  let text = cleanPath(raw);
  const exception = text.startsWith("!");
  if (exception) text = text.slice(1);
  if (text === "") throw new PatternError(raw, "nothing follows the !");
  checkSyntax(raw, text);
  return { text, exception, test: compile(raw, text) };
}

/** Go's path.Clean: no double slashes, no `.`, `..` resolved where it can be, no slash at the end. */
export function cleanPath(path: string): string {
  const rooted = path.startsWith("/");
  const out: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") out.push(part);
    else if (out.length > 0 && out.at(-1) !== "..") out.pop();
    else if (!rooted) out.push("..");
  }
  return (rooted ? "/" : "") + out.join("/") || (rooted ? "/" : ".");
}

const trailingGlob = /\/\*\*?$/;

function plainPrefix(text: string): string {
  return text.endsWith("/**") ? text.slice(0, -3).replace(/\/\*$/, "") : text.replace(trailingGlob, "");
}

function isPlain(text: string): boolean {
  return !/[*[\]?^\\]/.test(plainPrefix(text));
}

/** The syntax that Go's filepath.Match accepts. */
function checkSyntax(raw: string, text: string): void {
  const chars = [...text];
  for (let i = 0; i < chars.length; i++) {
    if (chars[i] === "\\") {
      if (++i >= chars.length) throw new PatternError(raw, "it ends with a \\");
    } else if (chars[i] === "[") i = checkClass(raw, chars, i + 1);
  }
}

function checkClass(raw: string, chars: readonly string[], start: number): number {
  let at = start;
  const unclosed = new PatternError(raw, "a [ is not closed");
  const member = (): void => {
    if (chars[at] === "\\") at++;
    else if (chars[at] === "-" || chars[at] === "]")
      throw new PatternError(raw, `a ${chars[at] as string} inside [] must be written with a \\`);
    if (++at >= chars.length) throw unclosed;
  };
  if (chars[at] === "^") at++;
  for (let ranges = 0; ; ranges++) {
    if (at >= chars.length) throw unclosed;
    if (chars[at] === "]" && ranges > 0) return at;
    member();
    if (chars[at] === "-") {
      at++;
      member();
    }
  }
}

/** Chooses the cheapest test that does what the pattern says. */
function compile(raw: string, text: string): (path: string) => boolean {
  const inner = text.startsWith("**") ? text.slice(2) : text;
  const special = /[*?[\]\\]/;
  if (!special.test(text)) return (path) => path === text;
  if (text.startsWith("**") && inner !== "" && inner !== "/" && !special.test(inner)) {
    if (!inner.startsWith("/")) return (path) => path.endsWith(inner);
    return (path) => path.endsWith(inner) || path === inner.slice(1);
  }
  if (text.endsWith("**") && !special.test(text.slice(0, -2))) {
    const prefix = text.slice(0, -2);
    return (path) => path.startsWith(prefix);
  }
  try {
    const expression = new RegExp(`^${toExpression(text)}$`, "u");
    const ending = /^\*\*\/\*([^*?[\]\\/]+)$/.exec(text)?.[1];
    // `**/*.go`: most files are told apart by their last letters.
    return ending === undefined ? (path) => expression.test(path) : (path) => path.endsWith(ending) && expression.test(path);
  } catch {
    throw new PatternError(raw, "it cannot be matched");
  }
}

function toExpression(text: string): string {
  const chars = [...text];
  let out = "";
  let inClass = false;
  for (let i = 0; i < chars.length; i++) {
    const char = chars[i] as string;
    if (char === "\\") out += quote(chars[++i] ?? "\\");
    else if (inClass) {
      inClass = char !== "]";
      out += char === "[" ? "\\[" : char;
    } else if (char === "[") {
      inClass = true;
      out += char;
    } else if (char === "*" && chars[i + 1] === "*") {
      i++;
      if (chars[i + 1] === "/") i++;
      out += i + 1 >= chars.length ? "[^\\n]*" : "(?:[^\\n]*/)?"; // `**` takes any number of directories, also none
    } else if (char === "*") out += "[^/]*";
    else if (char === "?") out += "[^/]";
    else out += quote(char);
  }
  return out;
}

function quote(char: string): string {
  return /[\^$\\.*+?()[\]{}|/]/.test(char) ? `\\${char}` : char === "-" ? "\\x2d" : char;
}
