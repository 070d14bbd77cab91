// How many columns a text takes in a terminal, and cutting it to fit. No table library: the ranges below are what terminals agree on.

/** Made when it is needed: what Unicode says takes V8 longer to compile than many a module. */
let zeroWidth: RegExp | undefined;
const onlyAscii = /^[\x20-\x7e]*$/;

const wide: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x231a, 0x231b],
  [0x23e9, 0x23ec],
  [0x2e80, 0x303e],
  [0x3041, 0xa4cf],
  [0xa960, 0xa97c],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x1f300, 0x1f64f],
  [0x1f680, 0x1f6ff],
  [0x1f900, 0x1faff],
  [0x20000, 0x3fffd],
];

function charWidth(char: string): number {
  const code = char.codePointAt(0) ?? 0;
  if (code < 0x20 || code === 0x7f) return 0;
  if (code < 0x300) return 1;
  zeroWidth ??= /^[\p{Mn}\p{Me}\p{Cf}]$/u;
  if (zeroWidth.test(char)) return 0;
  return wide.some(([from, to]) => code >= from && code <= to) ? 2 : 1;
}

/** Columns of a text without control sequences. */
export function width(text: string): number {
  if (onlyAscii.test(text)) return text.length;
  let columns = 0;
  for (const char of text) columns += charWidth(char);
  return columns;
}

/** Rows that a text without control sequences takes where it is wrapped; a wide character is not cut in two. */
export function wrappedRows(text: string, columns: number): number {
  if (onlyAscii.test(text)) return Math.max(1, Math.ceil(text.length / columns));
  let rows = 1;
  let used = 0;
  for (const char of text) {
    const next = charWidth(char);
    if (used + next > columns) {
      rows++;
      used = 0;
    }
    used += next;
  }
  return rows;
}

/** The text, cut to at most `columns` columns; a cut is shown as `…`. */
export function truncate(text: string, columns: number): string {
  if (columns <= 0) return "";
  if (onlyAscii.test(text)) return text.length <= columns ? text : `${text.slice(0, columns - 1)}…`;
  if (width(text) <= columns) return text;
  let used = 0;
  let kept = "";
  for (const char of text) {
    const next = charWidth(char);
    if (used + next > columns - 1) break;
    used += next;
    kept += char;
  }
  return `${kept}…`;
}

/** Tabs as the spaces a terminal would show. */
export function expandTabs(text: string): string {
  if (!text.includes("\t")) return text;
  let shown = "";
  for (const part of text.split(/(\t)/)) shown += part === "\t" ? " ".repeat(8 - (width(shown) % 8)) : part;
  return shown;
}
