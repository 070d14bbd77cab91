// Small readers of the library: command lines and addresses.
import assert from "node:assert/strict";
import { test } from "node:test";
import { UserError } from "../../diagnostic.ts";
import { canonicalIp } from "./ip.ts";
import { shellWords } from "./shell-words.ts";

test("a command line splits as in a shell", () => {
  const cases: [line: string, words: string[]][] = [
    ["", []],
    ["  make  all\n", ["make", "all"]],
    [`sh -c 'a "b" \\c'`, ["sh", "-c", 'a "b" \\c']],
    [`"a b"c\\ d ""`, ["a bc d", ""]],
    ['"a\\"b\\\\c"', ['a"b\\c']],
    ["a #comment\nb", ["a", "b"]],
    ["a#b", ["a#b"]],
    ["\\😀 x", ["😀", "x"]],
  ];
  for (const [line, words] of cases) assert.deepEqual(shellWords(line), words, line);
});

test("a quote that is not closed is refused", () => {
  for (const line of ["'a", '"a', 'a "b\\"', "a\\"]) assert.throws(() => shellWords(line), UserError, line);
});

test("addresses have one spelling, and what is none has none", () => {
  const cases: [text: string, canonical: string | undefined][] = [
    ["10.0.0.1", "10.0.0.1"],
    ["2001:DB8::0:1", "2001:db8::1"],
    ["0:0:0:0:0:0:0:0", "::"],
    ["1:0:0:2:0:0:0:3", "1:0:0:2::3"],
    ["1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"],
    ["::ffff:10.0.0.1", "10.0.0.1"],
    ["64:ff9b::10.0.0.1", "64:ff9b::a00:1"],
    ...["", "10.0.0", "010.0.0.1", "256.0.0.1", "1:2", ":::", "1::2::3", "1:2:3:4:5:6:7:8:9", "g::", "::1%eth0", "host"].map(
      (text): [string, undefined] => [text, undefined],
    ),
  ];
  for (const [text, canonical] of cases) assert.equal(canonicalIp(text), canonical, text);
});
