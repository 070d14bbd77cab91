// The forms that a secret's value takes in texts: as it is, line by line, in base64, hex, URLs, JSON and shell words.
import { isUtf8 } from "node:buffer";

/** A value with fewer bytes is not hidden: it would stand in every text by chance. */
export const minHidden = 4;
/** What is longer is looked for in pieces, which keeps little of a stream back. */
const maxWhole = 64;
const pieceSize = 32;
const minLine = 8;

/** What to look for, as Latin-1 texts (one character per byte), each of 4 to 64; empty for a value that is too short to be hidden. */
export function formsOf(value: Uint8Array): Set<string> {
  const whole = latin1(value);
  // Tools print the value of a file without its last newline.
  const core = whole.replace(/[\r\n]+$/, "");
  const forms = new Set<string>();
  if (core.length < minHidden) return forms;
  const add = (form: string): void => {
    for (const piece of pieces(form)) if (piece.length >= minHidden) forms.add(piece);
  };
  for (const line of lines(core)) add(line);
  for (const form of hex(core)) add(form);
  // Where each part is escaped for itself, the many ways to do it mostly agree.
  for (const part of parts(core)) for (const form of escaped(part)) add(form);
  for (const form of [...base64(core), ...base64(whole)]) {
    add(form);
    // Where a line ends within its first characters, the rest is still found.
    if (form.length <= maxWhole && form.length > 2 * minLine) add(form.slice(minLine - 1));
  }
  return forms;
}

/** Consecutive pieces of a long form; the last one overlaps the one before. What tells nothing (blanks, zeros) is left out. */
function* pieces(form: string): Generator<string> {
  if (form.length <= maxWhole) {
    yield form;
    return;
  }
  for (let at = 0; at < form.length; at += pieceSize) {
    const start = Math.min(at, form.length - pieceSize);
    const piece = form.slice(start, start + pieceSize);
    if (!/^(.)(?:\1)*(.)(?:\1|\2)*$/s.test(piece)) yield piece;
  }
}

/** A long value in parts that are escaped each for itself. Characters of several bytes stay whole. */
function* parts(core: string): Generator<string> {
  if (core.length <= maxWhole) {
    yield core;
    return;
  }
  for (let at = 0; at < core.length; ) {
    let end = Math.min(at + pieceSize, core.length);
    for (let back = 0; back < 3 && isInside(core.charCodeAt(end)); back++) end--;
    // The last one overlaps the one before: alone it may be harmless, such as the end of a key's last line.
    yield core.slice(end === core.length ? end - pieceSize : at, end);
    at = end;
  }
}

/** The second and later bytes of a character in UTF-8. */
function isInside(byte: number): boolean {
  return byte >= 0x80 && byte < 0xc0;
}

/** A value of several lines as a whole, where it is short, and its lines; a short line together with the end of the one before it. */
function* lines(core: string): Generator<string> {
  const all = core.split(/\r?\n/);
  if (all.length === 1 || core.length <= maxWhole) yield core;
  if (all.length === 1) return;
  for (const [index, line] of all.entries()) {
    if (line.trim().length >= minLine) {
      // The first and last lines of keys and certificates are no secrets, and people look for them in logs.
      if (!/^-----(BEGIN|END) [A-Z0-9 ]+-----$/.test(line.trim())) yield line.trim();
      continue;
    }
    if (line === "") continue;
    const before = index === 0 ? undefined : all[index - 1];
    const joined = before === undefined ? `${line}\n${all[1]?.slice(0, pieceSize) ?? ""}` : `${before.slice(-pieceSize)}\n${line}`;
    if (joined.length >= minLine) yield joined;
  }
}

/**
 * Base64 as it stands in the encoding of a longer text: of the characters at both ends as many as the value alone decides, at each of its
 * three alignments. base64url's `-` and `_` count as `+` and `/` in the search.
 */
function* base64(text: string): Generator<string> {
  for (const before of [0, 1, 2]) {
    const encoded = Buffer.from("\0".repeat(before) + text, "latin1")
      .toString("base64")
      .replace(/=+$/, "");
    const first = Math.ceil((before * 8) / 6);
    yield encoded.slice(first, Math.floor(((before + text.length) * 8) / 6));
    // With its last character, as it is where nothing follows.
    yield encoded.slice(first);
  }
}

function* hex(core: string): Generator<string> {
  const lower = Buffer.from(core, "latin1").toString("hex");
  yield lower;
  yield lower.toUpperCase();
}

function* escaped(core: string): Generator<string> {
  for (const words of wordsOfUrls()) {
    const url = replaced(core, words);
    yield url;
    if (!url.includes("%")) continue;
    yield url.replaceAll("%20", "+");
    yield url.replace(/%../g, (one) => one.toLowerCase());
  }
  if (!core.includes("\n")) yield core.replaceAll("'", "'\\''");
  const bytes = Buffer.from(core, "latin1");
  // What is no text cannot stand in JSON.
  if (!isUtf8(bytes)) return;
  const text = bytes.toString("utf8");
  const json = JSON.stringify(text).slice(1, -1);
  const unicode = (one: string): string => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`;
  for (const form of [json, json.replace(/[<>&]/g, unicode), json.replaceAll("/", "\\/"), json.replace(/[^\x20-\x7e]/g, unicode)]) {
    yield latin1(Buffer.from(form));
  }
}

let urlWords: readonly (readonly string[])[] | undefined;

/** What URLs have for each byte: as JavaScript, Python and forms write them. Made for the first secret, which few runs have. */
function wordsOfUrls(): readonly (readonly string[])[] {
  urlWords ??= [/[A-Za-z0-9_.!~*'()-]/, /[A-Za-z0-9_.~-]/, /[A-Za-z0-9_.~/-]/].map((keep) =>
    Array.from({ length: 256 }, (_, code) => {
      const one = String.fromCharCode(code);
      return keep.test(one) ? one : `%${code.toString(16).padStart(2, "0").toUpperCase()}`;
    }),
  );
  return urlWords;
}

function replaced(core: string, words: readonly string[]): string {
  let text = "";
  for (let index = 0; index < core.length; index++) text += words[core.charCodeAt(index)] ?? "";
  return text;
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}
