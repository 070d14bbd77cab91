// Splitting and cleaning of logs, with pieces cut anywhere and content that means harm.
import assert from "node:assert/strict";
import { test } from "node:test";
import { clean, LineSplitter, longestLine } from "./lines.ts";

function split(...pieces: (string | Uint8Array)[]): string[] {
  const splitter = new LineSplitter();
  const lines = pieces.flatMap((piece) => splitter.push(Buffer.from(piece as string)));
  return [...lines, ...splitter.end()];
}

test("lines end at a newline, whatever the pieces", () => {
  assert.deepEqual(split("a\nb", "c\n\nd"), ["a", "bc", "", "d"]);
  assert.deepEqual(split("a\n"), ["a"]);
  assert.deepEqual(split(""), []);
});

test("CR LF is one line end, also when it is cut in two pieces", () => {
  assert.deepEqual(split("a\r\nb\r", "\nc"), ["a", "b", "c"]);
});

test("a lone carriage return starts the line again", () => {
  assert.deepEqual(split("10%\r50%\r", "100%\nnext"), ["100%", "next"]);
  assert.deepEqual(split("100%\r"), ["100%"]);
});

test("a character that is cut in two pieces stays whole, and wrong bytes are marked", () => {
  const bytes = Buffer.from("grün\n");
  assert.deepEqual(split(bytes.subarray(0, 3), bytes.subarray(3)), ["grün"]);
  assert.deepEqual(split(Buffer.from([0x61, 0xff, 0x0a])), ["a\ufffd"]);
  assert.deepEqual(split(Buffer.from([0xe2, 0x82])), ["\ufffd"]);
});

test("a line that never ends is cut, so that memory is bounded", () => {
  const lines = split(...Array.from({ length: 10 }, () => "x".repeat(longestLine / 2)));
  assert.equal(lines.join("").length, longestLine * 5);
  assert.ok(lines.every((line) => line.length <= longestLine));
});

test("the line being written can be seen before it ends", () => {
  const splitter = new LineSplitter();
  splitter.push(Buffer.from("one\ntw"));
  assert.equal(splitter.partial, "tw");
});

test("sequences that a terminal acts on are taken out", () => {
  for (const [dirty, shown] of [
    ["\x1b[2J\x1b[Hgone", "gone"],
    ["\x1b]0;title\x07text", "text"],
    ["\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link"],
    ["\x1b]52;c;ZXZpbA==\x07paste", "paste"],
    ["\x1bP1$r\x1b\\device", "device"],
    ["a\x1b]never ends", "a"],
    ["a\x1b[12", "a"],
    ["\x9b31mred \x9d0;t\x9cend", "red end"],
    ["\x1bc\x1b(B\x1b=reset", "reset"],
    ["bell\x07 null\x00 del\x7f", "bell null del"],
    ["N\bNA\bA", "NA"],
    ["\b\bx", "x"],
    ["user\u202eexe.txt", "userexe.txt"],
    ["tab\tstays, so does ünïcode 日本 👩‍👩‍👧", "tab\tstays, so does ünïcode 日本 👩‍👩‍👧"],
  ] as const) {
    assert.equal(clean(dirty), shown, JSON.stringify(dirty));
  }
});

test("colours are kept when asked for, and end with the line", () => {
  assert.equal(clean("\x1b[1;31mred\x1b[0m", true), "\x1b[1;31mred\x1b[0m\x1b[0m");
  assert.equal(clean("\x1b[31mred\x1b[2K", true), "\x1b[31mred\x1b[0m");
  assert.equal(clean("\x1b[?25l\x1b[>4;2mx", true), "x");
  assert.equal(clean("\x1b[31mred"), "red");
});

test("random bytes in random pieces give the lines of the whole, without a control character", () => {
  let seed = 20_260_101;
  const random = (below: number) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  const alphabet = [
    "a",
    "é",
    "日",
    "👩",
    "\n",
    "\r",
    "\r\n",
    "\x1b",
    "\x1b[31m",
    "\x1b]0;",
    "\x07",
    "\b",
    "\t",
    "\x9b",
    "[",
    "m",
    "\u202e",
    "\u{f8ff0}",
  ];
  for (let round = 0; round < 2000; round++) {
    const bytes = Buffer.concat(
      Array.from({ length: random(40) }, () =>
        random(12) === 0 ? Buffer.from([random(256)]) : Buffer.from(alphabet[random(alphabet.length)] ?? ""),
      ),
    );
    const pieces: Buffer[] = [];
    for (let start = 0; start < bytes.length; ) {
      const end = start + 1 + random(5);
      pieces.push(bytes.subarray(start, end));
      start = end;
    }
    const lines = split(...pieces);
    assert.deepEqual(lines, split(bytes));
    for (const line of lines) {
      assert.doesNotMatch(clean(line), /[\x00-\x08\x0a-\x1f\x7f-\x9f\u202a-\u202e]/);
      assert.doesNotMatch(clean(line, true).replaceAll(/\x1b\[[0-9;:]*m/g, ""), /[\x00-\x08\x0a-\x1f\x7f-\x9f]/);
    }
  }
});
