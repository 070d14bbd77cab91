// The differences of two texts, as `diff -u` writes them.

/** Lines around a change that are shown with it. */
const AROUND = 3;
/** Beyond so many changed lines nobody looks for the shortest difference: all lines are shown as changed. */
const MOST = 2000;

/** ` ` in both, `-` only before, `+` only after. */
interface Line {
  readonly mark: " " | "-" | "+";
  readonly text: string;
}

/** Empty when the texts are the same. `names` are what the two are called where that is not FILE.orig and FILE. */
export function unifiedDiff(
  file: string,
  before: string,
  after: string,
  names: readonly [string, string] = [`${file}.orig`, file],
): string {
  const lines = compare(split(before), split(after));
  const hunks = group(lines);
  if (hunks.length === 0) return "";
  return `--- ${names[0]}\n+++ ${names[1]}\n${hunks.map((hunk) => writeHunk(lines, hunk)).join("")}`;
}

/** Each with its line break, so that a missing last one is a difference. */
function split(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

/** The shortest way from one list of lines to the other (E. Myers, "An O(ND) difference algorithm"). */
function compare(a: readonly string[], b: readonly string[]): Line[] {
  const trail: Map<number, number>[] = [];
  let reached = new Map<number, number>([[1, 0]]);
  for (let d = 0; d <= MOST; d++) {
    trail.push(reached);
    const next = new Map<number, number>();
    for (let k = -d; k <= d; k += 2) {
      let x = isDown(reached, k, d) ? (reached.get(k + 1) ?? 0) : (reached.get(k - 1) ?? 0) + 1;
      if (x > a.length || x - k > b.length) {
        // Off the edge: nothing further this way.
        next.set(k, x);
        continue;
      }
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++;
      next.set(k, x);
      if (x >= a.length && x - k >= b.length) return walkBack(trail, a, b, d);
    }
    reached = next;
  }
  return [...a.map((text): Line => ({ mark: "-", text })), ...b.map((text): Line => ({ mark: "+", text }))];
}

function isDown(reached: ReadonlyMap<number, number>, k: number, d: number): boolean {
  return k === -d || (k !== d && (reached.get(k - 1) ?? -1) < (reached.get(k + 1) ?? -1));
}

function walkBack(trail: readonly ReadonlyMap<number, number>[], a: readonly string[], b: readonly string[], steps: number): Line[] {
  const lines: Line[] = [];
  let [x, y] = [a.length, b.length];
  for (let d = steps; d >= 0; d--) {
    const reached = trail[d] ?? new Map<number, number>();
    const k = x - y;
    const from = isDown(reached, k, d) ? k + 1 : k - 1;
    const fromX = d === 0 ? 0 : (reached.get(from) ?? 0);
    const fromY = d === 0 ? 0 : fromX - from;
    while (x > fromX && y > fromY) {
      lines.push({ mark: " ", text: a[--x] ?? "" });
      y--;
    }
    if (d === 0) break;
    if (x === fromX) lines.push({ mark: "+", text: b[--y] ?? "" });
    else lines.push({ mark: "-", text: a[--x] ?? "" });
  }
  return lines.reverse();
}

/** Ranges of lines: changes that are near each other, with what is around them. */
function group(lines: readonly Line[]): { from: number; to: number }[] {
  const hunks: { from: number; to: number }[] = [];
  for (const [index, { mark }] of lines.entries()) {
    if (mark === " ") continue;
    const [from, to] = [Math.max(0, index - AROUND), Math.min(lines.length, index + AROUND + 1)];
    const last = hunks.at(-1);
    if (last !== undefined && from <= last.to) last.to = to;
    else hunks.push({ from, to });
  }
  return hunks;
}

function writeHunk(lines: readonly Line[], { from, to }: { readonly from: number; readonly to: number }): string {
  const count = (range: readonly Line[], mark: "-" | "+"): number => range.filter((line) => line.mark === " " || line.mark === mark).length;
  const [above, shown] = [lines.slice(0, from), lines.slice(from, to)];
  const span = (mark: "-" | "+"): string => {
    const length = count(shown, mark);
    const start = count(above, mark) + (length === 0 ? 0 : 1);
    return length === 1 ? `${start}` : `${start},${length}`;
  };
  const body = shown.map(({ mark, text }) => `${mark}${text.endsWith("\n") ? text : `${text}\n\\ No newline at end of file\n`}`);
  return `@@ -${span("-")} +${span("+")} @@\n${body.join("")}`;
}
